"""Games that people played, from the Parquet file that `inverseq play` records."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.spaces import numbers_meant
from inverseq.readers.engine import Scan, connect, scan_file

ACTION_NAMES = ("up", "right", "down", "left")
"""Names of the moves, by number."""

COLUMNS: Mapping[str, str] = {
    "session": "VARCHAR",
    "subject": "VARCHAR",
    "difficulty": "VARCHAR",
    "rules": "VARCHAR",
    "began": "VARCHAR",
    "ended": "VARCHAR",
    "best_moves": "INTEGER",
    "episode": "BIGINT",
    "move": "INTEGER",
    "time": "DOUBLE",
    "state": "INTEGER",
    "action": "VARCHAR",
    "next_state": "INTEGER",
    "reward": "DOUBLE",
    "terminated": "BOOLEAN",
    "truncated": "BOOLEAN",
    "tiles": "VARCHAR",
    "next_tiles": "VARCHAR",
}
"""Columns of the file and their types in DuckDB; `read_games` says what each means."""

PER_GAME = ("session", "subject", "difficulty", "rules", "began", "ended", "best_moves")
"""Columns that hold for a game as a whole."""


def require_games(scan: Scan) -> None:
    """Raise an `InputError` where a file does not hold the columns of recorded games."""
    missing = [name for name, kind in COLUMNS.items() if scan.types.get(name) != kind]
    if missing:
        raise InputError(
            f"{scan.path} is not a file of recorded games: it lacks {', '.join(missing[:4])}"
            f"{' and more' if len(missing) > 4 else ''}. Name another file"
        )


def read_games(path: str | os.PathLike) -> Demonstrations:
    """Games that `inverseq play` recorded, as demonstrations with boards for states.

    Each game is a trajectory. `states` and `next_states` are tile codes `[N, H, W]` of uint8 (0
    floor, 1 wall, 2 player, 3 win), `actions` 0 up, 1 right, 2 down, 3 left; a game that was won is
    terminated, one that reached the limit or was abandoned is truncated. Columns per decision:
    "reward"; per trajectory: "session", "subject" (the person's name), "difficulty", "rules"
    (settings as JSON), "began" (UTC), "ended" ("won", "limit", "abandoned"), "best_moves" and
    "trajectory" (the number of the game in the file). `time` is in seconds since the board was
    shown. `demos.select(ended="won")` leaves abandoned games out.

    The file can be read by `read_table` as well: there a state is the player's cell, y * W + x,
    which tells everything only where walls and win never move.

    Raises:
        InputError: The file is missing, damaged, not of recorded games, or mixes boards of
            different sizes.
    """
    path = Path(path)
    names = ", ".join(COLUMNS)
    with connect() as connection:
        scan = scan_file(path, connection)
        require_games(scan)
        found = connection.execute(
            f"SELECT {names} FROM {scan.relation} ORDER BY episode, move"
        ).fetchnumpy()
    text = {name: np.asarray(values) for name, values in found.items()}
    episode = text["episode"]
    if episode.size == 0:
        raise InputError(f"{path} holds no games yet")
    begins = np.flatnonzero(np.append(True, episode[1:] != episode[:-1]))
    return Demonstrations.from_arrays(
        _boards(text["tiles"], path),
        np.array([ACTION_NAMES.index(name) for name in text["action"]]),
        next_states=_boards(text["next_tiles"], path),
        trajectory=episode,
        terminated=text["terminated"],
        time=text["time"],
        decisions={"reward": text["reward"]},
        trajectories={
            name: text[name][begins] if name == "best_moves" else text[name][begins].astype(str)
            for name in PER_GAME
        },
        action_names=ACTION_NAMES,
        source=str(path),
    )


def _boards(texts: np.ndarray, path: Path) -> np.ndarray:
    """`[N, H, W]` tile codes of boards as text."""
    shapes = {(text.count("/") + 1, len(text.partition("/")[0])) for text in set(texts)}
    if len(shapes) > 1:
        sizes = ", ".join(f"{width} x {height}" for height, width in sorted(shapes))
        raise InputError(f"{path} holds boards of several sizes ({sizes}); keep a file for each")
    ((height, width),) = shapes
    digits = "".join(texts).replace("/", "").encode("ascii")
    codes = np.frombuffer(digits, dtype=np.uint8) - np.uint8(ord("0"))
    return codes.reshape(len(texts), height, width)


def places_of_cells(demonstrations: Demonstrations) -> Float[np.ndarray, "S 2"] | None:
    """Where the states lie, x and y from the top left, where they are cells in a table of games.

    Such a table has the board of each move in its column "tiles". None where there is no such
    column, boards have several widths, or states are something else.
    """
    tiles = demonstrations.decisions.get("tiles")
    if tiles is None or demonstrations.states.ndim != 1:
        return None
    names = demonstrations.state_names
    # Cells where nobody was are no states; the names of the others are their numbers on the board.
    numbers = numbers_meant(names) if names else np.arange(demonstrations.num_states)
    if numbers is None:
        return None
    rows = [str(board).split("/") for board in tiles]
    width = len(rows[0][0])
    cells = ["".join(row).find("2") for row in rows]
    if {len(row[0]) for row in rows} != {width} or cells != numbers[demonstrations.states].tolist():
        return None
    return np.stack([numbers % width, numbers // width], axis=1).astype(float)
