"""Who can play beside a person: the expert, somebody at random, or what was fitted."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from inverseq._core.errors import InputError
from inverseq._core.store import load
from inverseq.app.play.match import Companion
from inverseq.inverse.solution import Solution
from inverseq.networks import TrainedNetwork
from inverseq.play.agents import Agent, ShortestPathAgent
from inverseq.play.fitted import QAgent
from inverseq.policies.network import NetworkPolicy
from inverseq.worlds.game_boards import PLAYER, WIN

Companions = dict[str, Callable[[int], Companion]]
"""Name -> makes one that draws its random choices by a seed."""

_FITTED = (Solution, NetworkPolicy, TrainedNetwork)


def companions(saved: str | os.PathLike | None, shape: tuple[int, int]) -> Companions:
    """The expert, one that acts at random, and last, under its file's name, a saved solution.

    Args:
        saved: A `Solution`, `NetworkPolicy` or `TrainedNetwork` saved by `inverseq.save`, or None.
        shape: Height and width of the boards.

    Raises:
        InputError: The file holds nothing that can play on such boards.
    """
    made: Companions = {"expert": ShortestPathAgent, "random": lambda seed: Agent(4, seed)}
    if saved is not None:
        fitted = _load(saved)
        board = np.zeros(shape, np.float32)
        board[0, 0], board[-1, -1] = PLAYER, WIN
        try:
            action = QAgent(fitted, 0).get_action(board)
        except (InputError, TypeError, ValueError) as error:
            raise InputError(
                f"{saved} cannot play on boards of {shape[1]} x {shape[0]} tiles: {error}. Fit a "
                "solution to games, such as those of inverseq.read_games"
            ) from error
        if not 0 <= action < 4:
            raise InputError(f"{saved} plays action {action}; the game has four moves, 0 to 3")
        made[_free_name(Path(saved).stem, made)] = lambda seed: QAgent(fitted, seed)
    return made


def _load(saved: str | os.PathLike) -> Solution | NetworkPolicy | TrainedNetwork:
    """Whatever of the three kinds the file holds."""
    problems = []
    for kind in _FITTED:
        try:
            return load(saved, kind)
        except InputError as error:
            problems.append(error)
    raise problems[0]


def _free_name(name: str, taken: Companions) -> str:
    """The name, made different from those that are taken."""
    return f"{name} (file)" if name in (*taken, "none") else name
