"""Pictures of a board of the GridWorld game."""

from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Int, UInt8

from inverseq.worlds.game_boards import FLOOR, PLAYER, WALL, WIN

_COLOURS = {
    FLOOR: (244, 241, 234),
    WALL: (62, 70, 82),
    PLAYER: (213, 94, 0),
    WIN: (0, 158, 115),
}
_LINE = (216, 210, 198)
"""Between the cells."""

_LETTERS = np.array([".", "#", "@", "G"])


def board_picture(
    tiles: Int[np.ndarray, "H W"], win: int | np.integer, cell: int = 32
) -> UInt8[np.ndarray, "height width 3"]:
    """A board as pixels: walls dark, the win a green square, the player an orange disc.

    Args:
        tiles: Codes of the tiles: 0 floor, 1 wall, 2 player, 3 win.
        win: Cell of the win, y * W + x, to be seen where the player stands on it.
        cell: Side of a cell in pixels.
    """
    ground = tiles.copy()
    player = tiles == PLAYER
    ground[player] = FLOOR
    ground.flat[win] = WIN
    palette = np.array([_COLOURS[code] for code in (FLOOR, WALL, PLAYER, WIN)], dtype=float)
    pixels = palette[ground].repeat(cell, axis=0).repeat(cell, axis=1)
    for y, x in np.argwhere(player):
        there = pixels[y * cell : (y + 1) * cell, x * cell : (x + 1) * cell]
        share = _disc(cell)[:, :, None]
        there[:] = share * palette[PLAYER] + (1 - share) * there
    lines = np.arange(0, max(pixels.shape[:2]), cell)
    pixels[lines[lines < pixels.shape[0]]] = _LINE
    pixels[:, lines[lines < pixels.shape[1]]] = _LINE
    pixels[-1] = pixels[:, -1] = _LINE
    return pixels.round().astype(np.uint8)


def board_text(tiles: Int[np.ndarray, "H W"]) -> str:
    """A board as text: `.` floor, `#` wall, `@` the player, `G` the win."""
    return "\n".join("".join(row) for row in _LETTERS[tiles])


@lru_cache(maxsize=8)
def _disc(cell: int) -> np.ndarray:
    """`[cell, cell]` share of each pixel that a disc in the middle of a cell covers."""
    fine = 4
    place = (np.arange(cell * fine) + 0.5) / (cell * fine) - 0.5
    inside: Bool[np.ndarray, "n n"] = place[:, None] ** 2 + place[None, :] ** 2 < 0.36**2
    return inside.reshape(cell, fine, cell, fine).mean((1, 3))
