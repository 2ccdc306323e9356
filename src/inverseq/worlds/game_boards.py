"""Boards of the GridWorld game: how they are drawn at random, and the way to the win."""

from collections import deque
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Int

from inverseq._core.errors import InputError

Cell = tuple[int, int]

FLOOR, WALL, PLAYER, WIN = range(4)
"""Codes of the tiles."""

_ATTEMPTS, _SUCCESSES = 60, 3
"""Boards drawn when settings are checked, and how many of them must have a way to the win."""


class GridState(NamedTuple):
    """Where a game stands; arrays of NumPy or of JAX, with further axes in front for many games."""

    walls: Any
    """`[H, W]` bool, indexed [y, x]."""
    player: Any
    """Cell of the player, y * W + x."""
    win: Any
    """Cell of the win tile, y * W + x."""
    moves: Any
    """Moves made in this game."""


class Layout(NamedTuple):
    """What is fixed on the boards of a game, in numbers of cells, y * W + x."""

    width: int
    height: int
    walls: tuple[int, ...] | None
    """Fixed walls; None where they are drawn anew for each game."""
    num_walls: int
    """How many are drawn then."""
    start: int | None
    """The fixed start; None where it is drawn."""
    win: int | None
    """The fixed win; None where it is drawn."""

    @property
    def cells(self) -> int:
        """How many there are."""
        return self.width * self.height

    def wins(self) -> Int[np.ndarray, " choices"]:
        """Cells where the win may lie."""
        if self.win is not None:
            return np.array([self.win])
        return np.setdiff1d(np.arange(self.cells), [*(self.walls or ()), *self._begin()])

    def _begin(self) -> tuple[int, ...]:
        return () if self.start is None else (self.start,)

    def fixed_walls(self) -> Bool[np.ndarray, " cells"]:
        """Mask of the walls that every board has."""
        return np.isin(np.arange(self.cells), self.walls or ())

    def starts(self, distance: Int[np.ndarray, " cells"]) -> Int[np.ndarray, " choices"]:
        """Cells where the player may begin, given how far each is from the win (-1: no way)."""
        begin = np.arange(self.cells) if self.start is None else np.array([self.start])
        return begin[distance[begin] > 0]


def board_distances(
    walls: Bool[np.ndarray, "H W"], win: int | np.integer
) -> Int[np.ndarray, " cells"]:
    """Fewest moves to the win from each cell y * W + x; -1 where there is no way, and in walls.

    Args:
        walls: Cells that cannot be entered, indexed [y, x].
        win: Cell of the win, y * W + x.
    """
    height, width = walls.shape
    # A border of walls around the board spares every test of its edge.
    step = width + 2
    distance = np.pad(walls, 1, constant_values=True).ravel().astype(np.int64)
    ahead = (-2 * distance).tolist()  # -2 a wall, 0 not yet seen
    begin = (int(win) // width + 1) * step + int(win) % width + 1
    ahead[begin] = 1
    queue = deque([begin])
    while queue:
        here = queue.popleft()
        beyond = ahead[here] + 1
        for there in (here - step, here + 1, here + step, here - 1):
            if ahead[there] == 0:
                ahead[there] = beyond
                queue.append(there)
    inside = np.array(ahead).reshape(height + 2, step)[1:-1, 1:-1].ravel()
    return np.where(inside > 0, inside - 1, -1)


def draw_board(
    layout: Layout, rng: np.random.Generator
) -> tuple[GridState, Int[np.ndarray, " cells"]] | None:
    """One board and its distances to the win, or None where nobody could win on what was drawn."""
    win = int(rng.choice(layout.wins()))
    walls = layout.fixed_walls()
    if layout.walls is None:
        kept = [win] if layout.start is None else [win, layout.start]
        free = np.delete(np.arange(layout.cells), kept)
        walls[rng.choice(free, layout.num_walls, replace=False)] = True
    board = walls.reshape(layout.height, layout.width)
    distance = board_distances(board, win)
    starts = layout.starts(distance)
    if not starts.size:
        return None
    return GridState(board, int(rng.choice(starts)), win, 0), distance


def check_layout(layout: Layout) -> None:
    """Raise an `InputError` where no board, or next to none, has a way from a start to a win."""
    rng = np.random.default_rng(0)
    chance = layout.walls is None or layout.win is None
    attempts, needed = (_ATTEMPTS, _SUCCESSES) if chance else (1, 1)
    solved = sum(draw_board(layout, rng) is not None for _ in range(attempts))
    if solved >= needed:
        return
    if not chance:
        where = "from any cell" if layout.start is None else "from the start"
        raise InputError(
            f"these walls leave no way to the win {where}. Open a wall, or move the win or start."
        )
    raise InputError(
        f"of {attempts} boards drawn by these rules {solved} had a way to the win. Use fewer walls "
        f"(num_walls is {layout.num_walls} of {layout.cells} cells) or a larger board."
        if layout.walls is None
        else f"of {attempts} wins drawn between these walls {solved} could be reached. Open a wall."
    )
