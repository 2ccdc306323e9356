"""Games that people play: what one is, and the rows that are written of it."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Int

from inverseq.readers.games import ACTION_NAMES, COLUMNS, PER_GAME


class End(StrEnum):
    """How a game ended."""

    WON = "won"
    LIMIT = "limit"
    ABANDONED = "abandoned"


@dataclass(frozen=True)
class Turn:
    """One move of a game.

    Attributes:
        tiles: `[H, W]` the board before the move: 0 floor, 1 wall, 2 player, 3 win.
        action: 0 up, 1 right, 2 down, 3 left.
        reward: What the move earned.
        next_tiles: `[H, W]` the board after it.
        terminated: Whether the game was won by it.
        truncated: Whether the limit of moves was reached by it.
        time: Seconds since the board was shown.
    """

    tiles: Int[np.ndarray, "H W"]
    action: int
    reward: float
    next_tiles: Int[np.ndarray, "H W"]
    terminated: bool
    truncated: bool
    time: float


@dataclass(frozen=True)
class Game:
    """A game that is over, as it is written: N moves of one person on one board.

    Attributes:
        session: Which visit to the page.
        subject: The name that the person gave, or "anonymous".
        difficulty: Name of the rules.
        rules: The settings of the rules, as JSON.
        began: When the board was shown, in UTC, ISO 8601.
        ended: How it ended.
        best_moves: The fewest moves that win from its first board.
        turns: The moves, at least one.
    """

    session: str
    subject: str
    difficulty: str
    rules: str
    began: str
    ended: End
    best_moves: int
    turns: tuple[Turn, ...]


def tiles_as_text(tiles: Int[np.ndarray, "H W"]) -> str:
    """A board as text: a digit per tile, rows from the top with strokes between, "001/230"."""
    return "/".join("".join(map(str, row)) for row in tiles.tolist())


def player_cell(tiles: Int[np.ndarray, "H W"]) -> int:
    """Number of the player's cell, y * W + x from the top left."""
    return int(np.argmax(tiles == 2))


def rows_of(game: Game, episode: int) -> dict[str, list]:
    """The game as columns, one row per move; an abandoned game is truncated by its last one."""
    turns = game.turns
    last = len(turns) - 1
    left = game.ended is End.ABANDONED
    whole = {name: str(getattr(game, name)) for name in PER_GAME}
    columns: dict[str, list] = {name: [value] * len(turns) for name, value in whole.items()}
    columns |= {
        "best_moves": [game.best_moves] * len(turns),
        "episode": [episode] * len(turns),
        "move": list(range(len(turns))),
        "time": [round(turn.time, 3) for turn in turns],
        "state": [player_cell(turn.tiles) for turn in turns],
        "action": [ACTION_NAMES[turn.action] for turn in turns],
        "next_state": [player_cell(turn.next_tiles) for turn in turns],
        "reward": [turn.reward for turn in turns],
        "terminated": [turn.terminated for turn in turns],
        "truncated": [turn.truncated or (left and i == last) for i, turn in enumerate(turns)],
        "tiles": [tiles_as_text(turn.tiles) for turn in turns],
        "next_tiles": [tiles_as_text(turn.next_tiles) for turn in turns],
    }
    return {name: columns[name] for name in COLUMNS}
