"""What is compared, and what comes of a comparison."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import freeze
from inverseq._core.display import Fact, ShownTable
from inverseq._core.errors import InputError
from inverseq._core.perhaps import Perhaps
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import Difference, Score, difference
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.problem import Solver
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.mdp.history import Memory


@dataclass(frozen=True)
class Estimate:
    """A world estimated anew from the training part of every fold (see `MDP.estimate`).

    Attributes:
        discount: gamma.
        smoothing: Weight of what a state does under any action, in observations.
    """

    discount: float
    smoothing: float = 0.0


@dataclass(frozen=True)
class Candidate:
    """A solver, and how much of the past its world remembers.

    Attributes:
        solver: Settings of the solver.
        history: The solver gets `mdp.with_history(history, of)`; 1 is the world as it is.
        of: What the world remembers: "states" or "actions".
        world: A world of its own, with features or a memory that others lack; the given one where
            left out.
    """

    solver: Solver
    history: int = 1
    of: Memory = "states"
    world: MDP | None = None


Split = tuple[Demonstrations, Demonstrations]
"""A training part and a test part."""

World = MDP | Mapping[str, MDP] | Estimate | Callable[[Demonstrations], MDP | Mapping[str, MDP]]
"""A world, worlds by name, or how to make one from the training part."""


@dataclass(frozen=True, eq=False)
class Result:
    """How well one candidate predicts.

    Attributes:
        name: Name of the candidate.
        score: Over the held-out decisions of all folds; None where a fold failed.
        fold_means: `[folds]` nats per decision in each fold, NaN where it failed.
        num_parameters: `[folds]` free numbers in the fit.
        seconds: `[folds]` time of the fit.
        failure: What went wrong, or nothing.
        solutions: The fit of each fold, where they were to be kept.
        over: Other unit ("subject" where worlds are held out, "world" where subjects are) -> the
            same score by it, for errors over both.
        novel: Of the trajectories that repeat none of the training part, state by state and action
            by action; None where all do not, or none.
    """

    name: str
    score: Perhaps[Score]
    fold_means: Float[np.ndarray, " folds"]
    num_parameters: Float[np.ndarray, " folds"]
    seconds: Float[np.ndarray, " folds"]
    failure: str = ""
    solutions: tuple[Solution | IntentionSolution, ...] = ()
    over: Mapping[str, Score] = field(default_factory=dict)
    novel: Score | None = None

    def __post_init__(self) -> None:
        freeze(self, np.float64, "fold_means", "num_parameters", "seconds")


@dataclass(frozen=True, eq=False)
class Comparison(ShownTable):
    """Candidates scored on the same held-out decisions.

    Attributes:
        results: In the order in which the candidates were given.
        reference: Name of the candidate that the others are compared with.
        differences: By name, each candidate's score less that of the reference, paired by unit.
        by: What a unit is: of the folds, and of the standard errors.
        folds: Number of folds that were scored; 1 for one split into training and test part.
        seed: Which random folds.
        from_step: First decision of a trajectory that was scored.
    """

    results: tuple[Result, ...]
    reference: str
    differences: Mapping[str, Difference]
    by: str
    folds: int
    seed: int
    from_step: int

    def _facts(self) -> Iterable[Fact]:
        scores = {r.name: r.score for r in self.results if r.score is not None}
        best = max(scores, key=lambda name: scores[name].mean)
        return (
            ("candidates", len(self.results)),
            ("failures", sum(bool(r.failure) for r in self.results) or None),
            ("best", best),
            ("score", scores[best].told),
            ("chance", None if np.isnan(self.chance) else f"{self.chance:.3f}"),
            ("folds", self.folds),
            ("by", self.by),
        )

    def __getitem__(self, name: str) -> Result:
        found = [result for result in self.results if result.name == name]
        if not found:
            raise InputError(f"no candidate {name!r}; there are {[r.name for r in self.results]}")
        return found[0]

    @property
    def chance(self) -> float:
        """Nats per decision if every action that exists were equally likely."""
        return self._any_score.chance_mean

    @property
    def _any_score(self) -> Score:
        return next(r.score for r in self.results if r.score is not None)

    def _apart(self, result: Result) -> dict[str, float]:
        """Errors over other units, and the score of novel trajectories, where there are such."""
        best, made, nan = self[self.reference], {}, float("nan")
        for unit, whole in best.over.items():
            mine = result.over.get(unit)
            made[f"error_over_{unit}"] = nan if mine is None else mine.standard_error
            gain = None if mine is None else difference(mine, whole)
            made[f"difference_error_over_{unit}"] = nan if gain is None else gain.standard_error
        if best.novel is not None:
            made["novel_nats"] = nan if result.novel is None else result.novel.mean
        return made

    @property
    def rows(self) -> list[dict[str, str | float | int]]:
        """One row per candidate for a table, best first and failures last; numbers in nats."""
        made, nan = [], float("nan")
        failed = dict.fromkeys(self._any_score.row, nan)
        for result in self.results:
            score, gain = result.score, self.differences.get(result.name)
            made.append(
                {
                    "name": result.name,
                    **(failed if score is None else score.row),
                    "difference": nan if gain is None else gain.mean,
                    "difference_error": nan if gain is None else gain.standard_error,
                    **self._apart(result),
                    "parameters": float(np.mean(result.num_parameters)),
                    "seconds": float(np.mean(result.seconds)),
                    "failure": result.failure,
                }
            )
        return sorted(made, key=lambda row: -np.inf if row["failure"] else row["nats"])[::-1]
