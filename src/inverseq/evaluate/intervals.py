"""Intervals of what a bootstrap found, by percentiles, or of a covariance between units.

They are widened for few units as Hesterberg 2015 ("What teachers should know about the bootstrap",
The American Statistician 69) advises: with nine animals the plain ones are too narrow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse
from scipy.special import ndtr, stdtrit

from inverseq._core.arrays import require_shape
from inverseq._core.errors import InputError
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.solution import Solution

MOST_OF_PRIOR = 0.1
"""Share of the variance that a prior may bring in: up to here intervals hold the truth as often as
they say, whatever it is (docs/studies/honesty.md)."""


@dataclass(frozen=True, eq=False)
class Interval:
    """An estimate and the percentile interval around it, widened for few units.

    Attributes:
        estimate: What the data themselves give.
        low: Lower end.
        high: Upper end.
        level: How often such intervals should hold the truth.
        prior_share: Share of the variance that a prior brings in alone: a Gaussian one of weights,
            or one of decisions, by actions of which it says more than the data do (with the usual
            smoothing, those never taken). Above `MOST_OF_PRIOR` the prior says how long the
            interval is, and it is too short where the truth is far from what the prior expects. 0
            where the prior does not matter; NaN where the solver has none that can be drawn.
    """

    estimate: Float[np.ndarray, "..."]
    low: Float[np.ndarray, "..."]
    high: Float[np.ndarray, "..."]
    level: float
    prior_share: Float[np.ndarray, "..."] = field(default_factory=lambda: np.asarray(np.nan))


@dataclass(frozen=True, eq=False)
class Bootstrap:
    """What R fits to resampled data found.

    Attributes:
        estimate: The fit to the data themselves.
        by: What was resampled.
        units: How many of these there are.
        seed: Which random choice.
        level: Of the intervals, unless asked otherwise.
        converged: `[R]` whether each fit did.
        rewards: `[R, S, A]`, or None where only contrasts were kept, the solver has no table of
            rewards, or there are several intentions.
        parameters: Each free parameter of the solver, `[R, ...]`; of several intentions, those of
            the law of switching.
        contrasts: Value of each contrast that was asked for by name, `[R]`, and under it, in
            `estimates`, the value of the data.
        estimates: The contrasts of the data.
        intentions: Of several intentions, the rewards and parameters of each.
        prior: The first replicates once more, but that the data stay as they are, and only what a
            prior expects is drawn (of decisions, where it says more than the data do); None where
            the solver has none that can be drawn.
    """

    estimate: Explanation
    by: str
    units: int
    seed: int
    level: float
    converged: Bool[np.ndarray, " R"]
    rewards: Float[np.ndarray, "R S A"] | None = None
    parameters: Mapping[str, Float[np.ndarray, "R ..."]] = field(default_factory=dict)
    contrasts: Mapping[str, Float[np.ndarray, " R"]] = field(default_factory=dict)
    estimates: Mapping[str, float] = field(default_factory=dict)
    intentions: "tuple[Bootstrap, ...]" = ()
    prior: "Bootstrap | None" = None


@dataclass(frozen=True, eq=False)
class Sandwich:
    """How sure a fit is by the curvature of its likelihood.

    Attributes:
        estimate: The fit.
        by: What the units are.
        units: How many of these there are.
        level: Of the intervals, unless asked otherwise.
        name: The parameter that was found.
        covariance: `[F, F]` of its numbers.
        prior: `[F, F]` what of this the prior brings in.
        reward: `[S * A, F]` by how much each changes the reward.
    """

    estimate: Solution
    by: str
    units: int
    level: float
    name: str
    covariance: Float[np.ndarray, "F F"]
    prior: Float[np.ndarray, "F F"]
    reward: sparse.csr_array


def interval(
    made: Bootstrap | Sandwich,
    contrast: Float[np.ndarray, "S A"] | str | None = None,
    *,
    level: float | None = None,
) -> Interval:
    """The interval of the reward, of a contrast of it, or of a parameter.

    Of a bootstrap, the ends are quantiles of the replicates, a little further out than `level`
    says: at Phi(-sqrt(U / (U - 1)) t), with t of Student's distribution of U - 1 degrees, for U
    units. With many units these are the plain percentiles. Of a `sandwich`, they are equally far
    out in a normal distribution: sqrt(U / (U - 1)) t standard errors away.

    Args:
        made: By `bootstrap` or `sandwich`.
        contrast: `[S, A]` weights, for their sum with the reward; a name, for a contrast that was
            kept or a parameter of the solver; None for every entry of the reward.
        level: How often it should hold the truth; that of the bootstrap where left out.

    Raises:
        InputError: The rewards were not kept, or there is nothing of that name.
    """
    if not isinstance(made, Bootstrap | Sandwich):
        raise InputError(
            "interval takes what inverseq.bootstrap or inverseq.sandwich returned; got a "
            f"{type(made).__name__}"
        )
    level = made.level if level is None else level
    check_level(level)
    if isinstance(made, Sandwich):
        return _normal(made, contrast, level)
    if made.intentions and not isinstance(contrast, str):
        raise InputError(
            "several intentions have rewards of their own: ask interval(made.intentions[0], ...), "
            f"or for one of {[*made.parameters]} by name"
        )
    estimate, draws = _drawn(made, contrast)
    found = percentiles(estimate, draws, made.units, level)
    if made.prior is None:
        return found
    alone = _drawn(made.prior, contrast)[1]
    same = draws[: len(alone)]  # the same draws of the prior, beside those of the units
    share = _share(np.asarray(alone.var(axis=0)), np.asarray(same.var(axis=0)))
    return replace(found, prior_share=share)


def _share(
    part: Float[np.ndarray, "*shape"], total: Float[np.ndarray, "*shape"]
) -> Float[np.ndarray, "*shape"]:
    """Of variances; 0 of a reward that has none, being 0 by the gauge."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.minimum(np.nan_to_num(part / total, nan=0.0), 1.0))


def _drawn(
    made: Bootstrap, contrast: Float[np.ndarray, "S A"] | str | None
) -> tuple[np.ndarray, np.ndarray]:
    """Estimate and replicates of what was asked for.

    Raises:
        InputError: As `interval`.
    """
    if isinstance(contrast, str):
        estimate, draws = _named(made, contrast)
    elif made.rewards is None or (known := made.estimate.intentions[0].reward) is None:
        known = [*made.contrasts, *made.parameters]
        raise InputError(
            f"rewards were not kept; ask for one of {known} by name"
            if known
            else f"{made.estimate.solver} found neither a reward nor parameters to be sure of"
        )
    elif contrast is None:
        estimate, draws = known, made.rewards
    else:
        require_shape(contrast, made.rewards.shape[1:], "contrast", "S, A")
        weights = np.asarray(contrast, dtype=np.float64)
        estimate = np.asarray((weights * known).sum())
        draws = np.tensordot(made.rewards, weights, axes=2)
    return estimate, draws


def percentiles(
    estimate: Float[np.ndarray, "*shape"],
    draws: Float[np.ndarray, "R *shape"],
    units: int,
    level: float,
) -> Interval:
    """The interval between the percentiles of R draws, widened for few units as in `interval`."""
    outside = ndtr(-_reach(units, level))
    low, high = np.quantile(draws, [outside, 1 - outside], axis=0)
    return Interval(np.asarray(estimate), np.asarray(low), np.asarray(high), level)


def interquartile_mean(
    scores: Float[np.ndarray, "R *T"], *, level: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Interval:
    """Mean of the middle half of the scores of R runs, and a bootstrap interval over the runs.

    Agarwal, Schwarzer, Castro, Courville and Bellemare, "Deep Reinforcement Learning at the Edge of
    the Statistical Precipice" (NeurIPS 2021): with a handful of runs neither a lucky nor a broken
    one decides. Of several tasks runs are drawn within each, and the middle half is of all scores.

    Args:
        scores: `[R]` of one task, or `[R, T]` of T tasks on one scale.
        level: How often such intervals should hold the truth.
        resamples: Of the bootstrap.
        seed: Which random choice.

    Returns:
        The interval; of a single run its ends are NaN.

    Raises:
        InputError: A score is no number, or `level` no share.
    """
    check_level(level)
    if scores.size == 0 or not np.isfinite(scores).all():
        raise InputError("give the scores of one run or more, each a number")
    from scipy.stats import trim_mean  # takes half a second to load

    table = scores.reshape(len(scores), -1)
    runs, tasks = table.shape
    estimate = np.asarray(trim_mean(table.ravel(), 0.25))
    if runs == 1:
        return Interval(estimate, np.asarray(np.nan), np.asarray(np.nan), level)
    drawn = np.random.default_rng(seed).integers(runs, size=(resamples, runs, tasks))
    picked = table[drawn, np.arange(tasks)].reshape(resamples, -1)
    return percentiles(estimate, trim_mean(picked, 0.25, axis=1), runs, level)


def _normal(
    made: Sandwich, contrast: Float[np.ndarray, "S A"] | str | None, level: float
) -> Interval:
    """The interval by a covariance."""
    found, both = made.estimate.reward, (made.covariance, made.prior)
    assert found is not None  # what has a covariance has a reward
    if isinstance(contrast, str):
        if contrast != made.name:
            raise InputError(f"nothing is named {contrast!r}; there is {made.name!r}")
        estimate = np.asarray(made.estimate.parameters[contrast])
        variance, brought = (np.diagonal(c).reshape(estimate.shape) for c in both)
    elif contrast is None:
        estimate = found
        spread = (made.reward.multiply(made.reward @ c) for c in both)
        variance, brought = (np.asarray(s.sum(axis=1)).reshape(found.shape) for s in spread)
    else:
        require_shape(contrast, found.shape, "contrast", "S, A")
        weights = made.reward.T @ np.asarray(contrast, dtype=np.float64).ravel()
        estimate = np.asarray((contrast * found).sum())
        variance, brought = (np.asarray(weights @ c @ weights) for c in both)
    away = _reach(made.units, level) * np.sqrt(np.maximum(variance, 0.0))
    low, high = np.asarray(estimate - away), np.asarray(estimate + away)
    return Interval(estimate, low, high, level, _share(brought, variance))


def _reach(units: int, level: float) -> float:
    """How many standard errors the ends are away, for so few units."""
    return float(-np.sqrt(units / (units - 1)) * stdtrit(units - 1, (1 - level) / 2))


def _named(made: Bootstrap, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Estimate and draws of a contrast or a parameter."""
    if name in made.contrasts:
        return np.asarray(made.estimates[name]), made.contrasts[name]
    if name in made.parameters:
        return np.asarray(made.estimate.parameters[name]), made.parameters[name]
    raise InputError(f"nothing is named {name!r}; there are {[*made.contrasts, *made.parameters]}")


def check_level(level: float) -> None:
    """Raise an `InputError` unless `level` is a share."""
    if not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, 0.95 for example; got {level}")
