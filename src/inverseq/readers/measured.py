"""Measured values in a table: kept as features, put into bins, or refused as names."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError, argument
from inverseq.readers.columns import Column, comma_in

Bins = Mapping[str, int | Sequence[float]]
"""Column -> number of equally wide bins, or their edges in rising order."""
_END = r"(-?[\d.]+(?:e[+-]?\d+)?)"
_TWO = re.compile(rf"(\S.*) {_END}–{_END}, (\S.*) {_END}–{_END}")
"""How states made of the bins of two columns are called."""


def features_of(columns: Sequence[Column]) -> Float[np.ndarray, "N D"]:
    """Columns of numbers side by side, NaN where missing.

    Raises:
        InputError: A column holds names or times.
    """
    for column in columns:
        _require_numbers(column, "measured values")
    return np.stack([np.where(c.missing, np.nan, c.values) for c in columns], axis=1)


def is_measured(column: Column) -> bool:
    """Whether a column holds fractions, of which each row would make a name."""
    fractions = column.words is None and column.values.dtype.kind == "f"
    return fractions and bool((column.values != np.floor(column.values))[~column.missing].any())


def refuse_measured(columns: Iterable[Column], role: str) -> None:
    """Raise an `InputError` for columns with fractions, of which each row would make a name.

    Args:
        columns: Whose values are to number or name something.
        role: "state" or "action".
    """
    measured = [column for column in columns if is_measured(column)]
    if not measured:
        return
    column = measured[0]
    fractions = ~column.missing & (column.values != np.floor(column.values))
    row = int(np.argmax(fractions))
    names = tuple(c.name for c in measured)
    bins = argument("bins", dict.fromkeys(names, 10))
    keep = argument(*("features", column.name) if role == "state" else ("continuous", True))
    raise InputError(
        f"{column.place(row)}: {column.text(row)} is a measured value, which numbers no "
        f"{role} ({int(fractions.sum())} such rows). Put it into bins: {bins}; or"
        + f" keep it as it is: {keep}; or" * bool(keep)
        + f", if these are names, add {argument('named', names if len(names) > 1 else column.name)}"
    )


def measured_among(columns: Sequence[Column], bins: int) -> list[str]:
    """Names of the columns that hold measured values.

    Raises:
        InputError: None does, so that nothing would be put into bins.
    """
    found = [column.name for column in columns if is_measured(column)]
    if not found:
        told = {column.name: bins for column in columns}
        raise InputError(
            f"{argument('bins', bins)} is for numbers with fractions, and no column of the state "
            "holds such" + f"; name those that are meant: {argument('bins', told)}" * bool(told)
        )
    return found


def binned(columns: Sequence[Column], bins: int | Sequence[float], title: str) -> list[Column]:
    """Columns of numbers as columns of words, the intervals "x 0.5–1" in rising order.

    Args:
        columns: Columns that share their bins: a state and the state after it.
        bins: Number of equally wide bins from the smallest to the largest value, or edges. A
            value on an edge belongs to the bin above, on the last one to the bin below.
        title: What the intervals are of.

    Raises:
        InputError: A column holds no numbers, the bins are none, or a value lies outside.
    """
    for column in columns:
        _require_numbers(column, "numbers that can be put into bins")
    edges = _edges(columns, bins, title)
    texts = _texts(edges)
    names = tuple(f"{title} {low}–{high}" for low, high in pairwise(texts))
    made = []
    for column in columns:
        outside = ~column.missing & ~((column.values >= edges[0]) & (column.values <= edges[-1]))
        if outside.any():
            row = int(np.argmax(outside))
            raise InputError(
                f"{column.place(row)}: {column.text(row)} lies outside the bins of {title!r}, "
                f"{texts[0]} to {texts[-1]} ({int(outside.sum())} such rows). Widen the first or "
                "last bin"
            )
        place = np.searchsorted(edges, column.values, side="right") - 1
        place = np.where(column.missing, 0, np.minimum(place, len(names) - 1))
        made.append(replace(column, values=place, words=names, loose=False, ordered=True))
    return made


def two_intervals(
    names: Sequence[str],
) -> tuple[tuple[str, str], Float[np.ndarray, "S 2 2"]] | None:
    """The two columns whose bins make states of these names, and the ends of each state's bins;
    None where they are called otherwise.
    """
    found = [_TWO.fullmatch(name) for name in names]
    if not found or not all(found):
        return None
    parts = [each.groups() for each in found if each]
    ends = np.array([[p[1:3], p[4:6]] for p in parts], dtype=np.float64)
    return (parts[0][0], parts[0][3]), ends


def _edges(columns: Sequence[Column], bins: Any, title: str) -> Float[np.ndarray, " E"]:
    """The edges of bins, checked."""
    if np.ndim(bins) == 0:
        values = np.concatenate([c.values[~c.missing] for c in columns]).astype(np.float64)
        if int(bins) != bins or bins < 1:
            raise InputError(f"bins of {title!r} must be a whole number from 1; got {bins}")
        if not values.size or not np.isfinite(values).all() or values.min() == values.max():
            raise InputError(
                f"column {title!r} holds no two different numbers to put into bins (or infinite "
                "ones); give the edges, or leave the column out"
            )
        return np.linspace(values.min(), values.max(), int(bins) + 1)
    edges = np.asarray(bins, dtype=np.float64)
    if edges.ndim != 1 or edges.size < 2 or not (np.diff(edges) > 0).all():
        raise InputError(f"bins of {title!r} must be two or more rising edges; got {[*bins]}")
    return edges


def _texts(edges: np.ndarray) -> list[str]:
    """The edges with as few digits as tell them apart."""
    for digits in range(3, 17):
        texts = [f"{edge:.{digits}g}" for edge in edges]
        if len(set(texts)) == len(texts):
            return texts
    return [repr(float(edge)) for edge in edges]


def _require_numbers(column: Column, what: str) -> None:
    """Raise where a column holds anything but numbers."""
    if column.words is not None or column.values.dtype.kind not in "if":
        row = int(np.argmax(~column.missing))
        raise InputError(
            f"{column.place(row)}: {column.text(row)!r} is no number; column {column.name!r} "
            f"cannot be read as {what}{comma_in(column.text(row))}"
        )
