"""Mazes from files: text, JSON, arrays and images; one in a file, several, or a folder of them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from jaxtyping import Shaped

from inverseq._core.errors import InputError
from inverseq.worlds.grids import maze
from inverseq.worlds.record import World

_CELLS = ".#SG"
"""What the numbers 0 to 3 of an array mean."""
_MOST_CELLS = 200
"""Cells each way beyond which a picture is taken for one without cells."""
_COLOURS = {".": (1, 1, 1), "#": (0, 0, 0), "S": (0, 1, 0), "G": (1, 0, 0)}

Layouts = Iterator[tuple[str, int, list[str]]]
"""Of each maze of a file: its name, the line of its first row (0: none), and its rows."""


def read_mazes(path: str | Path, *, discount: float = 0.9) -> dict[str, World]:
    """The mazes of a file, or of all files of a folder that hold some, by name.

    A maze is called as its file, or as the file calls it where that may hold several:

    - text (.txt, .maze): rows as in `worlds.maze`; a line `[name]` begins another maze.
    - JSON (.json): an object from names to rows, each a list of texts or one text with line breaks.
    - an array (.npy; several by name in .npz): 0 free, 1 obstacle, 2 start, 3 goal; [y, x].
    - an image (.png and what Pillow reads): white free, black obstacle, green start, red goal.
      Cells are squares of equal size.

    Args:
        path: The file or the folder.
        discount: gamma.

    Returns:
        The worlds, whose MDPs have no reward: what a walk is worth is the question.

    Raises:
        InputError: There is no such file, no maze in it, two mazes have one name, or a maze cannot
            be used; the message names the file, and the maze or the line.
    """
    path = Path(path)
    if not path.exists():
        raise InputError(f"there is no file or folder {str(path)!r}")
    files = [path]
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if is_maze_file(file))
        if not files:
            raise InputError(f"folder {path.name} holds no maze: {_KINDS} are read")
    made: dict[str, World] = {}
    homes: dict[str, str] = {}
    for file in files:
        for name, line, rows in _layouts(file):
            here = f"{file.name}, line {line}" if line else file.name
            if name in made:
                raise InputError(
                    f"two mazes are called {name!r} ({homes[name]} and {here}); rename one"
                )
            homes[name] = here
            made[name] = _world(file, name, line, rows, discount)
    if not made:
        raise InputError(f"{path.name} holds no maze")
    return made


def is_maze_file(path: Path) -> bool:
    """Whether a file is of a kind that holds mazes, judging by its ending; or a folder. A text
    whose first line has several columns is a table.
    """
    if path.is_dir() or path.suffix.lower() != ".txt":
        return path.is_dir() or path.suffix.lower() in _READERS
    with path.open(encoding="utf-8-sig", errors="replace") as text:
        first = text.readline()
    return first.startswith("[") or not any(mark in first for mark in ",;\t|")


def _world(file: Path, name: str, line: int, rows: list[str], discount: float) -> World:
    """One maze, its errors with the place where it stands."""
    for number, row in enumerate(rows):
        if len(row) != len(rows[0]):
            where = f"line {line + number}" if line else f"row {number + 1} of maze {name!r}"
            raise InputError(
                f"{file.name}, {where}: the row has {len(row)} cells, the first row of {name!r} "
                f"has {len(rows[0])}; write every cell, . for free and # for obstacles"
            )
    try:
        world = maze(rows, name=name, discount=discount)
    except InputError as error:
        where = f"maze {name!r}" + (f" (from line {line})" if line else "")
        raise InputError(f"{file.name}, {where}: {error}") from error
    return replace(world, mdp=replace(world.mdp, reward=None))


def _layouts(file: Path) -> Layouts:
    """The mazes of one file."""
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise InputError(f"{file.name} is no kind of file that holds mazes: {_KINDS} are read")
    try:
        yield from reader(file)
    except (OSError, ValueError, EOFError, BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{file.name} cannot be read: {error}") from error


def _from_text(file: Path) -> Layouts:
    """Rows of text; `[name]` begins another maze, empty lines part nothing."""
    name, first, rows = file.stem, 1, []
    for number, line in enumerate(file.read_text(encoding="utf-8-sig").splitlines(), 1):
        if line.startswith("[") and line.rstrip().endswith("]"):
            if rows:
                yield name, first, rows
            name, rows = line.strip()[1:-1].strip(), []
        elif line:
            if not rows:
                first = number
            elif number != first + len(rows):
                raise InputError(
                    f"{file.name}, line {number - 1}: an empty line inside maze {name!r}; fill the "
                    "row, or begin another maze with a line [name]"
                )
            rows.append(line)
    if rows:
        yield name, first, rows


def _from_json(file: Path) -> Layouts:
    """An object from names to rows."""

    def once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise InputError(f"{file.name}: two mazes are called {twice[0]!r}; rename one")
        return dict(pairs)

    known = json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=once)
    for name, rows in (known if isinstance(known, Mapping) else {file.stem: known}).items():
        rows = rows.strip("\n").split("\n") if isinstance(rows, str) else rows
        if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
            raise InputError(
                f'{file.name}, maze {name!r}: rows are texts, ["S.#", "..G"]; got {rows!r:.60}'
            )
        yield name, 0, rows


def _from_arrays(file: Path) -> Layouts:
    """One array, or several by name."""
    with file.open("rb") as stream:
        loaded = np.load(stream, allow_pickle=False)
        named = {file.stem: loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    for name, array in named.items():
        plain = array.ndim == 2 and array.dtype.kind in "biu"
        if not plain or array.min(initial=0) < 0 or array.max(initial=0) >= len(_CELLS):
            raise InputError(
                f"{file.name}, maze {name!r}: an array has two axes [y, x] of 0 (free), 1 "
                f"(obstacle), 2 (start) and 3 (goal); got shape {array.shape} of {array.dtype}"
            )
        cells = np.array(list(_CELLS))[array.astype(int)]
        yield name, 0, ["".join(row) for row in cells]


def _from_image(file: Path) -> Layouts:
    """Squares of one colour each."""
    from matplotlib import image  # half a second that no other kind needs

    pixels = np.asarray(image.imread(file), dtype=float)
    pixels = pixels / 255 if pixels.max(initial=0) > 1 else pixels
    pixels = pixels[..., None].repeat(3, 2) if pixels.ndim == 2 else pixels[..., :3]
    distance = [((pixels - colour) ** 2).sum(-1) for colour in _COLOURS.values()]
    kinds = np.argmin(distance, axis=0)
    side = _side(kinds)
    height, width = (length // side for length in kinds.shape)
    if max(height, width) > _MOST_CELLS:
        raise InputError(
            f"{file.name}: cells of {side} pixels would make {width} x {height} of them, so its "
            "edges are no cells; draw equal squares in white, black, green and red with sharp edges"
        )
    cells = np.array(list(_COLOURS))[kinds[::side, ::side]]
    yield file.stem, 0, ["".join(row) for row in cells]


def _side(kinds: Shaped[np.ndarray, "H W"]) -> int:
    """Pixels along a cell: what divides every run of one kind in rows and columns."""
    down = np.flatnonzero((kinds[1:] != kinds[:-1]).any(1)) + 1
    across = np.flatnonzero((kinds[:, 1:] != kinds[:, :-1]).any(0)) + 1
    return int(np.gcd.reduce([*kinds.shape, *down, *across]))


_READERS: Mapping[str, Callable[[Path], Layouts]] = {
    ".txt": _from_text,
    ".maze": _from_text,
    ".json": _from_json,
    ".npy": _from_arrays,
    ".npz": _from_arrays,
    **dict.fromkeys((".png", ".bmp", ".gif", ".tif", ".tiff"), _from_image),
}
_KINDS = ", ".join(_READERS)
