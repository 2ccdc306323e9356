"""What intentions go with: their shares by the values of each column of the table."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Num

from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.grouping import unit_numbers

STAGE = "stage"
"""Name of the column that says which third of its trajectory a decision lies in."""

_STAGES = ("first third", "second third", "last third")
_MOST_VALUES = 12
_DRAWS = 399
_NAMES = frozenset({"trajectory", "row", "part"})
"""Columns that name and do not describe."""


@dataclass(frozen=True, eq=False)
class Crossed:
    """Intentions by the V values of one column of the table.

    Attributes:
        column: Its name; "stage" for thirds of a trajectory.
        values: Names of its values, or of intervals of numbers.
        decisions: `[V]` decisions of each.
        shares: `[V, K]` share of each intention among them.
        distance: Mean total variation between these shares and those of all decisions, from 0.
        p_value: How often a shuffled column is as far away.
    """

    column: str
    values: tuple[str, ...]
    decisions: Int[np.ndarray, " V"]
    shares: Float[np.ndarray, "V K"]
    distance: float
    p_value: float


def crossed(
    data: Demonstrations, smoothed: Float[np.ndarray, "N K"], seed: int
) -> tuple[Crossed, ...]:
    """Shares of the intentions by the values of each column that has few, the strongest first.

    How surely a column and the intentions belong together is asked by 399 shuffles. What is the
    same in all of a trajectory is dealt out anew among subjects where it is the same in all of a
    subject, else among trajectories; a column per decision is turned in a circle within each
    trajectory, which keeps what it is in itself.
    """
    rng, acted = np.random.default_rng(seed), np.flatnonzero(data.acted)
    beliefs, trajectory = smoothed[acted], data.trajectory_of[acted]
    found = []
    for name, values in data.trajectories.items():
        names, code = np.unique(values, return_inverse=True)
        if name in _NAMES or not 2 <= names.size <= _MOST_VALUES:
            continue
        unit = _unit_of(data, code)
        first = np.unique(unit, return_index=True)[1]
        sums = _sums(unit[trajectory], beliefs, first.size)
        sizes = np.bincount(unit[trajectory], minlength=first.size)
        draws = [_distance(rng.permutation(code[first]), sums, sizes) for _ in range(_DRAWS)]
        real = _distance(code[first], sums, sizes)
        found.append(_crossed(name, names, code[trajectory], beliefs, real, draws))
    for name, names, code in _by_decision(data):
        mine = code[acted]
        if np.unique(mine).size < 2:
            continue
        ones = np.ones(acted.size)
        draws = [_distance(_turned(mine, trajectory, rng), beliefs, ones) for _ in range(_DRAWS)]
        real = _distance(mine, beliefs, ones)
        found.append(_crossed(name, names, mine, beliefs, real, draws))
    return tuple(sorted(found, key=lambda each: -each.distance))


def _unit_of(data: Demonstrations, code: Int[np.ndarray, " T"]) -> Int[np.ndarray, " T"]:
    """What is dealt out: subjects where the column is the same in all of each, or trajectories."""
    if "subject" in data.trajectories:
        unit = unit_numbers(data.trajectories, data.num_trajectories, "subject")
        if np.unique(np.stack([unit, code]), axis=1).shape[1] == unit.max() + 1:
            return unit
    return np.arange(data.num_trajectories)


def _by_decision(
    data: Demonstrations,
) -> Iterator[tuple[str, np.ndarray, Int[np.ndarray, " N"]]]:
    """Columns per decision that have few values, or many numbers, which are put into thirds."""
    length = np.diff(data.starts)[data.trajectory_of]
    yield STAGE, np.array(_STAGES), 3 * data.step // length
    for name, values in data.decisions.items():
        if name in _NAMES:
            continue
        names, code = np.unique(values, return_inverse=True)
        if 2 <= names.size <= _MOST_VALUES:
            yield name, names, code
        elif names.size > _MOST_VALUES and values.dtype.kind in "iuf":
            ends = np.unique(np.nanquantile(values, [1 / 3, 2 / 3]))
            edges = [f"{end:g}" for end in ends]
            spans = [f"up to {edges[0]}", *map("{} to {}".format, edges, edges[1:])]
            yield name, np.array([*spans, f"above {edges[-1]}"]), np.searchsorted(ends, values)


def _crossed(
    name: str,
    names: np.ndarray,
    code: Int[np.ndarray, " M"],
    beliefs: Float[np.ndarray, "M K"],
    real: float,
    draws: list[float],
) -> Crossed:
    """The record of one column; values without a decision are left out."""
    decisions = np.bincount(code, minlength=names.size)
    there = decisions > 0
    shares = _sums(code, beliefs, names.size)[there] / decisions[there][:, None]
    p_value = (1 + sum(draw >= real - 1e-12 for draw in draws)) / (1 + len(draws))
    kept = tuple(str(value) for value in names[there])
    return Crossed(name, kept, decisions[there], shares, real, p_value)


def _turned(
    code: Int[np.ndarray, " M"], trajectory: Int[np.ndarray, " M"], rng: np.random.Generator
) -> Int[np.ndarray, " M"]:
    """Each trajectory's values, moved in a circle by a number of its own."""
    size = np.bincount(trajectory)
    start = np.cumsum(size) - size
    by = rng.integers(0, np.maximum(size, 1))
    place = np.arange(code.size) - start[trajectory]
    return code[start[trajectory] + (place + by[trajectory]) % size[trajectory]]


def _distance(
    code: Int[np.ndarray, " M"], sums: Float[np.ndarray, "M K"], sizes: Num[np.ndarray, " M"]
) -> float:
    """Mean total variation between the shares at a decision's value and those of all."""
    values = int(code.max()) + 1
    mine, size = _sums(code, sums, values), np.bincount(code, sizes, values)
    expected = size[:, None] * (sums.sum(axis=0) / sizes.sum())
    return float(np.abs(mine - expected).sum() / 2 / sizes.sum())


def _sums(
    code: Int[np.ndarray, " M"], weights: Float[np.ndarray, "M K"], values: int
) -> Float[np.ndarray, "V K"]:
    """Sums of the rows of each value."""
    return np.stack([np.bincount(code, column, values) for column in weights.T], axis=1)
