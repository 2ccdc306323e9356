"""Could this design tell the models apart? Each in turn is the truth, and one is chosen.

Model recovery of Wilson and Collins 2019 (eLife 8, rule 5), on the user's own number and length of
trajectories.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Int

from inverseq._core.arrays import freeze
from inverseq._core.engine import Keep, run
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.choice import criteria, simplest_within_error
from inverseq.evaluate.compare import compare, score_all
from inverseq.evaluate.comparison import Candidate, Comparison
from inverseq.evaluate.repeats import seeds_of
from inverseq.evaluate.simulated import simulate_like
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.problem import Progress, Solver
from inverseq.mdp import MDP


@dataclass(frozen=True, eq=False)
class Confusion:
    """Which model is chosen when each in turn is the truth.

    Attributes:
        names: Of the C models.
        counts: By criterion ("held out": best prediction; "one error": the simplest within one
            standard error of it; "bic"; "aic"), `[C, C]` how often data from the model of the row
            led to the choice of the model of the column.
    """

    names: tuple[str, ...]
    counts: Mapping[str, Int[np.ndarray, "C C"]]

    def __post_init__(self) -> None:
        freeze(self, np.int64, "counts")

    def accuracy(self, criterion: str) -> float:
        """Share of the simulations in which the model that made the data was chosen.

        Raises:
            InputError: There is no such criterion.
        """
        if criterion not in self.counts:
            raise InputError(f"no criterion {criterion!r}; there are {[*self.counts]}")
        counts = self.counts[criterion]
        return float(np.trace(counts) / counts.sum())


def recover_models(
    candidates: Mapping[str, Solver | Candidate],
    demonstrations: Demonstrations,
    mdp: MDP | Mapping[str, MDP],
    *,
    repeats: int,
    seed: int,
    folds: int = 3,
    by: str = "trajectory",
    jobs: int | None = None,
    progress: Progress | None = None,
    keep: Keep | None = None,
) -> Confusion:
    """Let each model in turn be the truth, and see which is chosen: a confusion matrix.

    Each candidate is fitted to the data; from each fit `repeats` data sets of the same design are
    simulated; on each of these all candidates are fitted and scored by folds. Takes
    C * C * repeats * (folds + 1) fits. A candidate that cannot be fitted to a simulation is not
    chosen there.

    Args:
        candidates: By name, C solvers, or candidates with the history of their world: `Intentions`
            with different numbers of intentions or laws of switching, say.
        demonstrations: Behaviour to fit, and the design.
        mdp: The world, or worlds by name.
        repeats: Simulations of each model.
        seed: Of everything random.
        folds: Of the predictive scores.
        by: What is held out together.
        jobs: Processes over simulations, as in `compare`.
        progress: Called with (what, simulations done, simulations in all).
        keep: Folder of finished work, as in `compare`.

    Raises:
        InputError: A candidate cannot be fitted to the data or its behaviour not be drawn, or a
            setting is out of range.
        FitError: The fit of a candidate to the data did not converge.
    """
    full = score_all(
        demonstrations, demonstrations, candidates, mdp, keep_solutions=True, keep=keep
    )
    truths = {name: _truth(full, name) for name in candidates}
    seeds = seeds_of(seed, repeats)
    made = list(
        run(
            partial(_choices, dict(candidates), demonstrations, mdp, folds, by),
            [(truth, s) for truth in truths.values() for s in seeds],
            what="simulations",
            jobs=jobs,
            keep=keep,
            progress=progress,
        )
    )
    names = tuple(candidates)
    counts = {}
    for criterion in made[0]:
        table = np.zeros((len(names), len(names)), dtype=np.int64)
        for index, chosen in enumerate(made):
            table[index // repeats, names.index(chosen[criterion])] += 1
        counts[criterion] = table
    return Confusion(names, counts)


def _choices(
    candidates: Mapping[str, Solver | Candidate],
    design: Demonstrations,
    mdp: MDP | Mapping[str, MDP],
    folds: int,
    by: str,
    truth: Explanation,
    seed: int,
) -> dict[str, str]:
    """Which candidate each criterion chooses on one simulation of `truth`."""
    drawn = simulate_like(truth, design, seed=seed)
    held_out = compare(drawn, candidates, mdp, folds=folds, by=by, seed=seed)
    full = score_all(drawn, drawn, candidates, mdp)
    size = int(drawn.acted.sum())
    penalised = {
        r.name: criteria(float(r.score.sums.sum()), float(r.num_parameters[0]), size)
        for r in full.results
        if r.score is not None
    }
    return {
        "held out": held_out.reference,
        "one error": simplest_within_error(held_out),
        "bic": min(penalised, key=lambda name: penalised[name][0]),
        "aic": min(penalised, key=lambda name: penalised[name][1]),
    }


def _truth(full: Comparison, name: str) -> Explanation:
    """The fit of a candidate to the data."""
    result = full[name]
    if not result.solutions:
        raise InputError(f"{name} cannot be fitted to the data: {result.failure}")
    return result.solutions[0]
