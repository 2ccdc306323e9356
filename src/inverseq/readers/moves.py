"""Actions made of successive positions, where a table has none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from inverseq.readers import numbering
from inverseq.readers.columns import Column
from inverseq.readers.order import Order

MOVES = "moves"
"""Stands for: the action is where one went next."""

_COMPASS = {
    (0, 1): "N",
    (1, 1): "NE",
    (1, 0): "E",
    (1, -1): "SE",
    (0, -1): "S",
    (-1, -1): "SW",
    (-1, 0): "W",
    (-1, 1): "NW",
}


@dataclass(frozen=True, eq=False)
class Moves:
    """Visits to places, each left by a move.

    Attributes:
        order: The first row of each visit, in the order of trajectories.
        ended: `[N]` whether the world ended the trajectory after the visit that begins in a row.
        actions: `[N]` the move from the visit that begins in a row of the table; -1 for none.
        names: Names of the moves.
        jumps: Moves that pass over a place, which are no actions.
    """

    order: Order
    ended: Bool[np.ndarray, " N"]
    actions: Int[np.ndarray, " N"]
    names: tuple[str, ...]
    jumps: int


def moves_between(
    places: Sequence[Column], order: Order, ended: Bool[np.ndarray, " N"], upwards: bool
) -> Moves:
    """Visits and moves of a table of positions; rows that stay where the last was are one visit.

    Two columns of whole numbers or intervals are a map: moves are the points of the compass, and
    what passes over a place is none. One such column is a line with "lower" and "higher". Moves
    between places with names are called by the place they lead to.

    Args:
        places: Columns of the state, all present.
        order: The rows as trajectories.
        ended: `[N]` whether the world ended the trajectory after a row.
        upwards: Whether the second column counts towards the north.
    """
    codes = np.stack([column.values for column in places], axis=1)[order.rows].astype(np.int64)
    breaks = order.last | order.late | ended[order.rows]
    stays = ~breaks[:-1] & (codes[1:] == codes[:-1]).all(axis=1)
    begins = np.flatnonzero(np.append(True, ~stays))
    ends = np.append(begins[1:] - 1, order.rows.size - 1)
    time = None if order.time is None else order.time[begins]
    rows = order.rows[begins]
    visits = Order(rows, order.number[begins], time, order.late[ends])
    over = np.zeros_like(ended)
    over[rows] = ended[order.rows[ends]]
    leaves = ~breaks[ends]
    counted = all(column.words is None or column.ordered for column in places)
    steps = (
        np.diff(codes[begins], axis=0, append=codes[begins[:1]])
        * (1, 1 if upwards else -1)[: codes.shape[1]]
    )
    if counted and codes.shape[1] == 2:
        told = [_COMPASS.get((x, y), "") for x, y in steps.tolist()]
    elif counted and codes.shape[1] == 1:
        told = ["higher" if step > 0 else "lower" for (step,) in steps.tolist()]
    else:
        joined = places[0] if len(places) == 1 else numbering.joined(places)
        told = [f"to {joined.text(row)}" for row in np.roll(rows, -1).tolist()]
    moved = np.where(leaves, told, "")
    names = [name for name in _COMPASS.values() if name in moved]
    names += sorted({*moved.tolist()} - {"", *names})
    place = {name: number for number, name in enumerate(names)}
    actions = np.full(ended.size, -1)
    actions[rows] = [place.get(name, -1) for name in moved.tolist()]
    jumps = int((leaves & (moved == "")).sum())
    return Moves(visits, over, actions, tuple(names), jumps)
