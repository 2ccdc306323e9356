"""Is a relation between two series in time real? Nulls that keep what each does by itself.

Series of behaviour and of physiology drift, and a drift correlates with any other drift. A null
must therefore keep each series as it is, and break only what ties them together: shift one against
the other within each trajectory, or give each trajectory the series of another one. Many relations
asked at once are judged by the largest of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int, Shaped

from inverseq._core.arrays import freeze, require_finite, require_shape
from inverseq._core.errors import InputError

Statistic = Callable[[np.ndarray], np.ndarray]
"""From a series `[N]` to C numbers `[C]`."""


@dataclass(frozen=True, eq=False)
class NullComparison:
    """C statistics beside what they would be by chance.

    Attributes:
        observed: `[C]` of the data.
        mean: `[C]` under the null.
        deviation: `[C]` standard deviation under the null.
        p_values: `[C]` each by itself, two-sided where not asked otherwise: share of the null, the
            data counted in, that is as far from its mean (Phipson and Smyth 2010: never 0).
        adjusted: `[C]` corrected for asking C questions: share of the null whose *most extreme*
            statistic, in deviations, is as extreme (Westfall and Young 1993, single step). The
            chance of any false positive among all is at most the level.
    """

    observed: Float[np.ndarray, " C"]
    mean: Float[np.ndarray, " C"]
    deviation: Float[np.ndarray, " C"]
    p_values: Float[np.ndarray, " C"]
    adjusted: Float[np.ndarray, " C"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, *self.__dataclass_fields__)

    @property
    def deviations(self) -> Float[np.ndarray, " C"]:
        """Distance from the null's mean in its standard deviations; 0 where nothing varies."""
        return _standardised(self.observed, self.mean, self.deviation)


def circular_shift_null(
    statistic: Statistic,
    values: Shaped[np.ndarray, " N"],
    starts: Int[np.ndarray, " bounds"],
    *,
    permutations: int,
    seed: int,
) -> Float[np.ndarray, "R C"]:
    """A statistic of `values` shifted in time by chance, in a circle within each trajectory.

    Keeps every trajectory's values and, but for one seam, how they follow one another. All shifts
    are equally likely, none included, so that tests keep their level for series without trend.

    Args:
        statistic: Of a series `[N]`; what it is related to stays as it is.
        values: `[N]`.
        starts: `[T + 1]` bounds of the trajectories, as in `Demonstrations`.
        permutations: R.
        seed: Of the random choices.

    Raises:
        InputError: There are no permutations, or `starts` do not fit `values`.
    """
    _check(values, starts)
    orders = shift_orders(starts, permutations=permutations, seed=seed)
    return np.array([statistic(values[order]) for order in orders])


def permutation_null(
    statistic: Statistic,
    values: Shaped[np.ndarray, " N"],
    starts: Int[np.ndarray, " bounds"],
    *,
    permutations: int,
    seed: int,
) -> Float[np.ndarray, "R C"]:
    """A statistic of `values` where each trajectory has the series of another one.

    Keeps each series as a whole, trends along a trajectory included. Where lengths differ, a series
    is cut, or repeated from its beginning.

    Args:
        statistic: Of a series `[N]`; what it is related to stays as it is.
        values: `[N]`.
        starts: `[T + 1]` bounds of the trajectories, as in `Demonstrations`.
        permutations: R.
        seed: Of the random choices.

    Raises:
        InputError: There are no permutations, fewer than two trajectories, or `starts` do not fit
            `values`.
    """
    _check(values, starts)
    orders = exchange_orders(starts, permutations=permutations, seed=seed)
    return np.array([statistic(values[order]) for order in orders])


def shift_orders(
    starts: Int[np.ndarray, " bounds"], *, permutations: int, seed: int
) -> Iterator[Int[np.ndarray, " N"]]:
    """Rows as `circular_shift_null` puts them, once for each of the permutations.

    Raises:
        InputError: There are no permutations, or `starts` do not rise.
    """
    lengths = _lengths(starts, permutations)
    rng, base = np.random.default_rng(seed), np.repeat(starts[:-1], lengths)
    place, period = np.arange(starts[-1]) - base, np.repeat(lengths, lengths)
    return (
        base + (place + np.repeat(rng.integers(lengths), lengths)) % period
        for _ in range(permutations)
    )


def exchange_orders(
    starts: Int[np.ndarray, " bounds"], *, permutations: int, seed: int
) -> Iterator[Int[np.ndarray, " N"]]:
    """Rows as `permutation_null` puts them, once for each of the permutations.

    Raises:
        InputError: There are no permutations, fewer than two trajectories, or `starts` do not rise.
    """
    lengths = _lengths(starts, permutations)
    if lengths.size < 2:
        raise InputError("one trajectory cannot change places; use circular_shift_null")
    rng = np.random.default_rng(seed)
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)

    def orders() -> Iterator[Int[np.ndarray, " N"]]:
        for _ in range(permutations):
            other = np.repeat(rng.permutation(lengths.size), lengths)
            yield starts[other] + place % lengths[other]

    return orders()


def compare_with_null(
    observed: Float[np.ndarray, " C"],
    null: Float[np.ndarray, "R C"],
    sides: Literal["both", "above"] = "both",
) -> NullComparison:
    """How far C statistics are from what R shuffled data gave, each and all together.

    Args:
        observed: `[C]`.
        null: `[R, C]`, of `circular_shift_null` say.
        sides: Whether only statistics above the null count ("above": a share that is explained), or
            those below it too.

    Raises:
        InputError: Shapes differ, there are fewer than two shuffles, or a number is not finite.
    """
    require_shape(null, (len(null), len(observed)), "null", "R, C")
    if len(null) < 2:
        raise InputError(f"need 2 or more shuffles; got {len(null)}")
    require_finite(np.asarray(observed), "observed")
    require_finite(null, "null")
    # Moments of all alike: by those of the shuffles alone, which know nothing of the data, the data
    # would be the more extreme more often than by chance (with 99 shuffles of 30 normal series in
    # 7 of 100 tables at 5 %).
    pool = np.concatenate([np.asarray(observed)[None], null])
    moments = pool.mean(axis=0), pool.std(axis=0, ddof=1)
    here, there = _standardised(observed, *moments), _standardised(null, *moments)
    if sides == "both":
        here, there = np.abs(here), np.abs(there)
    slack = 1e-9  # rounding makes no shuffle less extreme than the data it equals
    share = lambda hits: (1 + hits.sum(axis=0)) / (len(null) + 1)  # noqa: E731
    return NullComparison(
        observed=np.asarray(observed),
        mean=null.mean(axis=0),
        deviation=null.std(axis=0, ddof=1),
        p_values=share(there >= here - slack),
        adjusted=share(there.max(axis=1, keepdims=True) >= here - slack),
    )


def adjust_p_values(
    p_values: Float[np.ndarray, " C"], method: Literal["holm", "bh"] = "holm"
) -> Float[np.ndarray, " C"]:
    """P-values corrected for C questions, where the nulls of all together are not at hand.

    Args:
        p_values: `[C]` in [0, 1].
        method: "holm" bounds the chance of any false positive (Holm 1979), whatever the questions
            have to do with one another; "bh" the expected share of false among all positives
            (Benjamini and Hochberg 1995), for independent or positively dependent ones.

    Raises:
        InputError: There is no such method, or a value is no probability.
    """
    if method not in ("holm", "bh"):
        raise InputError(f'method must be "holm" or "bh"; got {method!r}')
    given = np.asarray(p_values, dtype=np.float64)
    if not ((given >= 0) & (given <= 1)).all():
        raise InputError("p-values must lie between 0 and 1")
    order, count = np.argsort(given, kind="stable"), given.size
    rising = given[order]
    if method == "holm":
        rising = np.maximum.accumulate(rising * (count - np.arange(count)))
    else:
        falling = (rising * count / np.arange(1, count + 1))[::-1]
        rising = np.minimum.accumulate(falling)[::-1]
    made = np.empty(count)
    made[order] = np.minimum(rising, 1.0)
    return made


def _standardised(values: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """In standard deviations from the mean; 0 where nothing varies."""
    varies = deviation > 1e-12 * np.maximum(np.abs(mean), 1e-300)
    return np.where(varies, (values - mean) / np.where(varies, deviation, 1.0), 0.0)


def _check(values: Shaped[np.ndarray, " N"], starts: Int[np.ndarray, " bounds"]) -> None:
    """Raise an `InputError` where bounds are not those of the values."""
    if starts[-1] != len(values):
        raise InputError(f"starts must rise from 0 to the {len(values)} values; got {starts[:5]}")


def _lengths(starts: Int[np.ndarray, " bounds"], permutations: int) -> Int[np.ndarray, " T"]:
    """Rows of each trajectory."""
    if permutations < 1:
        raise InputError(f"permutations must be 1 or more; got {permutations}")
    lengths = np.diff(starts)
    if starts[0] != 0 or (lengths < 1).any():
        raise InputError(f"starts must rise from 0; got {starts[:5]}")
    return lengths
