"""The list of fits of a project: what was asked, how far it is, how it ended.

A table of SQLite that outlives whoever writes to it. The server and the process that fits open it
anew for each statement, so that a kill at any moment leaves a row as it was or as it should be.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from inverseq._core.errors import InputError

ATTEMPTS = 3
"""How often a fit is begun whose process is killed."""

_PATIENCE = 10.0
"""Seconds to wait for whoever else writes just now."""

_TABLE = """
CREATE TABLE IF NOT EXISTS fits (
    number INTEGER PRIMARY KEY AUTOINCREMENT, arguments TEXT NOT NULL, state TEXT NOT NULL,
    asked REAL NOT NULL, began REAL, ended REAL, pid INTEGER, attempts INTEGER NOT NULL DEFAULT 0,
    cancel INTEGER NOT NULL DEFAULT 0, told TEXT NOT NULL DEFAULT '', what TEXT NOT NULL DEFAULT '',
    done INTEGER NOT NULL DEFAULT 0, total INTEGER NOT NULL DEFAULT 0, first INTEGER, since REAL)
"""


class State(StrEnum):
    """Where a fit stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Fit:
    """One fit that was asked for.

    Attributes:
        number: Its number, from 1.
        arguments: What one would type behind `inverseq`, where the result goes included.
        state: Where it stands.
        asked: When it was asked for, in seconds since 1970; so are the others.
        began: When it was begun last, or None.
        ended: When it ended, or None.
        pid: The process that fits, or did.
        attempts: How often it was begun.
        cancel: Whether it is to stop.
        told: What went wrong.
        what: What is being done.
        done: Steps done of it.
        total: Steps in all.
        first: Steps that were done before, because they were kept.
        since: When this began, or None.
    """

    number: int
    arguments: tuple[str, ...]
    state: State
    asked: float
    began: float | None
    ended: float | None
    pid: int | None
    attempts: int
    cancel: bool
    told: str
    what: str
    done: int
    total: int
    first: int | None
    since: float | None

    @property
    def table(self) -> str:
        """What is fitted: the path in the project, or the name of a data set."""
        return self.arguments[1]

    @property
    def asks(self) -> tuple[str, ...]:
        """The options, but for where results go."""
        return self.arguments[2 : self.arguments.index("--keep")]

    def left(self, now: float) -> float | None:
        """Seconds that this step takes still, at the pace since it began; None where unknown."""
        if self.since is None or self.first is None or self.done <= self.first:
            return None
        return (now - self.since) / (self.done - self.first) * (self.total - self.done)


class Fits:
    """The fits of a project.

    Args:
        path: The file of the list; it is made where it does not exist.

    Raises:
        InputError: It cannot be read or written, or is no such list.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._open() as link:
            link.execute("PRAGMA journal_mode=WAL")
            link.execute(_TABLE)

    def ask(self, arguments: Sequence[str], folder: str, keep: str) -> int:
        """Put a fit at the end of the queue; its number.

        Args:
            arguments: What one would type behind `inverseq`.
            folder: Where results go: that of this fit is in it, under its number.
            keep: Where finished work is kept.
        """
        with self._open() as link:
            made = link.execute(
                "INSERT INTO fits (arguments, state, asked) VALUES ('', ?, ?)",
                (State.WAITING, time.time()),
            )
            number = int(made.lastrowid or 0)
            whole = [*arguments, "--keep", keep, "--out", f"{folder}/{number}"]
            told = json.dumps(whole, ensure_ascii=False)
            link.execute("UPDATE fits SET arguments = ? WHERE number = ?", (told, number))
        return number

    def all(self) -> list[Fit]:
        """All of them, the first first."""
        with self._open() as link:
            return [_fit(row) for row in link.execute("SELECT * FROM fits ORDER BY number")]

    def get(self, number: int) -> Fit | None:
        """One of them; None where there is no such."""
        with self._open() as link:
            row = link.execute("SELECT * FROM fits WHERE number = ?", (number,)).fetchone()
        return None if row is None else _fit(row)

    def attempt(self, number: int) -> None:
        """Count that a process is begun for a fit; which, it says itself."""
        self._change(number, (State.WAITING,), "attempts = attempts + 1, pid = NULL", ())

    def begin(self, number: int) -> bool:
        """Note that this process works on a fit; False where that waits no longer."""
        return self._change(
            number,
            (State.WAITING,),
            "state = 'running', began = ?, pid = ?, what = '', done = 0, total = 0, first = NULL, "
            "since = NULL, told = ''",
            (time.time(), os.getpid()),
        )

    def progress(self, number: int, what: str, done: int, total: int) -> None:
        """Note how far a fit is."""
        with self._open() as link:
            link.execute(
                "UPDATE fits SET first = CASE WHEN what = ? THEN first ELSE ? END, "
                "since = CASE WHEN what = ? THEN since ELSE ? END, what = ?, done = ?, total = ? "
                "WHERE number = ? AND state = 'running'",
                (what, done, what, time.time(), what, done, total, number),
            )

    def end(self, number: int, state: State, told: str = "") -> bool:
        """Note how a fit ended; one that ended already stays as it is."""
        open_states = (State.WAITING, State.RUNNING)
        values = (state, time.time(), told)
        return self._change(number, open_states, "state = ?, ended = ?, told = ?", values)

    def again(self, number: int, *, blameless: bool = False) -> bool:
        """Put a fit whose process is gone back into the queue.

        Args:
            number: Its number.
            blameless: Whether it was stopped in order, which is no attempt that failed.
        """
        what = "state = 'waiting'" + ", attempts = 0" * blameless
        return self._change(number, (State.WAITING, State.RUNNING), what, ())

    def cancel(self, number: int) -> bool:
        """Ask a fit to stop; one that waits is cancelled at once. False where it ended already."""
        if self._change(number, (State.WAITING,), "state = 'cancelled', ended = ?", (time.time(),)):
            return True
        return self._change(number, (State.RUNNING,), "cancel = 1", ())

    def copy(self, path: Path) -> None:
        """Write the list, as it is at this moment, to another file."""
        with self._open() as link, closing(sqlite3.connect(path)) as other:
            link.backup(other)

    def _change(self, number: int, states: Sequence[State], what: str, values: tuple) -> bool:
        """Change a row that is in one of these states; whether it was."""
        marks = ", ".join("?" * len(states))
        with self._open() as link:
            made = link.execute(
                f"UPDATE fits SET {what} WHERE number = ? AND state IN ({marks})",
                (*values, number, *states),
            )
            return made.rowcount > 0

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The table, for one transaction."""
        try:
            with closing(sqlite3.connect(self._path, timeout=_PATIENCE)) as link, link:
                link.row_factory = sqlite3.Row
                yield link
        except sqlite3.Error as error:
            raise InputError(
                f"the list of fits, {self._path.name}, cannot be used: {error}. Is the disk full, "
                "or may the folder not be written to? Finished fits lie beside it as they are"
            ) from error


def _fit(row: sqlite3.Row) -> Fit:
    """A row of the table as a record."""
    told: dict[str, Any] = dict(row)
    told["arguments"] = tuple(json.loads(told["arguments"]))
    return Fit(**told | {"state": State(told["state"]), "cancel": bool(told["cancel"])})
