"""Games on a small board, as the app records them."""

from itertools import pairwise

import numpy as np

from inverseq.app.games import End, Game, Turn

WALL, PLAYER, WIN = 1, 2, 3


def board(player: int, win: int = 5, width: int = 3, height: int = 2, walls=()) -> np.ndarray:
    """A board of tiles; the player covers the win tile."""
    tiles = np.zeros(width * height, np.int64)
    tiles[list(walls)] = WALL
    tiles[win] = WIN
    tiles[player] = PLAYER
    return tiles.reshape(height, width)


def walk(cells, ended=End.WON, session="s1", subject="anonymous", **size) -> Game:
    """A game that goes through `cells` of a board, 3 x 2 unless told otherwise."""
    width = size.get("width", 3)
    actions = {-width: 0, 1: 1, width: 2, -1: 3, 0: 0}
    last = len(cells) - 2
    turns = tuple(
        Turn(
            board(here, **size),
            actions[there - here],
            10.0 if ended is End.WON and i == last else -1.0,
            board(there, **size),
            ended is End.WON and i == last,
            ended is End.LIMIT and i == last,
            0.5 * (i + 1),
        )
        for i, (here, there) in enumerate(pairwise(cells))
    )
    return Game(session, subject, "tiny", "{}", "2026-01-01T00:00:00+00:00", ended, 3, turns)
