"""Who can play beside a person: the expert, somebody at random, or what was fitted."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError
from inverseq._core.store import load_any
from inverseq.app.games import player_cell, tiles_as_text
from inverseq.app.play.match import Companion
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.networks import TrainedNetwork
from inverseq.play.agents import Agent, ShortestPathAgent
from inverseq.play.fitted import QAgent
from inverseq.policies.network import NetworkPolicy
from inverseq.readers.games import ACTION_NAMES
from inverseq.worlds.game_boards import PLAYER, WIN

Companions = dict[str, Callable[[int], Companion]]
"""Name -> makes one that draws its random choices by a seed."""

Fitted = Solution | IntentionSolution | NetworkPolicy | TrainedNetwork

_KINDS = (Solution, IntentionSolution, NetworkPolicy, TrainedNetwork)


class TablePlayer:
    """Plays what was fitted to a table of games, in which states are cells or whole boards.

    Where the games never were, it moves at random; it knows the moves that were made in them.

    Args:
        agent: Plays by the states of `mdp`.
        mdp: The world that was fitted in; its actions have the names of moves.
    """

    def __init__(self, agent: QAgent, mdp: MDP):
        self._agent = agent
        known = mdp.num_states if mdp.history is None else mdp.history.num_base_states
        names = names_or_numbers(mdp.state_names, known)
        self._states = {name: number for number, name in enumerate(names)}
        self._moves = [ACTION_NAMES.index(name) for name in mdp.action_names]

    def get_action(self, observation: np.ndarray) -> int:
        """The move on a board of tiles `[H, W]`."""
        tiles = observation.astype(np.int64)
        for name in (str(player_cell(tiles)), tiles_as_text(tiles)):
            if name in self._states:
                return self._moves[self._agent.get_action(self._states[name])]
        return int(self._agent.rng.choice(self._moves))


def companions(saved: str | os.PathLike | None, shape: tuple[int, int]) -> Companions:
    """The expert, one that acts at random, and last, under its file's name, a saved solution.

    Args:
        saved: What `inverseq.save` or `inverseq fit` wrote: a solution of one intention or several,
            fitted to boards or to a table of games, a `NetworkPolicy` or a `TrainedNetwork`. Or
            None.
        shape: Height and width of the boards.

    Raises:
        InputError: The file holds nothing that can play on such boards.
    """
    made: Companions = {"expert": ShortestPathAgent, "random": lambda seed: Agent(4, seed)}
    if saved is not None:
        fitted = load_any(saved, _KINDS)
        board = np.zeros(shape, np.float32)
        board[0, 0], board[-1, -1] = PLAYER, WIN
        try:
            action = _player(fitted, 0).get_action(board)
        except (InputError, TypeError, ValueError) as error:
            raise InputError(
                f"{saved} cannot play on boards of {shape[1]} x {shape[0]} tiles: {error}. Play "
                "some games, and fit to them: inverseq fit demonstrations.parquet"
            ) from error
        if not 0 <= action < 4:
            raise InputError(f"{saved} plays action {action}; the game has four moves, 0 to 3")
        made[_free_name(Path(saved).stem, made)] = lambda seed: _player(fitted, seed)
    return made


def _player(fitted: Fitted, seed: int) -> Companion:
    """Whoever plays by it."""
    agent = QAgent(fitted, seed)
    mdp = None if isinstance(fitted, NetworkPolicy | TrainedNetwork) else fitted.mdp
    if mdp is None:
        return agent
    if not mdp.action_names or not set(mdp.action_names) <= set(ACTION_NAMES):
        named = mdp.action_names or "without names"
        raise InputError(f"its actions are {named}, and moves are {ACTION_NAMES}")
    return TablePlayer(agent, mdp)


def _free_name(name: str, taken: Companions) -> str:
    """The name, made different from those that are taken."""
    return f"{name} (file)" if name in (*taken, "none") else name
