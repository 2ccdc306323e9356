"""One column of a table, whatever it came from: numbers, or places in a list of words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
from jaxtyping import Bool, Int, Integer, Shaped

from inverseq._core.errors import InputError

_EXACT = 2**53  # whole numbers up to this are exact in double precision
_NO = ("0", "false", "f", "no")
_YES = ("1", "true", "t", "yes")
_SMALL = 2**30  # sums of two such numbers fit into 32 bits
_TRUTH = ({"true"}, {"false"}, {"false", "true"})


@dataclass(frozen=True, eq=False)
class Column:
    """N values of one column.

    Attributes:
        name: Its name in the table.
        values: `[N]` numbers or times, or places in `words`; 0 where missing.
        missing: `[N]` whether the row has no value.
        words: Different texts in sorted order, or None for numbers and times.
        loose: Whether the source does not tell text from numbers (CSV, mixed frame columns), so
            that words that read as numbers among words that do not are a likely mistake.
        rows: `[N]` row of the table that each value stands in, where not in this order; else None.
        ordered: Whether the words stand in an order of their own, that of intervals.
        nothing: Texts or numbers that were taken as missing, and how many rows have each.
        parts: Where the table is in several files: the name of each and how many rows it has.
    """

    name: str
    values: Shaped[np.ndarray, " N"]
    missing: Bool[np.ndarray, " N"]
    words: tuple[str, ...] | None = None
    loose: bool = False
    rows: Int[np.ndarray, " N"] | None = None
    ordered: bool = False
    nothing: Mapping[str, int] = field(default_factory=dict)
    parts: tuple[tuple[str, int], ...] = ()

    def place(self, index: int) -> str:
        """Where value `index` stands in the table (row 1 is the first), for messages."""
        row = index + 1 if self.rows is None else int(self.rows[index])
        return f"{row_within(row, self.parts)}, column {self.name!r}"

    def at(self, rows: np.ndarray) -> "Column":
        """The column with its rows picked by number or mask."""
        where = None if self.rows is None else self.rows[rows]
        return replace(self, values=self.values[rows], missing=self.missing[rows], rows=where)

    def text(self, row: int) -> str:
        """The value of a row as a person would write it."""
        if self.missing[row]:
            return "(empty)"
        return self.words[self.values[row]] if self.words is not None else _spell(self.values[row])


def row_within(row: int, parts: tuple[tuple[str, int], ...]) -> str:
    """A row of a table (1 is the first) for messages; where it is in several files, of its own."""
    for name, rows in parts:
        if row <= rows:
            return f"row {row} of {name}"
        row -= rows
    return f"row {row}"


def column_from_array(name: str, values: Any, missing: Any = None) -> Column:
    """A column from any one-dimensional array.

    None, NaN, not-a-time, masked entries and empty texts are missing. Truth values become the words
    "false" and "true".

    Raises:
        InputError: The array has more than one dimension.
    """
    # NumPy would turn the numbers of a list into text where one entry is text.
    kind = object if isinstance(values, list | tuple) else None
    array = values if isinstance(values, np.ma.MaskedArray) else np.asarray(values, dtype=kind)
    if array.ndim != 1:
        raise InputError(f"column {name!r} has {array.ndim} dimensions; give one value per row")
    absent = np.ma.getmaskarray(array).copy()
    array = np.ma.getdata(array)
    if missing is not None:
        absent |= np.asarray(missing, dtype=bool)
    if array.dtype.kind == "u" and array[~absent].max(initial=0) > np.iinfo(np.int64).max:
        return words_column(name, [str(v) for v in array[~absent].tolist()], absent)
    if array.dtype.kind in "iu":
        return Column(name, _narrow(np.where(absent, 0, array) if absent.any() else array), absent)
    if array.dtype.kind == "f":
        absent |= np.isnan(array)
        return Column(name, np.where(absent, 0.0, array).astype(np.float64), absent)
    if array.dtype.kind in "Mm":
        absent |= np.isnat(array)
        seconds = array.astype(f"{array.dtype.kind}8[ns]")
        return Column(name, np.where(absent, np.zeros(1, seconds.dtype), seconds), absent)
    if array.dtype.kind == "b":
        return Column(name, np.where(absent, 0, array).astype(np.int64), absent, ("false", "true"))
    return _column_from_objects(name, array.astype(object), absent)


def _narrow(numbers: Integer[np.ndarray, " N"]) -> Int[np.ndarray, " N"]:
    """Whole numbers in half the memory where they are small enough."""
    small = numbers.max(initial=0) < _SMALL and numbers.min(initial=0) > -_SMALL
    return numbers.astype(np.int32 if small else np.int64, copy=False)


def _column_from_objects(name: str, array: np.ndarray, absent: np.ndarray) -> Column:
    """A column from arbitrary objects: numbers where all are, else words."""
    absent = absent | np.array([_is_nothing(v) for v in array], dtype=bool)
    present = array[~absent]
    kinds = {type(v) for v in present}
    number = (bool, np.bool_, int, np.integer, float, np.floating)
    if present.size and all(issubclass(k, number) for k in kinds):
        plain = np.array(present.tolist())
        if plain.dtype.kind in "biuf":
            full = np.zeros(array.size, plain.dtype)
            full[~absent] = plain
            return column_from_array(name, full, absent)
    if present.size and all(issubclass(k, datetime) for k in kinds):
        return as_times(words_column(name, [v.isoformat() for v in present], absent))
    texts = [v if isinstance(v, str) else _spell(v) for v in present]
    return words_column(name, texts, absent, loose=not all(issubclass(k, str) for k in kinds))


def words_column(name: str, present: list[str], absent: np.ndarray, loose: bool = False) -> Column:
    """A column of words from the texts of the rows that have one."""
    values = np.zeros(absent.size, dtype=np.int64)
    # Trailing NULs are lost in NumPy's own text type, so words stay Python's.
    words = sorted(set(present))
    place = {word: i for i, word in enumerate(words)}
    values[~absent] = [place[text] for text in present]
    return Column(name, values, absent, tuple(words), loose)


def as_words(column: Column) -> Column:
    """The column with its numbers written out as words."""
    if column.words is not None:
        return column
    distinct, inverse = np.unique(column.values, return_inverse=True)
    spelled = [_spell(v) for v in distinct]
    words = {word: i for i, word in enumerate(sorted(set(spelled)))}
    place = np.array([words[s] for s in spelled], dtype=np.int64)
    return replace(column, values=place[inverse.ravel()], words=tuple(words), loose=False)


def as_times(column: Column) -> Column:
    """The column as seconds (since 1970 for dates) in float64.

    Raises:
        InputError: A word is neither a number nor a date in ISO format; the message names the row.
    """
    if column.words is not None:
        seconds = np.array([_seconds(word) for word in column.words], dtype=np.float64)
        wrong = np.isnan(seconds)
        if wrong.any():
            row = int(np.argmax(wrong[column.values] & ~column.missing))
            raise InputError(
                f"{column.place(row)}: {column.text(row)!r} is not a time. Give numbers, "
                f"or dates such as 2024-05-31 14:03:22{comma_in(column.text(row))}"
            )
        values = seconds[column.values] if len(seconds) else np.zeros(column.values.size)
        return replace(column, values=values, words=None, loose=False)
    if column.values.dtype.kind in "Mm":
        return replace(column, values=column.values.astype(np.int64) / 1e9)
    return replace(column, values=column.values.astype(np.float64))


def comma_in(word: str) -> str:
    """What to do about a number with a decimal comma, as spreadsheets may write it, or ""."""
    if re.fullmatch(r"[+-]?\d+,\d+", word) is None:
        return ""
    return f". Save the table with decimal points: {word.replace(',', '.')}"


def _seconds(word: str) -> float:
    """Seconds of a number or an ISO date (one without a zone counts as UTC); NaN of others."""
    try:
        return float(word)
    except ValueError:
        try:
            moment = datetime.fromisoformat(word)
        except ValueError:
            return np.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def plain_array(column: Column) -> np.ndarray:
    """The column as an array of numbers, truth values or text, for keeping.

    Whole numbers with missing rows become fractions with NaN, or texts where that would round them;
    a missing text becomes "".
    """
    if column.values.dtype.kind in "Mm" and column.words is None:
        column = as_times(column)
    if {w.lower() for w in column.words or ()} in _TRUTH and not column.missing.any():
        true = np.array([word.lower() == "true" for word in column.words or ()])
        return true[column.values]
    if column.words is not None:
        words = np.array([*column.words, ""])
        return words[np.where(column.missing, len(column.words), column.values)]
    if not column.missing.any():
        return column.values
    if np.abs(column.values).max() >= _EXACT:
        return plain_array(as_words(column))
    return np.where(column.missing, np.nan, column.values.astype(np.float64))


def truth(column: Column) -> Bool[np.ndarray, " N"]:
    """Which rows of a column are true; those without a value are not.

    Raises:
        InputError: A value is neither true nor false; the message names the first row.
    """
    column = as_words(column)
    words = [word.lower() for word in column.words or ()]
    wrong = np.array([word not in _YES + _NO for word in (*words, "0")])
    place = np.where(column.missing, len(words), column.values)
    if wrong[place].any():
        row = int(np.argmax(wrong[place]))
        raise InputError(
            f"{column.place(row)}: {column.text(row)!r} is neither true nor false; write 1 or 0"
        )
    return np.array([word in _YES for word in (*words, "0")])[place]


def numeric_words(column: Column) -> Bool[np.ndarray, " W"]:
    """Which of the words read as a number."""
    return np.array([_reads_as_number(w) for w in column.words or ()], dtype=bool)


def _reads_as_number(word: str) -> bool:
    """Whether a person would take the word for a number."""
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word


def _spell(value: Any) -> str:
    """A value as a person would write it: 1 rather than 1.0 or np.int64(1)."""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value.item() if isinstance(value, np.generic) else value)


def _is_nothing(value: Any) -> bool:
    """Whether a value is None, an empty text, NaN or not-a-time (pandas' NA has no truth value)."""
    if value is None or type(value).__name__ == "NAType":
        return True
    return value == "" if isinstance(value, str) else bool(np.all(value != value))


def is_missing(column: Column, values: tuple[Any, ...]) -> Bool[np.ndarray, " N"]:
    """Rows that are empty or hold one of `values`."""
    absent = column.missing.copy()
    for value in values:
        if column.words is not None:
            word = value if isinstance(value, str) else _spell(value)
            if word in column.words:
                absent |= column.values == column.words.index(word)
        elif column.values.dtype.kind in "if" and (number := _as_number(value)) is not None:
            absent |= column.values == number
    return absent


def _as_number(value: Any) -> float | None:
    """The value as a number, or None."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None
