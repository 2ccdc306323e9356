"""How well a solution predicts decisions: log-likelihood, from the past alone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse
from scipy.special import stdtrit

from inverseq._core.arrays import freeze
from inverseq._core.display import Fact, Shown, data_frame
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align, check_existing
from inverseq.decisions.counts import Counts
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.explanation import Explanation, check_arguments, check_explanation
from inverseq.inverse.problem import check_counts
from inverseq.policies.policy import log_taken

FEWEST_UNITS = 3
"""Units below which no difference of scores is clear, however large."""

SUMMED = ("sums", "decisions", "forced", "chance", "hits")
"""Fields of a `Score` with one number per unit."""

_NOT_SHOWN = 5e-5
"""Nats per decision that no table or sentence shows."""

_NOTHING = 1e-12
"""Nats per decision that are rounding: units whose differences vary no more are all alike."""


@dataclass(frozen=True, eq=False)
class Score(Shown):
    """Predictive log-likelihood of decisions, unit by unit; `float(score)` is the mean.

    A decision is forced where only one action exists there: every model that knows the world
    predicts it surely, so it adds 0 to the sum. U units: trajectories, or what `by` says.

    Attributes:
        by: What a unit is: "trajectory", "session", "subject" or any trajectory column.
        sums: `[U]` sum of log-likelihoods, in nats.
        decisions: `[U]` decisions scored.
        forced: `[U]` how many of them were forced.
        chance: `[U]` sum of log-likelihoods if every action that exists were equally likely.
        hits: `[U]` decisions at which the most probable action was taken; a tie among n counts 1/n.
    """

    by: str
    sums: Float[np.ndarray, " U"]
    decisions: Float[np.ndarray, " U"]
    forced: Float[np.ndarray, " U"]
    chance: Float[np.ndarray, " U"]
    hits: Float[np.ndarray, " U"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "sums", "decisions", "forced", "chance", "hits")

    def __float__(self) -> float:
        return self.mean

    def _facts(self) -> Iterable[Fact]:
        return (
            ("score", self.told),
            ("chance", None if np.isnan(self.chance_mean) else f"{self.chance_mean:.3f}"),
            ("accuracy", None if np.isnan(self.accuracy) else f"{self.accuracy:.1%}"),
            ("decisions", self.num_decisions),
            ("units", self.sums.size),
            ("by", self.by),
        )

    def grouped(self, groups: Int[np.ndarray, " U"], by: str) -> "Score":
        """The same decisions with larger units.

        Args:
            groups: The larger unit of each, numbered from 0.
            by: What it is.
        """
        return Score(by, *(np.bincount(groups, getattr(self, name)) for name in SUMMED))

    @property
    def told(self) -> str:
        """The mean and its error for people."""
        return f"{self.mean:.3f} ± {self.standard_error:.3f} nats per decision"

    def to_pandas(self) -> Any:
        """A pandas data frame with one row per unit; sums in nats.

        Raises:
            InputError: pandas is not installed.
        """
        return data_frame({name: getattr(self, name) for name in SUMMED})

    @property
    def row(self) -> dict[str, float]:
        """The part of a table of several scores that is about this one, in nats per decision."""
        return {
            "nats": self.mean,
            "error": self.standard_error,
            "free_nats": self.free_mean,
            "free_error": self.free_standard_error,
            "accuracy": self.accuracy,
        }

    @property
    def mean(self) -> float:
        """Nats per decision."""
        return float(self.sums.sum() / self.decisions.sum())

    @property
    def standard_error(self) -> float:
        """Standard error of `mean` over units; NaN where there is only one."""
        return ratio_error(self.sums, self.decisions)

    @property
    def num_decisions(self) -> int:
        """Decisions scored."""
        return int(self.decisions.sum())

    @property
    def num_forced(self) -> int:
        """Decisions scored at which only one action exists."""
        return int(self.forced.sum())

    @property
    def free_mean(self) -> float:
        """Nats per decision that is not forced; NaN where all are."""
        return _ratio(self.sums, self.decisions - self.forced)

    @property
    def free_standard_error(self) -> float:
        """Standard error of `free_mean` over units."""
        return ratio_error(self.sums, self.decisions - self.forced)

    @property
    def chance_mean(self) -> float:
        """Nats per decision if every action that exists were equally likely."""
        return _ratio(self.chance, self.decisions)

    @property
    def free_chance_mean(self) -> float:
        """The same per decision that is not forced."""
        return _ratio(self.chance, self.decisions - self.forced)

    @property
    def above_chance(self) -> "Difference":
        """How much better this predicts than actions that are all equally likely."""
        return _difference(self.sums - self.chance, self.decisions)

    @property
    def accuracy(self) -> float:
        """Share of the decisions at which the most probable action was taken."""
        return _ratio(self.hits, self.decisions)


def pooled(scores: Sequence[Score]) -> Score:
    """One score of the decisions of several, which have the same units."""
    return Score(
        scores[0].by, *(np.sum([getattr(one, name) for one in scores], axis=0) for name in SUMMED)
    )


@dataclass(frozen=True)
class Difference:
    """Mean log-likelihood of one model less that of another on the same decisions.

    Attributes:
        mean: Nats per decision; above 0 where the first predicts better.
        standard_error: Over units, from the paired differences; NaN where there is only one.
        decisions: Decisions compared.
        units: Units that the error goes over.
    """

    mean: float
    standard_error: float
    decisions: int
    units: int

    def __float__(self) -> float:
        return self.mean

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Ends of the t interval over units; (NaN, NaN) where there is only one.

        Args:
            level: How often it should hold the truth.
        """
        if self.units < 2:
            return float("nan"), float("nan")
        reach = float(stdtrit(self.units - 1, (1 + level) / 2)) * self.standard_error
        return self.mean - reach, self.mean + reach

    def clear(self, level: float = 0.95) -> bool:
        """Whether the t interval leaves out zero. With fewer than three units, units that are all
        alike, or a difference that no digit shows, nothing is clear.
        """
        low, high = self.interval(level)
        seen = self.units >= FEWEST_UNITS and self.standard_error > _NOTHING
        return seen and abs(self.mean) >= _NOT_SHOWN and (low > 0 or high < 0)

    @property
    def better(self) -> bool:
        """Whether the first clearly predicts better."""
        return self.mean > 0 and self.clear()


def log_likelihood(
    solution: Explanation,
    demonstrations: Demonstrations | Counts,
    *,
    from_step: int = 0,
    exclude_forced: bool = False,
    rows: Bool[np.ndarray, " N"] | None = None,
    by: str = "trajectory",
) -> Score:
    """Predictive log-likelihood of `demonstrations` under `solution`, in nats per decision.

    Each decision is predicted from the present state and the trajectory before it (see
    `action_probabilities`). Missing actions are not scored. The standard error treats decisions of
    one unit as dependent and units as independent (the ratio estimator of cluster sampling;
    Cochran 1977, section 6.3).

    Args:
        solution: What `fit` returned.
        demonstrations: N decisions, in the world (or worlds) of `solution.mdp`; or their `Counts`
            with units, where the state alone decides what is done (`from_step`, `rows` and `by` are
            then left as they are).
        from_step: First decision of a trajectory to score, counted from 0.
        exclude_forced: Leave out decisions at which only one action exists.
        rows: Which decisions to score; all where left out. The others are still seen: the filter,
            or a learner, runs on from them into those.
        by: What a unit is: "trajectory", "session", "subject" or any trajectory column.

    Raises:
        InputError: A decision does not fit the world or is impossible under the solution, `rows` is
            no mask of the decisions, or nothing is left to score.
    """
    if isinstance(demonstrations, Counts):
        check_explanation(solution, "log_likelihood")
        if from_step or rows is not None or by not in ("trajectory", demonstrations.by):
            raise InputError(
                "counts bring their own units and no order: drop from_step, rows and by, or give "
                "the demonstrations"
            )
        return _of_counts(solution, demonstrations, exclude_forced)
    check_arguments(solution, demonstrations, "log_likelihood")
    if solution.mdp is not None:
        check_existing(demonstrations, solution.mdp, align(demonstrations, solution.mdp))
    finite = solution.num_actions is not None
    size = demonstrations.num_decisions
    # Densities have no number of options: nothing is forced, and there is no chance level.
    exists = solution.exists(demonstrations) if finite else None
    options = np.full(size, np.nan) if exists is None else _count(exists.T)
    scored = demonstrations.acted & (demonstrations.step >= from_step)
    if exclude_forced and finite:
        scored &= options > 1
    scored &= _wanted(rows, size)
    at = np.flatnonzero(scored)
    if at.size == 0:
        raise InputError(
            f"none of the {demonstrations.num_decisions} decisions can be scored: all actions are "
            f"missing, forced, before step {from_step} or not among rows"
        )
    hits = np.full(at.size, np.nan)
    if finite:
        policy = solution.probabilities(demonstrations)
        logs = log_taken(policy, demonstrations)[at]
        # Rounding must not break ties between equally good actions.
        by_action = policy[at].T
        best = by_action >= reduce(np.maximum, by_action) - 1e-12
        hits = best[demonstrations.actions[at], np.arange(at.size)] / _count(best)
    else:
        logs = solution.log_likelihoods(demonstrations)[at]
    never = logs == -np.inf
    if never.any():
        row = int(at[np.argmax(never)])
        raise InputError(
            f"row {demonstrations.row(row)}: the solution gives action "
            f"{demonstrations.actions[row]} at state {demonstrations.states[row]} no probability "
            f"({int(never.sum())} such rows), so the log-likelihood is minus infinity. Fit "
            "with more smoothing or a stronger prior"
        )
    units = demonstrations.units(by)
    unit = units[demonstrations.trajectory_of[at]]
    per_unit = lambda values: np.bincount(unit, values, int(units.max()) + 1)  # noqa: E731
    return Score(
        by=by,
        sums=per_unit(logs),
        decisions=per_unit(np.ones(at.size)),
        forced=per_unit((options[at] == 1).astype(float)),
        chance=per_unit(-np.log(options[at])),
        hits=per_unit(hits),
    )


def _of_counts(solution: Explanation, counts: Counts, exclude_forced: bool) -> Score:
    """The score of counted decisions.

    Raises:
        InputError: They have no units or do not fit, or the state alone does not decide.
    """
    mdp = solution.mdp
    if counts.units is None:
        raise InputError("counts are scored by unit, and these have none: count them with by=...")
    if mdp is None or len(solution.intentions) != 1:
        raise InputError(f"{solution.solver} has no table of states: fit it, alone, with mdp=...")
    check_counts(counts, mdp)
    policy = solution.intentions[0].policy.per_state(mdp)
    options = mdp.allowed.sum(1)
    # Rounding must not break ties between equally good actions.
    best = policy >= policy.max(1, keepdims=True) - 1e-12
    weight = counts.units
    if exclude_forced:
        weight = weight @ sparse.diags_array(np.repeat(options > 1, mdp.num_actions).astype(float))
    if not (seen := np.asarray(weight.sum(0)).reshape(policy.shape) > 0).any():
        raise InputError("no decision was counted that can be scored")
    if (never := seen & (policy <= 0)).any():
        s, a = (int(i) for i in np.argwhere(never)[0])
        raise InputError(
            f"the solution gives action {a} at state {s} no probability ({int(never.sum())} such "
            "pairs were counted), so the log-likelihood is minus infinity. Fit with more smoothing "
            "or a stronger prior"
        )
    logs = np.log(policy, where=seen, out=np.zeros(policy.shape))
    per_unit = lambda values: weight @ np.broadcast_to(values, policy.shape).ravel()  # noqa: E731
    return Score(
        by=counts.by or "unit",
        sums=per_unit(logs),
        decisions=per_unit(1.0),
        forced=per_unit((options == 1.0)[:, None]),
        chance=per_unit(-np.log(options)[:, None]),
        hits=per_unit(best / best.sum(1, keepdims=True)),
    )


def _wanted(rows: object, size: int) -> Bool[np.ndarray, " N"]:
    """Which decisions are wanted.

    Raises:
        InputError: It is no mask of them.
    """
    if rows is None:
        return np.ones(size, dtype=bool)
    mask = np.asarray(rows)
    if mask.dtype != bool or mask.shape != (size,):
        raise InputError(
            f"rows must say of each of the {size} decisions whether it is scored, True or False; "
            f"got {mask.dtype} of shape {mask.shape}"
        )
    return mask


def _count(by_action: Bool[np.ndarray, "A n"]) -> Int[np.ndarray, " n"]:
    """Of how many actions it is true; action by action, for sums over so short an axis are slow."""
    return reduce(np.add, by_action.astype(np.int64))


def difference(first: Score, second: Score) -> Difference:
    """How much better `first` predicts than `second`, paired by unit.

    Raises:
        InputError: The scores are not of the same decisions.
    """
    if first.by != second.by or not np.array_equal(first.decisions, second.decisions):
        raise InputError(
            f"scores of different decisions cannot be compared: {first.num_decisions} decisions in "
            f"{first.decisions.size} units ({first.by}) and {second.num_decisions} in "
            f"{second.decisions.size} ({second.by}). Score both on the same demonstrations"
        )
    return _difference(first.sums - second.sums, first.decisions)


def _difference(gain: Float[np.ndarray, " U"], decisions: Float[np.ndarray, " U"]) -> Difference:
    """The difference whose sums by unit are `gain`."""
    return Difference(
        mean=_ratio(gain, decisions),
        standard_error=ratio_error(gain, decisions),
        decisions=int(decisions.sum()),
        units=int((decisions > 0).sum()),
    )


def ratio_error(sums: Float[np.ndarray, " U"], sizes: Float[np.ndarray, " U"]) -> float:
    """Standard error of sum(sums) / sum(sizes) over independent units; NaN for fewer than two."""
    used = sizes > 0
    count = int(used.sum())
    if count < 2:
        return float("nan")
    rest = sums[used] - _ratio(sums, sizes) * sizes[used]
    return float(np.sqrt(count / (count - 1) * (rest**2).sum()) / sizes.sum())


def _ratio(sums: Float[np.ndarray, " U"], sizes: Float[np.ndarray, " U"]) -> float:
    """sum(sums) / sum(sizes), NaN where the latter is 0."""
    total = float(sizes.sum())
    return float(sums.sum()) / total if total > 0 else float("nan")
