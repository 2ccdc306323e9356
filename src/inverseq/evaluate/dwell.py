"""How long an intention lasts, beside what the fitted law of switching says."""

from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.arrays import freeze
from inverseq._core.engine import run
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.repeats import seeds_of
from inverseq.evaluate.simulated import simulate_like
from inverseq.intentions.law import transitions_in
from inverseq.intentions.predict import likely_path, sample_intentions
from inverseq.intentions.solution import IntentionSolution, several
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.problem import Progress


@dataclass(frozen=True, eq=False)
class Dwell:
    """How many decisions in a row one intention lasts: its runs on the most likely path.

    A run that the end of a trajectory or a gap cuts off is known to last at least that long; means
    and survival take it so (Kaplan and Meier 1958).

    Attributes:
        lengths: `[runs]` decisions of each run.
        ended: `[runs]` whether another intention followed; False where the run was cut off.
        mean: Mean length, decisions at which it could end over ends; infinite where it never ends.
        sampled_mean: The same on paths drawn from the posterior: the most likely path leaves out
            short runs.
        law_mean: What the law says: 1 / (1 - stay) where it is the same everywhere; where it
            depends on circumstances, of simulated paths.
        survival: `[D]` share of runs that last longer than 1, 2, ... D decisions.
        expected: `[D]` the same on the most likely paths of simulated behaviour, mean.
        low: `[D]` 2.5 % of the simulations lie below.
        high: `[D]` 2.5 % lie above.
        p_value: How often a simulation's survival lies further from `expected` than the real one's
            (largest distance): small where dwell times are not those of the law.
    """

    lengths: Int[np.ndarray, " runs"]
    ended: Bool[np.ndarray, " runs"]
    mean: float
    sampled_mean: float
    law_mean: float
    survival: Float[np.ndarray, " D"]
    expected: Float[np.ndarray, " D"]
    low: Float[np.ndarray, " D"]
    high: Float[np.ndarray, " D"]
    p_value: float

    def __post_init__(self) -> None:
        freeze(self, np.int64, "lengths")
        freeze(self, bool, "ended")
        freeze(self, np.float64, "survival", "expected", "low", "high")

    @property
    def geometric(self) -> Float[np.ndarray, " D"]:
        """`[D]` share of true runs that would last longer under the geometric law of `law_mean`."""
        return (1 - 1 / self.law_mean) ** np.arange(1, len(self.survival) + 1)


def dwell_times(
    solution: Explanation,
    demonstrations: Demonstrations,
    *,
    seed: int,
    repeats: int = 100,
    draws: int = 20,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> tuple[Dwell, ...]:
    """Runs of each intention, against those of behaviour simulated from the fit.

    Decoding joins what a short run interrupts, so real and simulated behaviour are decoded alike:
    the same most likely path under the same fit.

    Args:
        solution: Of `fit` with `Intentions` in a world.
        demonstrations: The decisions, whose design is simulated.
        seed: Of simulations and sampled paths.
        repeats: Simulations; the p-value cannot fall below 1 / (repeats + 1).
        draws: Paths drawn from the posterior.
        jobs: Processes, as in `compare`.
        progress: Called with (what, simulations done, simulations in all).

    Returns:
        One record per intention.

    Raises:
        InputError: There is one intention, or the law never lets one change, or as `simulate_like`.
    """
    solution = several(solution, demonstrations, "dwell_times")
    if solution.num_intentions == 1:
        raise InputError("one intention never gives way to another, so nothing lasts any time")
    law = solution.switching
    if not law.changes:
        raise InputError(
            f"under the law {type(law).__name__} one intention is kept for a whole trajectory, so "
            "nothing lasts any time; fit with switching=Markov() to ask how long intentions last"
        )
    simulated = list(
        run(
            partial(_simulated, solution, demonstrations),
            [(s,) for s in seeds_of(seed, repeats)],
            what="simulations",
            jobs=jobs,
            progress=progress,
        )
    )
    begins = law.begins(demonstrations)
    real = runs_of(likely_path(solution, demonstrations), begins)
    sampled = [
        runs_of(path, begins) for path in sample_intentions(solution, demonstrations, draws, seed)
    ]
    lasting = None
    if not law.on:
        contexts = law.contexts(demonstrations, solution.mdp, solution.constants or None)
        (table,) = transitions_in(law, solution.numbers, contexts)
        lasting = 1 / (1 - np.diagonal(table))
    return tuple(
        _dwell(k, real, sampled, simulated, None if lasting is None else float(lasting[k]))
        for k in range(solution.num_intentions)
    )


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of equal intentions, in order.

    Attributes:
        intention: `[runs]`.
        length: `[runs]` decisions.
        ended: `[runs]` whether another intention followed in the same chain.
    """

    intention: Int[np.ndarray, " runs"]
    length: Int[np.ndarray, " runs"]
    ended: Bool[np.ndarray, " runs"]

    def of(self, k: int) -> tuple[Int[np.ndarray, " n"], Bool[np.ndarray, " n"]]:
        """Lengths of one intention, and whether they ended."""
        mine = self.intention == k
        return self.length[mine], self.ended[mine]


def runs_of(path: Int[np.ndarray, " N"], begins: Bool[np.ndarray, " N"]) -> Runs:
    """Runs on a path.

    Args:
        path: `[N]` intentions.
        begins: `[N]` where a chain begins.
    """
    new = np.append(True, begins[1:] | (path[1:] != path[:-1]))
    first = np.flatnonzero(new)
    ended = np.append(~begins[first[1:]], False)
    return Runs(path[first], np.diff(np.append(first, path.size)), ended)


def _simulated(solution: IntentionSolution, design: Demonstrations, seed: int) -> tuple[Runs, Runs]:
    """True and decoded runs of one simulation."""
    drawn = simulate_like(solution, design, seed=seed)
    begins = solution.switching.begins(drawn)
    decoded = runs_of(likely_path(solution, drawn), begins)
    return runs_of(drawn.decisions["intention"], begins), decoded


def _dwell(
    k: int,
    real: Runs,
    sampled: list[Runs],
    simulated: list[tuple[Runs, Runs]],
    law_mean: float | None,
) -> Dwell:
    """The record of one intention; without a mean by the law, that of the simulated paths."""
    lengths, ended = real.of(k)
    decoded = [runs.of(k) for _, runs in simulated]
    longest = max([1, *(int(found.max(initial=0)) for found, _ in [(lengths, ended), *decoded])])
    curves = np.stack([survival_of(*runs, longest) for runs in decoded])
    observed = survival_of(lengths, ended, longest)
    if law_mean is None:
        law_mean = _mean_length(*_pooled([runs for runs, _ in simulated], k))
    low, high = np.quantile(curves, [0.025, 0.975], axis=0)
    return Dwell(
        lengths=lengths,
        ended=ended,
        mean=_mean_length(lengths, ended),
        sampled_mean=_mean_length(*_pooled(sampled, k)),
        law_mean=law_mean,
        survival=observed,
        expected=curves.mean(axis=0),
        low=low,
        high=high,
        p_value=_distance_test(observed, curves) if lengths.size else float("nan"),
    )


def survival_of(
    lengths: Int[np.ndarray, " runs"], ended: Bool[np.ndarray, " runs"], longest: int
) -> Float[np.ndarray, " D"]:
    """`[D]` share of runs longer than 1 to `longest` decisions, with cut-off runs (Kaplan, Meier).

    Where no run is left that could tell, the share stays as it was.
    """
    left = np.bincount(lengths[ended], minlength=longest + 1)[1 : longest + 1]
    every = np.bincount(lengths, minlength=longest + 1)[1 : longest + 1]
    longer = lengths.size - np.cumsum(every)
    at_risk = longer + left
    return np.cumprod(1 - left / np.maximum(at_risk, 1))


def _mean_length(lengths: Int[np.ndarray, " n"], ended: Bool[np.ndarray, " n"]) -> float:
    """Decisions after which a run could be seen to end, over ends; NaN where there is no run."""
    if not lengths.size:
        return float("nan")
    chances = lengths.sum() - (~ended).sum()
    return float(chances / ended.sum()) if ended.any() else float("inf")


def _pooled(several: list[Runs], k: int) -> tuple[np.ndarray, np.ndarray]:
    """Runs of one intention of several paths."""
    parts = [runs.of(k) for runs in several]
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _distance_test(observed: Float[np.ndarray, " D"], curves: Float[np.ndarray, "R D"]) -> float:
    """Share of simulations as far from the mean of the others as the real curve is from theirs."""
    count = len(curves)
    rest = (curves.sum(axis=0) - curves) / max(count - 1, 1)
    far = np.abs(curves - rest).max(axis=1)
    mine = np.abs(observed - curves.mean(axis=0)).max()
    return float((1 + (far >= mine).sum()) / (count + 1))
