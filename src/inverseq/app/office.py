"""What the pages of a project share: the folder, the queue, the process that reads, the uploads."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, Any

from inverseq._core.errors import InputError
from inverseq._core.folders import PAGE
from inverseq.app.asked import ROLES, SETTINGS, Options, options_in
from inverseq.app.fits import Fit, State
from inverseq.app.helper import Helper
from inverseq.app.project import GAMES, TABLES, Project
from inverseq.app.queue import Queue
from inverseq.app.uploads import Uploads

_OPENING = 60.0
_MISTAKE = "inverseq: error: "
_MOST_TABLES = 32
"""Tables whose first rows are kept at hand."""
_MOST_FITS = 10**15


class Office:
    """Everything that pages of one project need.

    Args:
        project: The project.
        limit: Bytes that a file may have that comes in.
    """

    def __init__(self, project: Project, limit: int) -> None:
        self.project, self.fits = project, project.fits
        self.queue = Queue(project)
        self.uploads = Uploads(project, limit)
        self.tables, self.results = Helper(project.root), Helper(project.root)
        self._rows: OrderedDict[tuple[str, float, str], dict[str, Any]] = OrderedDict()
        self.drawing = asyncio.Lock()
        self._game: subprocess.Popen | None = None
        self._address, self._world, self._one_game = "", ("", 0.0), asyncio.Lock()

    async def close(self) -> None:
        """Stop everything that was begun."""
        await asyncio.gather(self.tables.close(), self.results.close())
        await asyncio.to_thread(self._end_game)
        await asyncio.to_thread(self.queue.close)

    def reading(self, told: Mapping[str, str]) -> Options:
        """The options of how a table is read that a request gives.

        Raises:
            InputError: They cannot be used, or name files that are not of this project.
        """
        made = options_in(told, (*ROLES, *SETTINGS))
        self.project.require_own(made)
        return made

    async def rows(self, table: str, decisions: str = "") -> dict[str, Any]:
        """The first rows of a table; of a file that has not changed they are asked for once.

        Args:
            table: The table.
            decisions: Of an NWB file, which of its tables; "" for its trials.

        Raises:
            InputError: It cannot be read.
        """
        path = self.project.root / table
        key = (table, path.stat().st_mtime if "/" in table else 0.0, decisions)
        if key not in self._rows:
            made = await self.tables.ask(do="rows", table=table, decisions=decisions)
            if "error" in made:
                raise InputError(made["error"])
            self._rows[key] = made
            if len(self._rows) > _MOST_TABLES:
                self._rows.popitem(last=False)
        return self._rows[key]

    def fit(self, number: int) -> Fit:
        """A fit by its number.

        Raises:
            InputError: There is no such fit.
        """
        found = self.fits.get(number) if number <= _MOST_FITS else None
        if found is None:
            raise InputError(f"there is no fit {number} in this project")
        return found

    def result(self, number: int) -> Path:
        """The folder of a finished fit.

        Raises:
            InputError: There is no such fit, or it is not finished.
        """
        fit = self.fit(number)
        if fit.state is not State.DONE or not self.project.result(number, PAGE).is_file():
            raise InputError(f"fit {number} has no result yet, or none any more: see the page Fit")
        return self.project.result(number)

    def finished(self) -> list[Fit]:
        """The fits with a result, the newest first."""
        done = [fit for fit in self.fits.all() if fit.state is State.DONE]
        return [f for f in reversed(done) if self.project.result(f.number, PAGE).is_file()]

    async def play(self, world: str) -> str:
        """The address of the game, which is begun where it does not run.

        Args:
            world: Path in the project of the maze that is played; "" for the boards of the study.
                One at a time is: another that runs is ended, and what was played in it is written.

        Raises:
            InputError: It does not begin.
        """
        async with self._one_game:
            return await self._played(world)

    async def _played(self, world: str) -> str:
        """The address of the game; one visitor at a time asks."""
        saved = (self.project.root / world).stat().st_mtime if world else 0.0
        if self._game is None or self._game.poll() is not None or self._world != (world, saved):
            await asyncio.to_thread(self._end_game)
            options = ["--no-browser", "--json", "--port", "0", "--out", games_of(world)]
            options += ["--maze", world] if world else []
            self._world = world, saved
            with tempfile.TemporaryFile() as said:
                told = await self._begun(options, said)
            self._address = json.loads(told)["address"]
        return self._address

    async def _begun(self, options: list[str], said: IO[bytes]) -> str:
        """What the game says when it begins; what goes wrong goes to `said`.

        Raises:
            InputError: It does not begin.
        """
        self._game = subprocess.Popen(
            [sys.executable, "-m", "inverseq.cli", "play", *options],
            cwd=self.project.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
        told = ""
        with suppress(TimeoutError):
            told = await asyncio.wait_for(asyncio.to_thread(self._greeting), _OPENING)
        if not told:
            await asyncio.to_thread(self._end_game)
            said.seek(0)
            why = said.read().decode(errors="replace").strip()
            why = why.splitlines()[-1] if why else "try inverseq play in a terminal"
            raise InputError(f"the game does not begin: {why.removeprefix(_MISTAKE)}")
        return told

    def _end_game(self) -> None:
        """Stop the game, if it was begun; what was played is written."""
        game, self._game = self._game, None
        if game is not None:
            game.terminate()
            game.communicate()

    def _greeting(self) -> str:
        """What the game says when it begins: one object in JSON; "" where it ends without."""
        assert self._game is not None  # it was just begun
        assert self._game.stdout is not None  # it is a pipe
        told = ""
        for line in self._game.stdout:
            told += line
            if line == "}\n":
                return told
        return ""


def games_of(world: str) -> str:
    """The path in the project of the games that are played in a maze, or on the study's boards."""
    return f"{TABLES}/{GAMES}{'-' if world else ''}{PurePosixPath(world).stem}.parquet"
