"""Which rows of a table make a trajectory, and in what order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from inverseq._core.errors import InputError, argument
from inverseq.readers.columns import Column, as_times

SLACK = 1 + 1e-9
"""Sums of decimal steps (0.1 + 0.2) shall not count as later than their own length."""


@dataclass(frozen=True, eq=False)
class Order:
    """The rows of a table as trajectories.

    Attributes:
        rows: `[N]` rows of the table (0 is the first), trajectory after trajectory in time order;
            the trajectories in the order in which the table first names them.
        number: `[N]` trajectory of each of `rows`, from 0.
        time: `[N]` time of each of `rows`, or None.
        late: `[N]` whether the next of `rows` is of the same trajectory but does not go on from
            this one: too much later, or behind a hole.
    """

    rows: Int[np.ndarray, " N"]
    number: Int[np.ndarray, " N"]
    time: Float[np.ndarray, " N"] | None
    late: Bool[np.ndarray, " N"]

    def of(self, values: Shaped[np.ndarray, "M *D"]) -> Shaped[np.ndarray, "N *D"]:
        """Values of M rows of the table at the rows of trajectories, in their order."""
        same = self.time is None and len(values) == len(self.rows)
        return values if same else values[self.rows]

    def broken(self, holes: Bool[np.ndarray, " M"]) -> "Order":
        """The same with holes behind some rows of the table."""
        return replace(self, late=self.late | (holes[self.rows] & ~self.last))

    @property
    def last(self) -> Bool[np.ndarray, " N"]:
        """Whether each of `rows` is the last of its trajectory."""
        return np.append(self.number[1:] != self.number[:-1], True)

    @property
    def firsts(self) -> Int[np.ndarray, " T"]:
        """Row of the table with which each trajectory begins."""
        return self.rows[np.append(True, self.last[:-1])]

    def changing_row(self, column: Column) -> int | None:
        """The first row at which a column differs from the beginning of its trajectory, or None."""
        values, missing = self.of(column.values), self.of(column.missing)
        differs = (values[1:] != values[:-1]) | (missing[1:] != missing[:-1])
        differs &= ~self.last[:-1]
        return int(self.rows[1 + np.argmax(differs)]) if differs.any() else None


def put_in_order(
    labels: Sequence[Column], time: Column | None, size: int, longest_step: float | None
) -> Order:
    """Group rows that agree in all of `labels` and sort them by time.

    Args:
        labels: Columns of subject, session and trajectory, as far as there are any.
        time: Column of the time, or None.
        size: N, rows of the table.
        longest_step: Largest difference of time between rows that go on from each other, or None.

    Raises:
        InputError: A label or time is empty, rows without a time do not stand together, or the
            order of equal times is ambiguous.
    """
    # Rows that stand together are numbered together: there are far fewer such runs than rows.
    begins = np.append(True, np.zeros(size - 1, dtype=bool))
    for column in labels:
        _require_label(column)
        begins[1:] |= column.values[1:] != column.values[:-1]
    first_rows = np.flatnonzero(begins)
    run = np.zeros(first_rows.size, dtype=np.int64)
    for column in labels:
        _, code = np.unique(column.values[first_rows], return_inverse=True)
        run = np.unique(run * (int(code.max()) + 1) + code, return_inverse=True)[1]
    _, first = np.unique(run, return_index=True)
    rank = np.empty(first.size, dtype=np.int32)
    rank[np.argsort(first)] = np.arange(first.size)
    group = np.repeat(rank[run], np.diff(np.append(first_rows, size)))
    if time is None:
        if longest_step is not None:
            raise InputError(f"longest_step needs a time column; name it with {argument('time')}")
        _require_together(group, labels)
        return Order(np.arange(size, dtype=np.int64), group, None, np.zeros(size, dtype=bool))
    seconds = _times(time)
    rows = np.lexsort((np.arange(size), seconds, group))
    _require_unambiguous(group, seconds, rows, time, labels)
    same = np.append(group[rows][1:] == group[rows][:-1], False)
    late = np.zeros(size, dtype=bool)
    if longest_step is not None:
        late[:-1] = same[:-1] & (np.diff(seconds[rows]) > longest_step * SLACK)
    return Order(rows, group[rows], seconds[rows], late)


def previous_decisions(
    order: Order, acted: Bool[np.ndarray, " N"], ended: Bool[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """Row of the last decision before each row of the table; -1 where there is none.

    Args:
        order: The trajectories; nothing is remembered beyond one, nor across a gap in it.
        acted: `[N]` whether each row of the table has an action.
        ended: `[N]` whether the world ended something after each row of the table.
    """
    size = order.rows.size
    place = np.arange(size)
    breaks = order.last | order.late | ended[order.rows]
    begin = np.maximum.accumulate(np.where(np.append(True, breaks[:-1]), place, 0))
    latest = np.maximum.accumulate(np.where(acted[order.rows], place, -1))
    before = np.append(-1, latest[:-1])
    previous = np.full(acted.size, -1, dtype=np.int64)
    previous[order.rows] = np.where(before >= begin, order.rows[before], -1)
    return previous


def _require_label(column: Column) -> None:
    """Raise where a row does not say whose it is."""
    if column.missing.any():
        row = int(np.argmax(column.missing))
        raise InputError(
            f"{column.place(row)} is empty ({int(column.missing.sum())} such "
            "rows); it says which trajectory a row belongs to. Fill it in"
        )


def _times(time: Column) -> Float[np.ndarray, " N"]:
    """Finite times of all rows."""
    column = as_times(time)
    bad = column.missing | ~np.isfinite(column.values)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{time.place(row)}: the time is {time.text(row)} "
            f"({int(bad.sum())} such rows). Fill it in, or take the order of the table: "
            f"{argument('time', None)}"
        )
    return column.values


def _require_together(group: np.ndarray, labels: Sequence[Column]) -> None:
    """Raise where another trajectory stands between the rows of one."""
    begins = np.flatnonzero(np.append(True, group[1:] != group[:-1]))
    seen = np.zeros(int(group.max()) + 1, dtype=np.int64)
    np.add.at(seen, group[begins], 1)
    if (seen > 1).any():
        returns = begins[np.cumsum(seen[group[begins]] > 1) > 1]
        back = next(row for row in returns if (group[:row] == group[row]).any())
        raise InputError(
            f"row {back + 1} returns to {_whose(labels, int(back))} after rows of another "
            "trajectory, and no column says in what order rows belong. Name a time column with "
            f"{argument('time')}, or sort the table"
        )


def _require_unambiguous(
    group: np.ndarray,
    seconds: np.ndarray,
    rows: np.ndarray,
    time: Column,
    labels: Sequence[Column],
) -> None:
    """Raise where equal times leave the order open.

    They do so in a trajectory that the table does not hold in time order already.
    """
    equal = (np.diff(seconds[rows]) == 0) & (np.diff(group[rows]) == 0)
    if not equal.any():
        return
    by_group = np.argsort(group, kind="stable")
    back = (np.diff(seconds[by_group]) < 0) & (np.diff(group[by_group]) == 0)
    unsorted = np.unique(group[by_group][1:][back])
    doubtful = equal & np.isin(group[rows][1:], unsorted)
    if doubtful.any():
        place = int(np.argmax(doubtful))
        one, two = sorted((int(rows[place]), int(rows[place + 1])))
        raise InputError(
            f"rows {one + 1} and {two + 1} have the same {time.name!r} = {time.text(one)} in "
            f"{_whose(labels, one)}, so their order is unknown. Is a column missing that tells "
            f"trajectories apart? Name it with {argument('trajectory')} or {argument('session')}; "
            "or sort the table by time"
        )


def _whose(labels: Sequence[Column], row: int) -> str:
    """The trajectory of a row, for a message."""
    if not labels:
        return "the only trajectory"
    return "the trajectory with " + ", ".join(f"{c.name} {c.text(row)}" for c in labels)
