"""The folder of a project: tables, worlds, fits, and their list."""

import os
import re
import shutil
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain, count
from pathlib import Path

from inverseq._core.errors import InputError
from inverseq._core.files import take_lock
from inverseq._core.folders import claimed
from inverseq.app.episodes import tabled
from inverseq.app.fits import Fits
from inverseq.app.networks import ENDING, PLACES

TABLES, WORLDS, FITS, KEPT = "tables", "worlds", "fits", "kept"
"""Folders of a project: files that came in, worlds that were drawn, results, and finished work."""

GAMES = "games"
"""How the files among the tables begin to which games are added as they are played here."""

DATASETS = ("mice", "people", "bandit", "switching_grid", "spontaneous", "lever")
"""The bundled data sets, in the order in which they are shown."""

LIST = "fits.sqlite"
_ARRIVING = ".arriving"
_LOCKS = ".locks"

_KINDS = ((b"PAR1", ".parquet"), (b"\x89HDF\r\n\x1a\n", ".nwb"), (b"\x1f\x8b", ".csv.gz"))
"""How files begin, and what they are then; all others are text."""

_WORKBOOKS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
"""How zipped and old workbooks begin."""

_TEXTS = (".csv", ".tsv", ".txt")
_LONGEST_NAME = 60


class Project:
    """A project in a folder that exists.

    Attributes:
        root: The folder.
        fits: Its list of fits.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.fits = Fits(root / LIST)

    def tables(self) -> list[str]:
        """Paths in the project of the files that came in, by name."""
        return _files(self.root, TABLES)

    def worlds(self) -> list[str]:
        """Paths in the project of the worlds that were drawn, by name."""
        return [name for name in _files(self.root, WORLDS) if not name.endswith(PLACES)]

    def places(self) -> list[str]:
        """Paths in the project of tables that say where the states of a drawn world lie."""
        return [name for name in _files(self.root, WORLDS) if name.endswith(PLACES)]

    def places_of(self, world: str) -> str:
        """The path in the project of that of a world; "" where there is none."""
        told = world.removesuffix(ENDING) + PLACES
        return told if world.endswith(ENDING) and told in self.places() else ""

    def table(self, told: str) -> str:
        """A table that there is, by the name that a request gives.

        Raises:
            InputError: There is no such table.
        """
        if told in (*DATASETS, *self.tables()):
            return told
        raise InputError(f"there is no table {told!r} in this project: choose one on the page Data")

    def require_own(self, options: Mapping[str, str]) -> None:
        """Raise an `InputError` where options name files that are not of this project."""
        worlds = ("labyrinth", "estimated", *self.worlds(), *self.tables())
        for name, known in (("world", worlds), ("places", (*self.places(), *self.tables()))):
            if name in options and options[name] not in known:
                raise InputError(
                    f"there is no {name} {options[name]!r} in this project: bring the file in on "
                    "the page Data, or paint a maze on the page World"
                )

    def result(self, number: int, *names: str) -> Path:
        """A file of the result of a fit; `names` are of the server, never of a request."""
        return self.root.joinpath(FITS, str(number), *names)

    def arriving(self, number: int) -> Path:
        """Where a file lies while it comes in."""
        return self.root / _ARRIVING / str(number)

    def keep(self, arrived: Path, told: str, limit: int) -> str:
        """Take a file in that has arrived; its path in the project. A zipped data set of Minari
        becomes a table.

        Args:
            arrived: The file.
            limit: Bytes that what is zipped may have.
            told: What the visitor calls it. A name is made of it that stands in no other folder,
                and to which no game will be added.

        Raises:
            InputError: It is empty, or of no kind that is read.
        """
        table = tabled(arrived, told, limit) if zipfile.is_zipfile(arrived) else None
        if table is not None:
            told = told.removesuffix(".zip")
            arrived = table
        ending = _ending(arrived, told)
        stem = told[: -len(ending)] if told.lower().endswith(ending) else told
        stem = _plain(stem, "table")
        if stem == GAMES or stem.startswith(f"{GAMES}-"):
            stem = f"table-{stem}"
        path = self._free(f"{TABLES}/{stem}", ending)
        os.replace(arrived, self.root / path)
        return path

    @contextmanager
    def aside(self, ending: str) -> Iterator[Path]:
        """A file that nobody else writes to, until the block ends.

        Raises:
            InputError: There is no room for it, or the project may not be written to.
        """
        try:
            handle, name = tempfile.mkstemp(ending, dir=self.root / _ARRIVING)
        except OSError as error:
            raise InputError(
                f"nothing can be written to the project {self.root.name}: {error.strerror}. Make "
                "room on the disk, or see to it that the folder may be written to"
            ) from error
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def world_path(self, told: str, ending: str, over: str = "") -> str:
        """The path in the project of a world that a visitor calls `told`: a free one, so that no
        world that a fit was made in is lost, unless it is that of the world that is changed.

        Args:
            told: What the visitor calls it.
            ending: What the file's name ends in.
            over: Path of the world that is changed; "" for a new one.

        Raises:
            InputError: It would be called as the file of another world's places.
        """
        stem = _plain(told, "world")
        if (stem + ending).endswith(PLACES):
            raise InputError(
                f"{stem} would be the name of the file in which the places of another world lie: "
                "give another name"
            )
        own = f"{WORLDS}/{stem}{ending}"
        return own if own == over else self._free(f"{WORLDS}/{stem}", ending)

    def _free(self, begin: str, ending: str) -> str:
        """A path in the project where nothing lies: numbered where `begin` alone is taken."""
        numbers = chain([""], (f"-{number}" for number in count(2)))
        names = (f"{begin}{number}{ending}" for number in numbers)
        return next(name for name in names if not (self.root / name).exists())

    @contextmanager
    def working(self, number: int) -> Iterator[None]:
        """Hold the lock that says that somebody works on a fit."""
        handle = os.open(self._lock(number), os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if take_lock(handle) is False:
                raise InputError(f"somebody works on fit {number} already")
            yield
        finally:
            os.close(handle)

    def is_worked_on(self, number: int) -> bool:
        """Whether a process works on a fit."""
        try:
            handle = os.open(self._lock(number), os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            return take_lock(handle) is False
        finally:
            os.close(handle)

    def _lock(self, number: int) -> Path:
        return self.root / _LOCKS / str(number)


@contextmanager
def opened(folder: str | os.PathLike) -> Iterator[Project]:
    """Open a project, and keep others from opening it until the block ends.

    Raises:
        InputError: It is opened already, it cannot be written to, or it is a file.
    """
    root = Path(folder).absolute()
    if root.exists() and not root.is_dir():
        raise InputError(f"{folder} is a file; a project is a folder. Name another, or a new one")
    with claimed(root):
        try:
            shutil.rmtree(root / _ARRIVING, ignore_errors=True)
            for name in (TABLES, WORLDS, FITS, _LOCKS, _ARRIVING):
                (root / name).mkdir(exist_ok=True)
        except OSError as error:
            raise InputError(
                f"cannot write to {root}: {error.strerror}. Choose a folder you may write to"
            ) from error
        yield Project(root)


def _files(root: Path, folder: str) -> list[str]:
    """Files of a folder of the project that are not hidden."""
    found = sorted((root / folder).iterdir(), key=lambda path: path.name.lower())
    return [f"{folder}/{p.name}" for p in found if p.is_file() and not p.name.startswith(".")]


def _plain(name: str, otherwise: str) -> str:
    """A name that every system takes for a file, and no shell for anything else; `otherwise` where
    no letter of it can be kept.
    """
    letters = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^\w.-]+", "_", letters, flags=re.ASCII).strip("._-")
    return plain[:_LONGEST_NAME].strip("._-") or otherwise


def _ending(arrived: Path, told: str) -> str:
    """The ending of a file, by what it holds.

    Raises:
        InputError: It is empty, or neither text nor of a kind that is read.
    """
    with arrived.open("rb") as stream:
        begin = stream.read(1 << 16)
    if not begin:
        raise InputError(f"{told} is empty. Choose the file again, once it holds a table")
    if told.lower().endswith("main_data.hdf5"):
        raise InputError(
            f"{told} is half of a data set of Minari: zip the folder in which it lies with its "
            "metadata.json, and choose the zip"
        )
    for sign, ending in _KINDS:
        if begin.startswith(sign):
            return ending
    if begin.startswith(_WORKBOOKS[0]) and told.lower().endswith(".zip"):
        raise InputError(
            f"{told} holds no data set of Minari, which is metadata.json beside main_data.hdf5: "
            "unpack it, and choose the table"
        )
    if begin.startswith(_WORKBOOKS):
        raise InputError(
            f"{told} is a workbook, of Excel or the like: save the sheet with the decisions by "
            "itself (Save as, CSV UTF-8), and choose that file"
        )
    if b"\0" in begin:
        raise InputError(
            f"{told} holds no table that can be read: give CSV (Excel: Save as, CSV UTF-8), "
            "Parquet, NWB, or the zipped folder of a data set of Minari"
        )
    return next((ending for ending in _TEXTS if told.lower().endswith(ending)), ".csv")
