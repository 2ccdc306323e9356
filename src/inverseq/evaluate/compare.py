"""Several ways to explain the same behaviour, side by side, on decisions none was fitted to."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from joblib import Parallel, delayed

from inverseq._core.arrays import frozen_array
from inverseq._core.display import Fact, ShownTable
from inverseq._core.errors import FitError, InputError
from inverseq._core.log import log
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import Difference, Score, difference, log_likelihood
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Progress, Solver
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP, unite
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
    """

    solver: Solver
    history: int = 1
    of: Memory = "states"


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
    """

    name: str
    score: Score | None
    fold_means: Float[np.ndarray, " folds"]
    num_parameters: Float[np.ndarray, " folds"]
    seconds: Float[np.ndarray, " folds"]
    failure: str = ""
    solutions: tuple[Solution | IntentionSolution, ...] = ()

    def __post_init__(self) -> None:
        for name in ("fold_means", "num_parameters", "seconds"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float64, name))


@dataclass(frozen=True, eq=False)
class Comparison(ShownTable):
    """Candidates scored on the same held-out decisions.

    Attributes:
        results: In the order in which the candidates were given.
        reference: Name of the candidate that the others are compared with.
        differences: By name, each candidate's score less that of the reference, paired by unit.
        by: What a unit is: of the folds, and of the standard errors.
        folds: Number of folds; 1 for one split into training and test part.
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
            ("chance", f"{self.chance:.3f}"),
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
                    "parameters": float(np.mean(result.num_parameters)),
                    "seconds": float(np.mean(result.seconds)),
                    "failure": result.failure,
                }
            )
        return sorted(made, key=lambda row: -np.inf if row["failure"] else row["nats"])[::-1]


@dataclass(frozen=True, eq=False)
class _Settings:
    """What is the same for all candidates and folds; fields as the arguments of `compare`."""

    by: str
    seed: int
    from_step: int
    reference: str | None
    keep_solutions: bool
    jobs: int
    progress: Progress | None


@dataclass(frozen=True, eq=False)
class _Fitted:
    """One candidate in one fold."""

    score: Score | None
    num_parameters: float
    seconds: float
    solution: Solution | IntentionSolution | None
    error: InputError | FitError | None


def compare(
    demonstrations: Demonstrations,
    candidates: Mapping[str, Solver | Candidate],
    mdp: World | None = None,
    *,
    folds: int = 5,
    by: str = "trajectory",
    seed: int = 0,
    from_step: int = 0,
    reference: str | None = None,
    keep_solutions: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Comparison:
    """Score candidates by cross-validation: every unit is predicted by fits that never saw it.

    In each fold everything is estimated on the training part alone: the world (where `mdp` is an
    `Estimate` or a function), and what a solver chooses itself. Standard errors and differences go
    over units; fits of different folds share training data, which the errors leave out of account
    (Bengio and Grandvalet 2004).

    Args:
        demonstrations: All decisions.
        candidates: By name, the solvers (with the history of their world) to compare.
        mdp: The world; worlds by name, which each trajectory names in its column "world"; an
            `Estimate`, or a function from the training part to either; None where no solver needs
            one.
        folds: Number of folds.
        by: What is held out together: "trajectory", "session", "subject", "world" or any
            trajectory column.
        seed: Which random folds.
        from_step: First decision of a trajectory to score.
        reference: Candidate to compare the others with; the best where left out.
        keep_solutions: Keep every fit in its `Result`.
        jobs: Processes; -1 for as many as there are cores.
        progress: Called with (what, fits done, fits in all).

    Returns:
        The comparison. A candidate that cannot be fitted, or cannot predict the held-out part (a
        count table in another world), says so in its `failure`.

    Raises:
        InputError: There are fewer units than folds, or neither the reference nor, without one, any
            candidate could be scored.
        FitError: The same, because a fit failed.
    """
    settings = _Settings(by, seed, from_step, reference, keep_solutions, jobs, progress)
    return _compare(list(demonstrations.fold(folds, by=by, seed=seed)), candidates, mdp, settings)


def score_all(
    train: Demonstrations,
    test: Demonstrations,
    candidates: Mapping[str, Solver | Candidate],
    mdp: World | None = None,
    *,
    by: str = "trajectory",
    from_step: int = 0,
    reference: str | None = None,
    keep_solutions: bool = False,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Comparison:
    """Score candidates on one split: fitted to `train`, scored on `test`.

    Args:
        train: Decisions to fit.
        test: Decisions to score; none of them is seen before.
        candidates: As in `compare`.
        mdp: As in `compare`.
        by: What standard errors go over: "trajectory", "session", "subject" or any column.
        from_step: As in `compare`.
        reference: As in `compare`.
        keep_solutions: As in `compare`.
        jobs: As in `compare`.
        progress: As in `compare`.

    Raises:
        InputError: As in `compare`.
        FitError: As in `compare`.
    """
    settings = _Settings(by, 0, from_step, reference, keep_solutions, jobs, progress)
    return _compare([(train, test)], candidates, mdp, settings)


def _compare(
    splits: Sequence[Split],
    candidates: Mapping[str, Solver | Candidate],
    mdp: World | None,
    settings: _Settings,
) -> Comparison:
    """Fit and score every candidate in every fold, and put the scores together."""
    reference, progress = settings.reference, settings.progress
    if not candidates:
        raise InputError("there is nothing to compare; give one candidate or more")
    if reference is not None and reference not in candidates:
        raise InputError(f"no candidate {reference!r} to refer to; there are {[*candidates]}")
    named = {n: c if isinstance(c, Candidate) else Candidate(c) for n, c in candidates.items()}
    tasks = [
        delayed(_fit_and_score)(split, candidate.solver, world, settings.by, settings.from_step)
        for split, worlds in _with_worlds(splits, named, mdp)
        for candidate, world in zip(named.values(), worlds, strict=True)
    ]
    fitted: list[_Fitted] = []
    for one in Parallel(n_jobs=settings.jobs, return_as="generator")(tasks):
        fitted.append(one if settings.keep_solutions else replace(one, solution=None))
        if progress is not None:
            progress("fits", len(fitted), len(tasks))
    results = [_result(n, fitted[i :: len(named)]) for i, n in enumerate(named)]
    scores = {r.name: r.score for r in results if r.score is not None}
    if not scores or (reference is not None and reference not in scores):
        # Without a reference none was scored, so that the first of all has failed.
        of = 0 if reference is None else [*named].index(reference)
        raise next(one.error for one in fitted[of :: len(named)] if one.error is not None)
    best = max(scores, key=lambda name: scores[name].mean) if reference is None else reference
    differences = {name: difference(score, scores[best]) for name, score in scores.items()}
    return Comparison(
        tuple(results),
        best,
        differences,
        settings.by,
        len(splits),
        settings.seed,
        settings.from_step,
    )


def _with_worlds(
    splits: Sequence[Split], candidates: Mapping[str, Candidate], given: World | None
) -> Iterator[tuple[Split, list[MDP | None]]]:
    """Each split, with the world of every candidate there.

    Candidates that ask for the same world get the same record, which keeps its factorisations.
    """
    anew = isinstance(given, Estimate) or callable(given)
    wanted: set[tuple[int, Memory]] = {(c.history, c.of) for c in candidates.values()}
    made: dict[tuple[int, Memory], MDP | None] = {}
    for train, test in splits:
        if anew or not made:
            plain = _world(given, train, test)
            for key in wanted:
                made[key] = plain if plain is None or key[0] == 1 else plain.with_history(*key)
        yield (train, test), [made[c.history, c.of] for c in candidates.values()]


def _world(given: World | None, train: Demonstrations, test: Demonstrations) -> MDP | None:
    """The world, or the union of the worlds, for one training part."""
    if isinstance(given, Estimate):
        # The world is as large as all that was seen, though only the training part says how it
        # goes: a state of the test part that training never reached stays where it is.
        return MDP.estimate(
            train,
            discount=given.discount,
            smoothing=given.smoothing,
            num_states=max(train.num_states, test.num_states),
            num_actions=max(train.num_actions, test.num_actions),
        )
    found = given if given is None or isinstance(given, MDP | Mapping) else given(train)
    return unite(found) if isinstance(found, Mapping) else found


def _fit_and_score(
    split: Split, solver: Solver, world: MDP | None, by: str, from_step: int
) -> _Fitted:
    """A fit to the training part and its score on the test part; errors of the user as values."""
    train, test = split
    started = time.perf_counter()
    solution = None
    try:
        solution = fit(train, solver, world)
        seconds = time.perf_counter() - started
        score = log_likelihood(solution, test, from_step=from_step, by=by)
    except (InputError, FitError) as error:
        seconds = time.perf_counter() - started
        parameters = float("nan") if solution is None else float(solution.num_parameters)
        return _Fitted(None, parameters, seconds, solution, error)
    return _Fitted(score, float(solution.num_parameters), seconds, solution, None)


def _result(name: str, folds: Sequence[_Fitted]) -> Result:
    """The folds of one candidate put together."""
    scores = [fold.score for fold in folds]
    failures = [
        f"fold {number}: {fold.error}" if len(folds) > 1 else str(fold.error)
        for number, fold in enumerate(folds, 1)
        if fold.error is not None
    ]
    if failures:
        log.warning("%s is left out: %s", name, failures[0])
    return Result(
        name=name,
        score=None if failures else _pooled([score for score in scores if score is not None]),
        fold_means=np.array([float("nan") if s is None else s.mean for s in scores]),
        num_parameters=np.array([fold.num_parameters for fold in folds]),
        seconds=np.array([fold.seconds for fold in folds]),
        failure=failures[0] if failures else "",
        solutions=tuple(fold.solution for fold in folds if fold.solution is not None),
    )


def _pooled(scores: Sequence[Score]) -> Score:
    """The score over all units of several test parts that share none."""
    join = lambda name: np.concatenate([getattr(score, name) for score in scores])  # noqa: E731
    names = ("sums", "decisions", "forced", "chance", "hits")
    return Score(scores[0].by, *(join(name) for name in names))
