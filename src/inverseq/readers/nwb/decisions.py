"""Decisions from the trials, intervals or events of NWB files."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.errors import InputError, argument
from inverseq.demonstrations import Demonstrations
from inverseq.readers.nwb.file import nwb_files, opened, plain_columns, tables_of
from inverseq.readers.roles import AUTO
from inverseq.readers.steps import steps_of
from inverseq.readers.table import read_table

_CLOCKS = ("start_time", "timestamp")
"""The columns of intervals and of events by which rows are ordered."""


def read_nwb(
    source: str | os.PathLike | Sequence[str | os.PathLike],
    *,
    decisions: str = "trials",
    **columns: Any,
) -> Demonstrations:
    """Decisions from NWB files: each row of a table of trials, intervals or events is one.

    Columns of the table are named as in `read_table`, whose other arguments go here too. The time
    of a decision is its start_time (or timestamp), in seconds of its session; "subject" and
    "session" are those of the file, where the table has no such columns. Columns with several
    values per row, and references to other parts of the file, are not read. Needs
    `pip install "inverseq[nwb]"`.

    Args:
        source: A file, several, or a folder of them: each is a session.
        decisions: Name of the table: "trials", "epochs", that of any other intervals or events.
        **columns: `state="contrast"`, `action="choice"` and whatever else `read_table` takes.

    Raises:
        InputError: PyNWB is missing, a file cannot be read or has no such table, or a column
            cannot be used; the message names the row (1 is the first of the table).
    """
    paths = nwb_files(source)
    tables = [_table(path, decisions) for path in paths]
    joined = _joined(paths, tables)
    clock = next((name for name in _CLOCKS if name in joined), None)
    if columns.get("time", AUTO) == AUTO:
        columns["time"] = clock
    try:
        made = read_table(joined, **columns)
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
    joined = _joined(paths, [_table(path, decisions) for path in paths])
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


def _table(path: Path, decisions: str) -> dict[str, np.ndarray]:
    """The plain columns of one file's table, with its subject and session.

    Raises:
        InputError: There is no such table, or it has no rows.
    """
    with opened(path) as (file, _):
        tables = tables_of(file)
        if decisions not in tables:
            raise InputError(_no_table(path, decisions, [*tables]))
        columns, _ = plain_columns(tables[decisions])
        subject = file.subject.subject_id if file.subject is not None else None
        known = {"subject": subject, "session": file.session_id or file.identifier}
    size = len(next(iter(columns.values()), ()))
    if not size:
        raise InputError(f"{decisions} of {path.name} has no rows")
    for name, value in known.items():
        if value and name not in columns:
            columns[name] = np.full(size, value)
    return columns


def _no_table(path: Path, wanted: str, there: list[str]) -> str:
    """What to do where a file lacks the table."""
    if not there:
        return (
            f"{path.name} holds no {wanted}, nor any other intervals or events, so there are no "
            "decisions in it; read_recording reads its units and signals"
        )
    return (
        f"{path.name} holds no table {wanted!r}; its intervals and events are {there}. Name the "
        f"one with a row per decision: {argument('decisions', there[0])}"
    )


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
