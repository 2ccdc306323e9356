"""The file of recorded games while it is written: whole at any time, and by one program only."""

import os
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path

import duckdb

from inverseq._core.errors import InputError
from inverseq._core.files import replace_when_whole
from inverseq.app.games import Game, rows_of
from inverseq.readers.engine import connect, scan_file
from inverseq.readers.games import COLUMNS, require_games


class GameLog:
    """A Parquet file that grows by whole games.

    Each game is written by making a new file beside the old one and renaming it onto it, so that a
    killed program loses at most the game that it was writing. Two programs that did so at once
    would lose each other's games: a lock file beside it, which the operating system gives up when
    its owner dies, lets only one write.

    Attributes:
        path: The file.
        recorded: Games in it.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        """Open a file for appending, or a new one.

        Raises:
            InputError: The file holds something else, cannot be written, or another program is
                writing to it.
        """
        self.path = Path(path)
        if not self.path.name.lower().endswith((".parquet", ".pq")):
            raise InputError(
                f"games are written as Parquet; got {self.path}. Give a name that ends in .parquet"
            )
        self._waiting: list[Game] = []
        self._one_at_a_time = threading.Lock()
        self._lock = _lock(self.path)
        try:
            self.recorded = self._count()
            if not self.path.exists():
                self._write([])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give up the lock, so that another program may write."""
        self._lock.close()

    def append(self, game: Game) -> None:
        """Write a game. When this returns, it is in the file.

        Raises:
            InputError: The file could not be written; the game is kept in memory and written with
                the next one.
        """
        with self._one_at_a_time:
            self._waiting.append(game)
            self._write(self._waiting)
            self._waiting.clear()

    def require_same(self, rules: Mapping[str, str]) -> None:
        """Raise an `InputError` where games of the same name were played by other rules: cells of
        two mazes would be taken for those of one.

        Args:
            rules: Name -> settings, as JSON.
        """
        with connect() as connection:
            relation = scan_file(self.path, connection).relation
            query = f"SELECT DISTINCT difficulty, rules FROM {relation}"
            known = connection.execute(query).fetchall()
        if changed := sorted(name for name, told in known if rules.get(name, told) != told):
            raise InputError(
                f"{self.path} holds games in {changed[0]!r} as it was before it was changed, which "
                "would be taken for games in it as it is: give the maze another name, or these "
                "games a file of their own"
            )

    def _count(self) -> int:
        """Games in the file."""
        if not self.path.exists():
            return 0
        with connect() as connection:
            scan = scan_file(self.path, connection)
            require_games(scan)
            query = f"SELECT count(DISTINCT episode) FROM {scan.relation}"
            return connection.execute(query).fetchall()[0][0]

    def _write(self, games: list[Game]) -> None:
        """Replace the file by itself with `games` at its end."""
        names = ", ".join(COLUMNS)
        try:
            with connect() as connection, replace_when_whole(self.path) as temporary:
                types = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
                connection.execute(f"CREATE TABLE games ({types})")
                first = 0
                if self.path.exists():
                    scan = scan_file(self.path, connection)
                    require_games(scan)
                    connection.execute(f"INSERT INTO games SELECT {names} FROM {scan.relation}")
                    query = "SELECT coalesce(max(episode) + 1, 0) FROM games"
                    first = connection.execute(query).fetchall()[0][0]
                for episode, game in enumerate(games, first):
                    columns = rows_of(game, episode)
                    values = ", ".join(
                        f"unnest(${i}::{kind}[])" for i, kind in enumerate(COLUMNS.values(), 1)
                    )
                    connection.execute(f"INSERT INTO games SELECT {values}", [*columns.values()])
                target = str(temporary).replace("'", "''")
                connection.execute(
                    f"COPY (SELECT * FROM games ORDER BY episode, move) TO '{target}' "
                    "(FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)"
                )
                query = "SELECT count(DISTINCT episode) FROM games"
                recorded = connection.execute(query).fetchall()[0][0]
        except (duckdb.Error, OSError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{self.path} could not be written: {reason}") from error
        self.recorded = recorded


def _lock(path: Path) -> sqlite3.Connection:
    """Take the lock that belongs to a file of games.

    SQLite locks files on every system that Python runs on, and the lock goes with its process.
    """
    name = path.parent / f".{path.name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(name, timeout=0, isolation_level=None, check_same_thread=False)
    except (OSError, sqlite3.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(
            f"cannot write {path}: {reason}. Choose a folder you may write to."
        ) from error
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        lock.close()
        if "locked" in str(error):
            raise InputError(
                f"another inverseq play is writing to {path}. Open its page, stop it, or give "
                "this one a file of its own with --out"
            ) from error
        raise InputError(f"{name}, which guards {path}, cannot be locked: {error}") from error
    return lock
