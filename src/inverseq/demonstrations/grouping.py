"""Trajectories that belong together: what is held out, or drawn, as one."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from inverseq._core.errors import InputError, argument

CUT_FROM = "cut_from"
"""Column with the trajectory that a block was cut from."""


def unit_numbers(
    trajectories: Mapping[str, np.ndarray], number: int, by: str
) -> Int[np.ndarray, " T"]:
    """The unit of each of `number` trajectories, by a column of theirs or each its own.

    Raises:
        InputError: There is no such column.
    """
    return named_units(trajectories, number, by)[0]


def named_units(
    trajectories: Mapping[str, np.ndarray], number: int, by: str
) -> tuple[Int[np.ndarray, " T"], tuple[str, ...]]:
    """The unit of each of `number` trajectories, and what units are called.

    Trajectories have no names: their labels may begin anew in every file.

    Raises:
        InputError: There is no such column.
    """
    if by == "trajectory":
        return np.arange(number), ()
    # Sessions of two subjects may carry the same number: a session belongs to its subject.
    columns = ["subject", by] if by == "session" and "subject" in trajectories else [by]
    if by not in trajectories:
        raise InputError(
            f"cannot group by {by}: no such column; there are trajectory and {[*trajectories]}"
        )
    parts = zip(*(trajectories[c] for c in columns), strict=True)
    keys = np.array(["\x1f".join(map(str, part)) for part in parts])
    names, units = np.unique(keys, return_inverse=True)
    return units, tuple(name.replace("\x1f", ", ") for name in names.tolist())


def parts_of(column: str, demonstrations: Any, by: str) -> int:
    """Of how many of a column's trajectories or subjects the units of `Demonstrations` are parts;
    0 where each is whole.
    """
    if column not in demonstrations.trajectories:
        return 0
    whole, units = (int(demonstrations.units(each).max()) + 1 for each in (column, by))
    return whole if units > whole else 0


def idle_units(demonstrations: Any, by: str) -> tuple[str, ...]:
    """Names of the units of `Demonstrations` in which no action is known (numbers of trajectories).

    Raises:
        InputError: There is no such column.
    """
    units, own = demonstrations.units(by), demonstrations.trajectory_of
    acted = np.bincount(units[own], weights=demonstrations.acted)
    names = demonstrations.trajectories.get(by, np.arange(1, units.size + 1))
    firsts = np.unique(units, return_index=True)[1]
    return tuple(str(names[firsts[unit]]) for unit in np.flatnonzero(acted == 0))


def shuffled(units: Int[np.ndarray, " T"], by: str, seed: int) -> Int[np.ndarray, " T"]:
    """A random rank of each trajectory's unit.

    Raises:
        InputError: There is only one unit.
    """
    count = int(units.max()) + 1
    if count < 2:
        raise InputError(
            f"there is only one {by}: nothing can be held out. Add trajectories, group by "
            f"something finer, or cut them into blocks: {argument('blocks', 20)}"
        )
    return np.random.default_rng(seed).permutation(count)[units]


def held_out(
    units: Int[np.ndarray, " T"], test: float, by: str, seed: int
) -> Bool[np.ndarray, " T"]:
    """Which trajectories are of units that are held out: at least one unit, never all.

    Raises:
        InputError: `test` is no share, or there is only one unit.
    """
    if not 0 < test < 1:
        raise InputError(f"test must be a share between 0 and 1; got {test}")
    rank = shuffled(units, by, seed)
    count = int(rank.max()) + 1
    return rank < min(max(round(test * count), 1), count - 1)
