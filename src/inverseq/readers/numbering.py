"""States and actions as whole numbers from 0, with the names they stand for."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Int

from inverseq._core.arrays import require_numbering
from inverseq._core.errors import InputError, argument
from inverseq.demonstrations.spaces import numbers_meant
from inverseq.readers.columns import Column, as_words, is_missing, numeric_words

_LABELS_FROM = 10_000
"""Largest number of an action from which it is asked whether a column holds labels."""

START = "start"
"""Name of the state in which nothing has happened yet."""


def number(
    columns: Sequence[Column], names: Sequence[str | int], role: str, *, occurring: bool = True
) -> tuple[list[Int[np.ndarray, " N"]], tuple[str, ...]]:
    """The values of one or several columns (state and next state) in one numbering.

    Args:
        columns: Columns that share a numbering; -1 and empty mean "none" in all but a state.
        names: Names in the order in which to number them; sorted order where empty.
        role: "state" or "action".
        occurring: Whether only states that occur are numbered: where numbers of the table are
            left out, they are names, in rising order.

    Returns:
        The numbers of each column (-1 where there is none), and the names (empty where the table
        holds numbers without a hole and no names were given). Actions that are numbered from 1 or
        another number keep these as their names: there is no action 0 that nobody took.

    Raises:
        InputError: A value cannot be used; the message names row, column and value.
    """
    called = tuple(map(str, names))
    words = [column.words is not None for column in columns if not column.missing.all()]
    if any(words) and not all(words):
        given = ", ".join(f"{c.name!r} {'words' if c.words else 'numbers'}" for c in columns)
        raise InputError(f"the table holds {given}; write both as numbers or both as names")
    if not any(words):
        numbers = [_whole(column, role) for column in columns]
        if (meant := numbers_meant(called)) is not None:
            numbers = [_found(c, v, meant, role) for c, v in zip(columns, numbers, strict=True)]
        elif called:
            for column, values in zip(columns, numbers, strict=True):
                _require_below(column, values, len(called), role)
        elif role == "state":
            return _occurring(numbers) if occurring else (numbers, called)
        else:
            remedy = f", or, if these are names, add {argument('named', columns[0].name)}"
            for values in numbers:
                require_numbering(values, role, remedy, _LABELS_FROM)
            if not any((values == 0).any() for values in numbers):
                return _occurring(numbers)
        return numbers, called
    for column in columns:
        _refuse_mixture(column, role)
    known = called or _used(columns)
    place = {name: i for i, name in enumerate(known)}
    return [_placed(column, place, role) for column in columns], known


def _occurring(numbers: list[np.ndarray]) -> tuple[list[np.ndarray], tuple[str, ...]]:
    """The numbers without those that do not occur, and what they were where some are left out."""
    last = max(int(values.max(initial=-1)) for values in numbers)
    if last < 10 * sum(values.size for values in numbers):
        seen = np.zeros(last + 2, dtype=bool)
        for values in numbers:
            seen[values] = True
        known = np.flatnonzero(seen[:-1])  # the last stands for "none"
    else:
        known = np.unique(np.concatenate(numbers))
        known = known[known >= 0]
    if known.size == last + 1:
        return numbers, ()
    placed = [np.where(v < 0, -1, np.searchsorted(known, v)) for v in numbers]
    return placed, tuple(map(str, known.tolist()))


def _used(columns: Sequence[Column]) -> tuple[str, ...]:
    """The words that occur, sorted unless they have an order of their own."""
    seen = [np.unique(c.values[~c.missing]).tolist() for c in columns]
    words = next((c.words for c in columns if c.ordered), None)
    if words is not None:
        return tuple(words[i] for i in sorted({i for places in seen for i in places}))
    return tuple(
        sorted({c.words[i] for c, s in zip(columns, seen, strict=True) if c.words for i in s})
    )


def _placed(column: Column, place: dict[str, int], role: str) -> Int[np.ndarray, " N"]:
    """Numbers of a column of words."""
    if column.words is None:  # nothing in it, else `number` would have refused the mixture
        return np.full(column.values.size, -1, dtype=np.int64)
    table = np.array([place.get(word, -2) for word in (*column.words, "")], dtype=np.int64)
    numbers = np.where(column.missing, -1, table[column.values])
    if (numbers == -2).any():
        raise _unknown(column, int(np.argmax(numbers == -2)), [*place], role)
    return numbers


def _whole(column: Column, role: str) -> Int[np.ndarray, " N"]:
    """Whole numbers of a column of numbers, -1 where missing."""
    if column.values.dtype.kind not in "if":
        raise InputError(
            f"column {column.name!r} holds times; a {role} is a whole number or a name"
        )
    values = np.where(column.missing, -1, column.values)
    bad = (values < -1) | (values > (2**53 if role == "state" else 2**31 - 1))
    if values.dtype.kind == "f":
        bad |= ~np.isfinite(values) | (values != np.floor(values))
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{column.place(row)}: {column.text(row)} cannot number a {role}; "
            f"{role}s are whole numbers from 0, or names ({int(bad.sum())} such rows). "
            f"If these are names, add {argument('named', column.name)}"
        )
    return values.astype(np.int64)


def _found(column: Column, values: np.ndarray, meant: np.ndarray, role: str) -> np.ndarray:
    """Places of numbers among names that are numbers."""
    order = np.argsort(meant)
    place = order[np.minimum(np.searchsorted(meant, values, sorter=order), meant.size - 1)]
    absent = (values >= 0) & (meant[place] != values)
    if absent.any():
        raise _unknown(column, int(np.argmax(absent)), meant.tolist(), role)
    return np.where(values < 0, -1, place)


def _unknown(column: Column, row: int, names: Sequence[object], role: str) -> InputError:
    """A value that is none of the names."""
    shown = [str(name) for name in names[:20]]
    return InputError(
        f"{column.place(row)}: {column.text(row)!r} is not among the {role} names {shown}"
    )


def _require_below(column: Column, values: np.ndarray, count: int, role: str) -> None:
    """Raise where a number has no name."""
    if (values >= count).any():
        row = int(np.argmax(values >= count))
        raise InputError(
            f"{column.place(row)}: {role} {values[row]} has no name; {count} "
            f"{role} names were given"
        )


def _refuse_mixture(column: Column, role: str) -> None:
    """Raise where words stand among numbers: a likely slip of the hand."""
    if not column.loose:
        return
    numeric = numeric_words(column)
    if numeric.all() or not numeric.any():
        return
    is_number = numeric[column.values] & ~column.missing
    is_word = ~numeric[column.values] & ~column.missing
    if not is_number.any() or not is_word.any():
        return
    # What is rare is the slip.
    (odd, what), (usual, others) = (is_word, "text"), (is_number, "numbers")
    if is_number.sum() < is_word.sum():
        (odd, what), (usual, others) = (is_number, "a number"), (is_word, "text")
    row = int(np.argmax(odd))
    raise InputError(
        f"{column.place(row)}: {column.text(row)!r} is {what}, but "
        f"{int(usual.sum())} of {int((~column.missing).sum())} rows hold {others}. Correct it"
        + f", say {argument('missing', column.text(row))} if no action was taken"
        * (role == "action")
        + f", or, if numbers and words are all names, add {argument('named', column.name)}"
    )


def action_column(column: Column, missing: Sequence[Any], named: bool = False) -> Column:
    """A column of actions with those rows missing that have none.

    Args:
        column: As it was read.
        missing: Values that mean "none". So does -1, unless the values are -1 and 1 alone, which
            are two actions.
        named: Whether the values are names, -1 included.

    Raises:
        InputError: No row has an action.
    """
    known = column.values[~column.missing]
    if column.words is not None:
        signs = {column.words[i] for i in np.unique(known)} == {"-1", "1"}
    else:
        ones = known.size > 0 and known.dtype.kind in "if" and bool((np.abs(known) == 1).all())
        signs = ones and bool(np.ptp(known) > 0)
    if signs:
        named, column = True, as_words(column)
    taken = (*missing,) if named else (-1, *missing)
    absent = is_missing(column, taken)
    counts = {str(v): int((is_missing(column, (v,)) & ~column.missing).sum()) for v in taken}
    nothing = {**column.nothing, **{value: count for value, count in counts.items() if count}}
    if absent.all():
        raise InputError(
            f"column {column.name!r}: no row has an action; is it the right column? Name it with "
            f"{argument('action')}"
        )
    return replace(column, missing=absent, nothing=nothing)


def require_present(column: Column, what: str, rows: np.ndarray | None = None) -> None:
    """Raise an `InputError` naming the first row (of those marked) without a value."""
    absent = column.missing if rows is None else column.missing & rows
    if absent.any():
        row = int(np.argmax(absent))
        raise InputError(
            f"{column.place(row)}: {what} is empty ({int(absent.sum())} such "
            "rows). Fill it in, or leave these rows out and mark the gap with "
            f"{argument('longest_step')}"
            + f"; if {' and '.join(column.nothing)} are names, add {argument('named', column.name)}"
            * bool(column.nothing)
        )


def require_alike(present: Sequence[Column], following: Sequence[Column]) -> None:
    """Raise where states and next states have different numbers of columns."""
    if following and len(following) != len(present):
        raise InputError(
            f"state has {len(present)} columns, next_state {len(following)}; give both alike"
        )


def require_counted(column: Column, states: Int[np.ndarray, " N"]) -> None:
    """Raise an `InputError` naming the first row with a negative state."""
    if (states < 0).any():
        raise InputError(f"{column.place(int(np.argmax(states < 0)))}: states are numbered from 0")


def joined(
    columns: Sequence[Column], before: Sequence[Column] = (), has_before: np.ndarray | None = None
) -> Column:
    """One column of words from several: "1|0" where they hold 1 and 0.

    Intervals keep their order, "x 0–5, y 2–4" before "x 0–5, y 4–20".

    Args:
        columns: Columns of the row itself.
        before: Columns of the decision before, already on this row's line.
        has_before: `[N]` whether there is a decision before; if not, `START` stands for it.
    """
    parts = [as_words(column) for column in (*columns, *before)]
    if has_before is not None:
        places = [p.values for p in parts[: len(columns)]]
        places += [np.where(has_before, p.values, -1) for p in parts[len(columns) :]]
    else:
        places = [p.values for p in parts]
    # An empty present part makes the whole state empty.
    missing = np.zeros(len(places[0]), dtype=bool)
    for part, place in zip(parts, places, strict=True):
        missing |= part.missing & (place >= 0)
    rows, inverse = np.unique(np.stack(places, 1), axis=0, return_inverse=True)
    ordered = any(part.ordered for part in parts)
    texts = [_name(row, parts, len(columns), ", " if ordered else "|") for row in rows]
    order = {word: i for i, word in enumerate(texts if ordered else sorted(set(texts)))}
    values = np.array([order[text] for text in texts])[inverse.ravel()]
    name = ",".join(column.name for column in (*columns, *before))
    values = np.where(missing, 0, values)
    return Column(name, values, missing, tuple(order), ordered=ordered)


def joined_alike(columns: Sequence[Column], others: Sequence[Column]) -> tuple[Column, Column]:
    """`joined` of two groups of columns in one order of names: states and next states."""
    size = columns[0].values.size
    both = joined([_stacked(one, two) for one, two in zip(columns, others, strict=True)])
    name = ",".join(column.name for column in others)
    return both.at(np.arange(size)), replace(both, name=name).at(np.arange(size, 2 * size))


def _stacked(one: Column, two: Column) -> Column:
    """Two columns of words behind each other."""
    one, two = as_words(one), as_words(two)
    words = one.words or ()
    if one.words != two.words:
        words = tuple(sorted({*words, *(two.words or ())}))
    place = {word: i for i, word in enumerate(words)}
    values = [
        np.array([*(place[word] for word in part.words or ()), 0])[part.values]
        for part in (one, two)
    ]
    missing = np.append(one.missing, two.missing)
    return Column(one.name, np.concatenate(values), missing, words, ordered=one.ordered)


def _name(row: np.ndarray, parts: Sequence[Column], present: int, link: str) -> str:
    """The name of one combination of values."""
    words = [p.words[i] for p, i in zip(parts, row, strict=True) if i >= 0 and p.words]
    return link.join([*words, START] if (row[present:] < 0).any() else words)
