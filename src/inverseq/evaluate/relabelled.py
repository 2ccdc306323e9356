"""Statistics of groups of animals under every other way to hand out their labels, or under many.

Labels are exchangeable if groups do not differ, so that the share of labellings with a statistic at
least as large is a p value that holds for any number of animals (Fisher 1935); with studentised
differences it also holds, in large groups, where only the spread differs (Janssen 1997). The
largest statistic over all comparisons gives p values that hold for all of them together (Westfall
and Young 1993); each is put on the scale of a normal distribution first, or comparisons that few
animals have, whose t varies wildly, would drown the others. Fits do not depend on labels: nothing
is fitted again.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations, islice, permutations, product
from math import comb, factorial, prod
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Num
from scipy.special import ndtri, stdtr

from inverseq.evaluate.design import Design, Kind, Values

_CELLS = 2_000_000
"""Numbers of one array of a batch of labellings: 16 MB."""

_SAME = 1e-9
"""Relative difference of two statistics that is put down to rounding."""

Pairs = Sequence[tuple[int, int]]
"""Numbers of the groups that are compared: the second less the first."""


class Relabelled(NamedTuple):
    """What labellings say.

    Attributes:
        p: `[K, C]` share of labellings whose difference is as large.
        corrected: `[K, C]` share of labellings whose largest difference is as large.
        number: Labellings looked at.
        exact: Whether these are all there are.
    """

    p: Float[np.ndarray, "K C"]
    corrected: Float[np.ndarray, "K C"]
    number: int
    exact: bool


def relabel(design: Design, values: Values, pairs: Pairs, most: int, seed: int) -> Relabelled:
    """The test of every pair of groups and every number; NaN where too few animals have it.

    Args:
        design: Which labels may be exchanged: those of animals, or those of the parts of each.
        values: `[n, L, C]`.
        pairs: K pairs of groups.
        most: Labellings at most; up to here all are looked at, beyond as many are drawn.
        seed: Of those drawn.
    """
    spread = np.nanstd(values, axis=(0, 1), keepdims=True)
    middle = np.nanmean(values, axis=(0, 1), keepdims=True)
    unit = (values - middle) / np.where(spread > 0, spread, 1.0)
    within = design.kind is Kind.WITHIN
    statistics = _paired if within else _unpaired
    total = _count_within(design) if within else _count_between(design)
    exact = total <= most
    all_of = _all_within if within else _all_between
    drawn = _drawn_within if within else _drawn_between
    labellings = all_of(design) if exact else drawn(design, most, seed)
    own = _as_seen(design) if within else design.group
    observed = statistics(unit, own[None], pairs)[0]
    large, largest = np.zeros(observed.shape), np.zeros(observed.shape)
    least = observed * (1 - _SAME)
    batch = max(1, _CELLS // max(unit.size, observed.size))
    while rows := [*islice(labellings, batch)]:
        found = statistics(unit, np.stack(rows), pairs)
        # Where a labelling leaves a group too few animals with the number, it speaks against us.
        large += (np.isnan(found) | (found >= least)).sum(axis=0)
        top = np.nanmax(found, axis=(1, 2), initial=0.0)
        largest += (top[:, None, None] >= least).sum(axis=0)
    # The labelling of the table is one of all, and is added to those drawn.
    extra, number = (0, total) if exact else (1, most)
    unknown = np.isnan(observed)
    p, corrected = (
        np.where(unknown, np.nan, (n + extra) / (number + extra))
        for n in (large, np.maximum(large, largest))
    )
    return Relabelled(p, corrected, number, exact)


def smallest_p(design: Design, made: Relabelled) -> float:
    """No p value of two sides can be smaller than this with so few animals and labellings."""
    if not made.exact:
        return 1 / (made.number + 1)
    # Two groups of one size may change places, which changes only the sign.
    mirrored = design.kind is Kind.WITHIN or len(set(design.sizes)) < len(design.sizes)
    return (2 if mirrored else 1) / made.number


def _unpaired(
    values: Values, labels: Int[np.ndarray, "P n"], pairs: Pairs
) -> Float[np.ndarray, "P K C"]:
    """Size of Welch's t of each pair, with whichever animals have the number."""
    each = values[:, 0]
    seen = np.isfinite(each)
    known = np.where(seen, each, 0.0)
    seen = seen.astype(np.float64)
    groups = sorted({g for pair in pairs for g in pair})
    size, mean, error = {}, {}, {}
    for g in groups:
        member = (labels == g).astype(np.float64)
        count, sums, squares = member @ seen, member @ known, member @ known**2
        size[g], mean[g] = count, sums / np.maximum(count, 1)
        rest = np.maximum(squares - count * mean[g] ** 2, 0.0) / np.maximum(count - 1, 1)
        error[g] = rest / np.maximum(count, 1)
    made = [
        _score(
            mean[b] - mean[a],
            error[a] + error[b],
            np.where((size[a] > 1) & (size[b] > 1), size[a] + size[b] - 2, 0),
        )
        for a, b in pairs
    ]
    return np.stack(made, axis=1)


def _paired(
    values: Values, levels: Int[np.ndarray, "P n G"], pairs: Pairs
) -> Float[np.ndarray, "P K C"]:
    """Size of the paired t of each pair of levels."""
    rows = np.arange(len(values))
    made = []
    for a, b in pairs:
        rest = values[rows, levels[:, :, b]] - values[rows, levels[:, :, a]]
        seen = np.isfinite(rest)
        count = seen.sum(axis=1)
        mean = np.where(seen, rest, 0.0).sum(axis=1) / np.maximum(count, 1)
        around = np.where(seen, rest - mean[:, None], 0.0)
        variance = (around**2).sum(axis=1) / np.maximum(count - 1, 1)
        made.append(_score(mean, variance / np.maximum(count, 1), np.maximum(count - 1, 0)))
    return np.stack(made, axis=1)


def _score(
    mean: Float[np.ndarray, "*P C"],
    variance: Float[np.ndarray, "*P C"],
    degrees: Num[np.ndarray, "*P C"],
) -> Float[np.ndarray, "*P C"]:
    """A mean over its standard error, without sign, as a normal variable as rare as this t; large
    where nothing varies but the groups, NaN without degrees of freedom.
    """
    t = np.abs(mean) / np.sqrt(np.maximum(variance, 1e-24))
    chance = stdtr(np.where(degrees > 0, degrees, np.nan), -t)
    return -ndtri(np.maximum(chance, 1e-300))


def _count_between(design: Design) -> int:
    """Ways to hand out the labels of groups."""
    left, total = len(design.animals), 1
    for size in design.sizes:
        total, left = total * comb(left, size), left - size
    return total


def _count_within(design: Design) -> int:
    """Ways to hand out the labels within each animal."""
    return prod([factorial(len(design.levels))] * len(design.animals))


def _all_between(design: Design) -> Iterator[Int[np.ndarray, " n"]]:
    """Every way, each once."""

    def fill(labels: np.ndarray, free: tuple[int, ...], g: int) -> Iterator[np.ndarray]:
        if g == len(design.levels) - 1:
            labels[list(free)] = g
            yield labels.copy()
            return
        for chosen in combinations(free, design.sizes[g]):
            labels[list(chosen)] = g
            yield from fill(labels, tuple(i for i in free if i not in chosen), g + 1)

    count = len(design.animals)
    return fill(np.zeros(count, dtype=np.int64), tuple(range(count)), 0)


def _all_within(design: Design) -> Iterator[Int[np.ndarray, "n G"]]:
    """Every way, each once."""
    orders = [*permutations(range(len(design.levels)))]
    return map(np.array, product(orders, repeat=len(design.animals)))


def _drawn_between(design: Design, number: int, seed: int) -> Iterator[Int[np.ndarray, " n"]]:
    """Ways drawn at random."""
    rng = np.random.default_rng(seed)
    return (rng.permutation(design.group) for _ in range(number))


def _drawn_within(design: Design, number: int, seed: int) -> Iterator[Int[np.ndarray, "n G"]]:
    """Ways drawn at random."""
    rng = np.random.default_rng(seed)
    return (rng.permuted(_as_seen(design), axis=1) for _ in range(number))


def _as_seen(design: Design) -> Int[np.ndarray, "n G"]:
    """The labels of the table within each animal."""
    return np.tile(np.arange(len(design.levels)), (len(design.animals), 1))
