"""Decisions from the trials, intervals or events of NWB files."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.errors import InputError, argument
from inverseq.demonstrations import Demonstrations
from inverseq.readers.columns import as_words, column_from_array
from inverseq.readers.nwb.file import (
    nwb_files,
    opened,
    plain_columns,
    series_of,
    tables_of,
    units_of,
)
from inverseq.readers.nwb.recording import why_unread
from inverseq.readers.roles import AUTO
from inverseq.readers.steps import steps_of
from inverseq.readers.table import read_table

_CLOCKS = ("start_time", "timestamp")
"""The columns of intervals and of events by which rows are ordered."""
_TIMES = ("start_time", "stop_time", "timestamp", "duration")
_SUBJECT = {"subject": "subject_id", "genotype": "genotype", "strain": "strain", "sex": "sex"}
"""Columns of groups, and what the file calls them of its subject."""


def read_nwb(
    source: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    decisions: str = "trials",
    **columns: Any,
) -> Demonstrations:
    """Decisions from NWB files: each row of a table of trials, intervals or events is one.

    Columns of the table are named as in `read_table`, whose other arguments go here too. The time
    of a decision is its start_time (or timestamp), in seconds of its session; "subject", its
    "genotype", "strain" and "sex", and "session" are those of the file, where the table has no such
    columns. Columns with several values per row, and references to other parts of the file, are not
    read. Needs `pip install "inverseq[nwb]"`.

    Args:
        source: A file, several, or a folder of them: each is a session.
        decisions: Name of the table: "trials", "epochs", that of any other intervals or events.
        **columns: `state="contrast"`, `action="choice"` and whatever else `read_table` takes.

    Raises:
        InputError: PyNWB is missing, a file cannot be read or has no such table, or a column
            cannot be used; the message names the row (1 is the first of the table).
    """
    paths = nwb_files(source)
    roles = ("state", "action", "features", "time", "trajectory")
    asked = [name for role in roles for name in _listed(columns.get(role))]
    tables = [table_in(path, decisions, asked) for path in paths]
    joined = _joined(paths, tables)
    clock = next((name for name in _CLOCKS if name in joined), None)
    _require_state(joined, decisions, columns)
    if columns.get("time", AUTO) == AUTO:
        columns["time"] = clock
    try:
        made = read_table(_with_names(joined, columns), **columns)
    except InputError as error:
        if len(paths) > 1:
            error.add_note(f"rows are counted through all files: {_rows_of(paths, tables)}")
        raise
    kept = {**made.decisions}
    if columns["time"] == clock == "start_time" and made.time is not None:
        kept.setdefault("start_time", made.time)
    told = made.source.removeprefix("the table")
    return replace(made, decisions=kept, source=f"{_named(paths)}, {decisions}{told}")


def steps_in_nwb(
    source: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    decisions: str = "trials",
    **steps: Any,
) -> Demonstrations:
    """Decisions to wait or to act, one a step, from NWB files with a row per trial.

    Args:
        source: A file, several, or a folder of them: each is a session.
        decisions: Name of the table with a row per trial.
        **steps: `act="release_time"` and whatever else `steps_of` takes.

    Raises:
        InputError: As `read_nwb` and `steps_of`.
    """
    paths = nwb_files(source)
    asked = [name for role in ("act", "start", "stop") for name in _listed(steps.get(role))]
    joined = _joined(paths, [table_in(path, decisions, asked) for path in paths])
    return steps_of(joined, source=f"{_named(paths)}, {decisions}", **steps)


def _joined(paths: list[Path], tables: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """The tables of several files as one.

    Raises:
        InputError: Two hold the same session.
    """
    names = [*dict.fromkeys(name for table in tables for name in table)]
    joined = {name: _stacked([(table, name) for table in tables]) for name in names}
    if len(paths) > 1 and "session" in joined:
        _refuse_equal_sessions(paths, tables)
    return joined


def _named(paths: list[Path]) -> str:
    """What the files are called together."""
    return paths[0].name if len(paths) == 1 else f"{len(paths)} NWB files"


def table_in(path: Path, decisions: str, asked: Sequence[str] = ()) -> dict[str, np.ndarray]:
    """The plain columns of one file's table, with its session, its subject and what that is.

    Raises:
        InputError: There is no such table, it has no rows, or one of the columns that are asked for
            has several values per row.
    """
    with opened(path) as (file, _):
        tables = tables_of(file)
        if decisions not in tables:
            raise InputError(_no_table(path, decisions, file))
        columns, unread = plain_columns(tables[decisions])
        about = {column: getattr(file.subject, name, None) for column, name in _SUBJECT.items()}
        known = about | {"session": file.session_id or file.identifier}
    if several := [name for name in asked if name in unread]:
        raise InputError(
            f"{several[0]!r} of {decisions} in {path.name} has several values per row, or refers "
            f"to other parts of the file; name a column with one value per row: {[*columns]}"
        )
    size = len(next(iter(columns.values()), ()))
    if not size:
        raise InputError(f"{decisions} of {path.name} has no rows")
    for name, value in known.items():
        if value and name not in columns:
            columns[name] = np.full(size, value)
    return columns


def _no_table(path: Path, wanted: str, file: Any) -> str:
    """What to do where a file lacks the table."""
    there = tables_of(file)
    told = [name for name, table in there.items() if {*plain_columns(table)[0]} - {*_TIMES}]
    if told:
        longest = max(told, key=lambda name: len(there[name]))
        return (
            f"{path.name} holds no table {wanted!r}; its intervals and events are {[*there]}. Name "
            f"the one with a row per decision: {argument('decisions', longest)}"
        )
    beside = (
        f"inverseq.analyse(demonstrations, recording=inverseq.read_recording({path.name!r})) puts "
        "them beside its recording"
    )
    if there:
        return (
            f"{path.name} holds no table {wanted!r}, and its intervals and events {[*there]} have "
            "times alone, so there are no decisions in them. In Python, inverseq.steps_of makes "
            f"decisions of times, and {beside}"
        )
    empty = f"{path.name} holds no {wanted}, nor any other intervals or events"
    if units_of(file)[0] is None and all(map(why_unread, series_of(file).values())):
        return f"{empty}, nor units or signals: there is nothing in it to look at"
    return (
        f"{empty}, so there are no decisions in it. Take these from elsewhere: in Python, {beside}"
    )


def _require_state(
    table: Mapping[str, np.ndarray], decisions: str, columns: Mapping[str, Any]
) -> None:
    """Raise where nothing says what the state is, and trials may be waits that one act ends."""
    if {"state", "features", "state_from_previous"} & {k for k, v in columns.items() if v}:
        return
    if "state" in table or not {"start_time", "stop_time"} <= {*table}:
        return
    if not {*table} - {*_TIMES, *_SUBJECT, "session"}:
        raise InputError(
            f"{decisions} has times alone, and no column that could be a state or an action. Where "
            f"one act ends each trial, name its time: {argument('act', 'stop_time')} (in Python of "
            f"inverseq.steps_of); else name another table: {argument('decisions')}"
        )
    low, high = table["start_time"], table["stop_time"]
    acts = [name for name, values in table.items() if _inside(name, values, low, high)]
    if acts:
        raise InputError(
            f"there is no column 'state'; {decisions} has {[*table]}. Name the right ones with "
            f"{argument('state')} {argument('action')}; or, where one act ends each trial (a lever "
            f"is let go), name the column of its time: {argument('act', acts[-1])} "
            "(in Python of inverseq.steps_of)"
        )


def _inside(name: str, values: np.ndarray, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether a column has a time in most trials, each in its own."""
    if name in _TIMES or values.dtype.kind != "f" or low.dtype.kind != "f":
        return False
    known = np.isfinite(values)
    return bool(known.mean() > 0.5 and ((values >= low) & (values <= high))[known].all())


def _with_names(table: dict[str, np.ndarray], columns: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The table, in which numbers that are named are so where there is none as well ("nan").

    Raises:
        InputError: A column of the state has rows without a number, and is not named.
    """
    named, state = (_listed(columns.get(role)) for role in ("named", "state"))
    made = dict(table)
    for name in dict.fromkeys([*state, *named]):
        if name not in table or not (gap := _no_number(table[name])).any():
            continue
        if name not in named:
            raise InputError(
                f"row {int(np.argmax(gap)) + 1}, column {name!r}: there is no number "
                f"({int(gap.sum())} of {len(gap)} rows). Fill them in; or, if that is a value of "
                "its own (no stimulus on that side), add "
                f"{argument('named', tuple(state) if len(state) > 1 else name)}"
            )
        column = as_words(column_from_array(name, table[name]))
        words = np.array([*(column.words or ()), "nan", None], dtype=object)
        absent = np.where(gap, len(words) - 2, len(words) - 1)
        made[name] = words[np.where(column.missing, absent, column.values)]
    return made


def _no_number(values: np.ndarray) -> np.ndarray:
    """Which entries are NaN, in a column of one file or of several."""
    if values.dtype.kind == "O":
        return np.array([isinstance(v, float) and np.isnan(v) for v in values], dtype=bool)
    return np.isnan(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)


def _listed(names: Any) -> list[str]:
    """A name, several or none, as a list."""
    return [names] if isinstance(names, str) else [*(names or ())]


def _stacked(parts: list[tuple[Mapping[str, np.ndarray], str]]) -> np.ndarray:
    """One column of all tables, None where a table has no such column."""
    if all(name in table for table, name in parts) and len(parts) == 1:
        return parts[0][0][parts[0][1]]
    rows: list[Any] = []
    for table, name in parts:
        size = len(next(iter(table.values())))
        rows += table[name].tolist() if name in table else [None] * size
    made = np.empty(len(rows), dtype=object)
    made[:] = rows
    return made


def _rows_of(paths: list[Path], tables: list[dict[str, np.ndarray]]) -> str:
    """Which rows of the joined table are those of each file."""
    last = np.cumsum([len(next(iter(table.values()))) for table in tables])
    first = np.append(1, last[:-1] + 1)
    parts = zip(paths, first, last, strict=True)
    return ", ".join(f"{path.name} {low} to {high}" for path, low, high in parts)


def _refuse_equal_sessions(paths: list[Path], tables: list[dict[str, np.ndarray]]) -> None:
    """Raise where two files would be read as one session."""
    seen: dict[tuple[str, str], Path] = {}
    for path, table in zip(paths, tables, strict=True):
        named = [*map(str, np.unique(np.asarray(table.get("session", [path.name]), dtype=str)))]
        for session in named:
            key = (str(table.get("subject", [""])[0]), session)
            if key in seen:
                raise InputError(
                    f"{seen[key].name} and {path.name} both hold session {session!r}; leave one "
                    "out, or give each a session_id of its own"
                )
            seen[key] = path
