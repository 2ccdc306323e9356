"""Whoever plays: at random, a person, and one that knows the shortest way."""

from collections.abc import Callable
from queue import Queue
from typing import Any

import numpy as np
from jaxtyping import Bool, Int

from inverseq._core.errors import InputError
from inverseq.worlds.game_boards import PLAYER, WALL, WIN, board_distances


class Agent:
    """An agent that acts at random; the others differ in what they override.

    Attributes:
        num_actions: A; actions are 0 to A - 1.
        rng: Where random choices come from.
        allowed: `[A]` bool, which actions exist now (when it is informed of a result, after that),
            as the environment says; None where it does not.
    """

    allowed: np.ndarray | None = None

    def __init__(self, num_actions: int, seed: int):
        self.num_actions = num_actions
        self.rng = np.random.default_rng(seed)

    @property
    def exist(self) -> Bool[np.ndarray, " A"]:
        """Which actions exist now; all where nobody says."""
        return np.ones(self.num_actions, dtype=bool) if self.allowed is None else self.allowed

    def get_action(self, observation: Any) -> int:
        """The action to take."""
        if not self.exist.all():
            return int(self.rng.choice(np.flatnonzero(self.exist)))
        return int(self.rng.integers(self.num_actions))

    def inform_result(
        self, next_observation: Any, reward: float, terminated: bool, truncated: bool
    ) -> None:
        """What came of the last action. Agents that learn remember it."""

    def train(self) -> float | None:
        """One training step; its loss, or None where there is nothing to learn (yet)."""
        return None


class HumanAgent(Agent):
    """A person, or anything else outside the program that chooses the actions.

    Args:
        actions: A queue that actions are put into (`get_action` waits for the next), or a function
            from the observation to the action.
        num_actions: A.
    """

    def __init__(self, actions: Queue | Callable[[Any], int], num_actions: int = 4):
        super().__init__(num_actions, seed=0)
        self._next = (lambda observation: actions.get()) if isinstance(actions, Queue) else actions

    def get_action(self, observation: Any) -> int:
        """The action that the person chooses.

        Raises:
            InputError: There is no such action, or not here.
        """
        action = self._next(observation)
        if not 0 <= action < self.num_actions:
            raise InputError(f"actions are 0 to {self.num_actions - 1}; got {action}")
        if not self.exist[action]:
            exist = np.flatnonzero(self.exist).tolist()
            raise InputError(f"action {action} does not exist here; those that do are {exist}")
        return int(action)


class ShortestPathAgent(Agent):
    """The expert of the GridWorld game: one of the best moves, those that tie equally often.

    It reads the board from its observation, in any of the forms of `worlds.GridWorldEnv`.

    Args:
        seed: Which choices among moves that tie.
        width: Cells in a row, for flat observations.
    """

    def __init__(self, seed: int, width: int = 10):
        super().__init__(4, seed)
        self._width = width
        self._board = b""
        self._distance = np.zeros(0, dtype=np.int64)

    def get_action(self, observation: Any) -> int:
        """A move on a shortest way to the win.

        Raises:
            InputError: No win tile is to be seen, or there is no way to it.
        """
        tiles = board_of(observation, self._width)
        win = np.flatnonzero(tiles == WIN)
        player = np.flatnonzero(tiles == PLAYER)
        if win.size != 1 or player.size != 1:
            raise InputError(f"the board needs one player and one win tile; it is {tiles.tolist()}")
        walls = tiles == WALL
        board = walls.tobytes() + win.tobytes()
        if board != self._board:
            self._board, self._distance = board, board_distances(walls, win[0])
        best = best_moves(self._distance[None], player, tiles.shape[1])[0]
        if not best.any():
            raise InputError("there is no way from the player to the win")
        return int(self.rng.choice(np.flatnonzero(best)))


def best_moves(
    distance: Int[np.ndarray, "games cells"], player: Int[np.ndarray, " games"], width: int
) -> np.ndarray:
    """`[games, 4]` bool, which moves (up, right, down, left) lead nearer to the win.

    Args:
        distance: Moves to the win from each cell, -1 where there is no way.
        player: Cell of each player.
        width: Cells in a row.
    """
    cells = distance.shape[1]
    there = player[:, None] + np.array([-width, 1, width, -1])
    column = player % width
    inside = np.stack(
        [player >= width, column < width - 1, player < cells - width, column > 0], axis=1
    )
    reached = np.take_along_axis(distance, np.where(inside, there, player[:, None]), axis=1)
    here = np.take_along_axis(distance, player[:, None], axis=1)
    return (here > 0) & (reached == here - 1)


def board_of(observation: Any, width: int) -> Int[np.ndarray, "H W"]:
    """Codes of tiles `[H, W]` from an observation: one-hot `[H, W, 4]`, codes, or flat codes.

    Raises:
        InputError: It is none of them.
    """
    given = np.asarray(observation)
    if given.ndim == 3 and given.shape[2] == 4:
        return given.argmax(axis=2)
    if given.ndim == 1 and given.size % width == 0:
        given = given.reshape(-1, width)
    if given.ndim != 2:
        raise InputError(
            f"a board is [H, W, 4], [H, W] or a multiple of {width} cells; its shape is "
            f"{given.shape}"
        )
    return np.rint(given).astype(np.int64)
