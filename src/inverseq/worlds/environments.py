"""Worlds as Gymnasium environments, under ids that start with `inverseq/`."""

from functools import cached_property
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from jaxtyping import UInt8

from inverseq._core.errors import InputError
from inverseq.worlds.grids import STUDY_WALLS, four_by_three, gridworld, maze
from inverseq.worlds.labyrinths import labyrinth
from inverseq.worlds.lever import lever
from inverseq.worlds.objectworld import objectworld
from inverseq.worlds.record import World

MAKERS = {
    "inverseq/FourByThree-v0": four_by_three,
    "inverseq/Labyrinth-v0": labyrinth,
    "inverseq/Lever-v0": lever,
    "inverseq/Maze-v0": maze,
    "inverseq/Objectworld-v0": objectworld,
    "inverseq/TabularGridWorld-v0": gridworld,
}
"""The function behind each id; its arguments are those of `gymnasium.make`."""

_DEFAULTS = {
    "inverseq/FourByThree-v0": {},
    "inverseq/Labyrinth-v0": {},
    "inverseq/Lever-v0": {},
    "inverseq/Maze-v0": {"layout": ("..G", ".#.", "S..")},
    "inverseq/Objectworld-v0": {"seed": 0},
    # The 10 x 10 board of Aubuchon and Ho (2023).
    "inverseq/TabularGridWorld-v0": {
        "width": 10,
        "height": 10,
        "walls": STUDY_WALLS,
        "wins": ((9, 9),),
    },
}

_GAMES = {
    "inverseq/GridWorld-v0": {},
    "inverseq/GridWorldStaticWalls-v0": {"walls": STUDY_WALLS},
    "inverseq/GridWorldRandomWalls-v0": {},
    "inverseq/GridWorldRandomWin-v0": {"win": "random"},
}
"""The game of Aubuchon and Ho (2023), and its three grid types by name."""

_LIMITS = {"inverseq/Labyrinth-v0": 500}
"""Decisions in an episode where they are not 100, the longest game of the study."""

_CELL = 8
"""Side of a cell in a picture, in pixels."""

_COLOURS = {"free": 235, "blocked": 60}
_GOAL, _AGENT = (0, 158, 115), (213, 94, 0)


class MDPEnv(gymnasium.Env):
    """Any world, one decision a step.

    Observations are states, actions are actions; `info["action_mask"]` says which exist (1) at the
    present state. One that does not exist stays and earns nothing. Rewards are the expected rewards
    of the MDP, 0 where it has none.

    An episode terminates on arrival at a terminal state that earns nothing. A terminal state with
    a reward of its own (the exits of the 4x3 world) is acted in once, with any action: it pays and
    terminates. So the return is that of the MDP at every discount, and
    `MDP.from_gymnasium(environment)` gives the MDP back.

    Args:
        world: The world.
        render_mode: "ansi" for text, "rgb_array" for a small picture `[H, W, 3]`, or None.
    """

    metadata = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}  # noqa: RUF012

    def __init__(self, world: World, render_mode: str | None = None):
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise InputError(f'render_mode must be "ansi" or "rgb_array"; got {render_mode!r}')
        self.world = world
        self.render_mode = render_mode
        self.observation_space = spaces.Discrete(world.mdp.num_states)
        self.action_space = spaces.Discrete(world.mdp.num_actions)
        self._reward = _rewards(world)
        self._pays = world.mdp.terminal & (self._reward != 0).any(1)
        self._state = 0

    @property
    def initial_state_distrib(self) -> np.ndarray:
        """`[S]` probabilities of the first state, as the toy-text environments publish them."""
        return self.world.mdp.initial

    @cached_property
    def P(self) -> dict[int, dict[int, list[tuple[float, int, float, bool]]]]:
        """`P[state][action]`, a list of (probability, next state, reward, terminated), as the
        toy-text environments publish it. Actions that do not exist are left out.
        """
        mdp = self.world.mdp
        return {
            s: {int(a): self._branches(s, int(a)) for a in np.flatnonzero(mdp.allowed[s])}
            for s in range(mdp.num_states)
        }

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Begin an episode; the first state is drawn from the MDP's initial distribution."""
        super().reset(seed=seed)
        mdp = self.world.mdp
        self._state = int(self.np_random.choice(mdp.num_states, p=mdp.initial))
        return self._state, self._info()

    def step(self, action: int | np.integer) -> tuple[int, float, bool, bool, dict[str, Any]]:
        """One decision. Never truncates: the limit of `gymnasium.make` does."""
        mdp = self.world.mdp
        if not mdp.allowed[self._state, action]:
            return self._state, 0.0, bool(mdp.terminal[self._state]), False, self._info()
        branches = self._branches(self._state, int(action))
        chance = np.array([branch[0] for branch in branches])
        picked = branches[self.np_random.choice(len(branches), p=chance / chance.sum())]
        _, self._state, reward, terminated = picked
        return self._state, reward, terminated, False, self._info()

    def render(self) -> Any:
        """The board with the agent on it, as `render_mode` says; None without one."""
        if self.render_mode == "ansi":
            return self._text()
        return self._picture() if self.render_mode == "rgb_array" else None

    def _branches(self, state: int, action: int) -> list[tuple[float, int, float, bool]]:
        """What can follow, as in `P`."""
        mdp = self.world.mdp
        reward = float(self._reward[state, action])
        if mdp.terminal[state]:
            return [(1.0, state, reward, True)]
        return [
            (float(p), int(n), reward, bool(mdp.terminal[n] and not self._pays[n]))
            for p, n in zip(
                mdp.probabilities[state, action], mdp.successors[state, action], strict=True
            )
            if p > 0
        ]

    def _info(self) -> dict[str, Any]:
        """Which actions exist here."""
        return {"action_mask": self.world.mdp.allowed[self._state].astype(np.int8)}

    def _text(self) -> str:
        """One character a cell: # blocked, G terminal, @ the agent."""
        letters = np.where(self.world.drawing.blocked, "#", ".")
        for state in (*np.flatnonzero(self.world.mdp.terminal), self._state):
            x, y = self._place(int(state))
            letters[y, x] = "@" if state == self._state else "G"
        return "\n".join("".join(row) for row in letters)

    def _picture(self) -> UInt8[np.ndarray, "height width 3"]:
        """One square of pixels a cell."""
        blocked = self.world.drawing.blocked
        grey = np.where(blocked, _COLOURS["blocked"], _COLOURS["free"]).astype(np.uint8)
        cells = np.repeat(grey[:, :, None], 3, axis=2)
        for state in np.flatnonzero(self.world.mdp.terminal):
            x, y = self._place(int(state))
            cells[y, x] = _GOAL
        x, y = self._place(self._state)
        cells[y, x] = _AGENT
        return cells.repeat(_CELL, axis=0).repeat(_CELL, axis=1)

    def _place(self, state: int) -> tuple[int, int]:
        """The cell (x, y) of a state."""
        x, y = np.asarray(self.world.mdp.coordinates)[state]
        return int(x), int(y)


def make_environment(world: str, render_mode: str | None = None, **settings: Any) -> MDPEnv:
    """The environment behind the id `world`; what `gymnasium.make` calls."""
    return MDPEnv(MAKERS[world](**settings), render_mode=render_mode)


def register() -> None:
    """Make the ids known to Gymnasium. Does nothing where they are known already."""
    for name, defaults in _DEFAULTS.items():
        if name not in gymnasium.registry:
            gymnasium.register(
                id=name,
                entry_point="inverseq.worlds.environments:make_environment",
                max_episode_steps=_LIMITS.get(name, 100),
                kwargs={"world": name, **defaults},
            )
    for name, settings in _GAMES.items():
        if name not in gymnasium.registry:
            # Its rules have a limit of their own. Given as text, it is loaded when it is made.
            entry_point = "inverseq.worlds.game_environment:GridWorldEnv"
            gymnasium.register(id=name, entry_point=entry_point, kwargs=settings)


def _rewards(world: World) -> np.ndarray:
    """`[S, A]` rewards; 0 where the world has none, and where an action does not exist."""
    mdp = world.mdp
    reward = np.zeros(mdp.allowed.shape) if mdp.reward is None else mdp.reward
    return np.where(mdp.allowed, reward, 0.0)
