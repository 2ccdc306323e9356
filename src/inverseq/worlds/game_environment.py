"""The GridWorld game as a Gymnasium environment."""

from dataclasses import fields
from typing import Any, Literal, get_args

import gymnasium
import matplotlib
import numpy as np
from gymnasium import spaces
from jaxtyping import Int, Shaped
from matplotlib.backends.registry import BackendFilter, backend_registry

from inverseq._core.errors import InputError
from inverseq.worlds.game_boards import (
    PLAYER,
    WALL,
    WIN,
    GridState,
    board_distances,
    draw_board,
)
from inverseq.worlds.game_drawing import board_picture, board_text
from inverseq.worlds.game_rules import NUM_ACTIONS, GridWorldRules

Observation = Literal["one-hot", "tiles", "flat"]
OBSERVATIONS: tuple[Observation, ...] = get_args(Observation)
"""Forms of an observation."""

_NUM_TILES = 4
_FRAMES_PER_SECOND = 8


class GridWorldEnv(gymnasium.Env):
    """The game of `GridWorldRules`, one move a step.

    The same rules as the pure functions `GridWorldRules.reset` and `.step`, in NumPy, where a
    single game is quicker. `info` holds `distance`, the fewest moves from the start of this game to
    its win, `manhattan`, the same without walls, and `moves`, made so far.

    Observations are tiles, 0 floor, 1 wall, 2 player (also on the win tile), 3 win: "one-hot"
    `[H, W, 4]`, "tiles" as codes `[H, W]`, "flat" as codes `[H * W]`.

    `render_mode` is "rgb_array" for pixels `[32 H, 32 W, 3]`, "ansi" for text, or "human": a window
    of Matplotlib that follows the game by itself. Where there is no display, "human" writes the
    board to standard output as text instead.

    Args:
        observation: "one-hot", "tiles" or "flat".
        render_mode: "rgb_array", "ansi", "human" or None.
        **settings: Those of `GridWorldRules`.

    Raises:
        InputError: A setting is unknown, or the rules refuse it.
    """

    metadata = {  # noqa: RUF012
        "render_modes": ["human", "rgb_array", "ansi"],
        "render_fps": _FRAMES_PER_SECOND,
    }

    def __init__(
        self, observation: Observation = "one-hot", render_mode: str | None = None, **settings: Any
    ):
        known = [field.name for field in fields(GridWorldRules)]
        if unknown := sorted(set(settings) - set(known)):
            raise InputError(f"unknown settings {unknown}; there are {known}")
        if observation not in OBSERVATIONS:
            raise InputError(f"observation must be one of {OBSERVATIONS}; got {observation!r}")
        if render_mode not in (None, *self.metadata["render_modes"]):
            modes = self.metadata["render_modes"]
            raise InputError(f"render_mode must be one of {modes}; got {render_mode!r}")
        self.rules = GridWorldRules(**settings)
        self.observation = observation
        self.render_mode = render_mode
        self.action_space = spaces.Discrete(NUM_ACTIONS)
        self.observation_space = _space(self.rules, observation)
        self._window: Any = None
        self._put(*self._draw())

    @property
    def state(self) -> GridState:
        """Where the game stands, as the pure functions take it."""
        walls = self._walls.reshape(self.rules.height, self.rules.width)
        return GridState(walls, self._player, self._win, self._moves)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Shaped[np.ndarray, "..."], dict[str, int]]:
        """Begin a game.

        Args:
            seed: Which random boards follow; they go on where they were without one.
            options: {"board": state}, a `GridState` to begin with in place of a random one.

        Raises:
            InputError: There is another option, or the board cannot be won.
        """
        super().reset(seed=seed)
        if unknown := sorted(set(options or ()) - {"board"}):
            raise InputError(f'unknown options {unknown}; there is "board"')
        self._put(*(_given_board(options["board"], self.rules) if options else self._draw()))
        if self.render_mode == "human":
            self._show()
        return self._observe(), self._info()

    def step(
        self, action: int | np.integer
    ) -> tuple[Shaped[np.ndarray, "..."], float, bool, bool, dict[str, int]]:
        """One move: 0 up, 1 right, 2 down, 3 left.

        Raises:
            InputError: There is no such action.
        """
        if not 0 <= action < NUM_ACTIONS:
            raise InputError(f"actions are 0 up, 1 right, 2 down, 3 left; got {action}")
        there = self._moves_to(int(action))
        if not self._walls[there]:
            tiles = self._tiles.reshape(-1)
            tiles[self._player] = WIN if self._player == self._win else 0
            tiles[there] = PLAYER
            self._player = there
        self._moves += 1
        won = self._player == self._win
        rules = self.rules
        if self.render_mode == "human":
            self._show()
        reward = rules.win_reward if won else rules.step_reward
        cut_off = not won and self._moves >= rules.max_moves
        return self._observe(), float(reward), won, cut_off, self._info()

    def render(self) -> Any:
        """The board as `render_mode` says; None without one, and with "human"."""
        if self.render_mode == "rgb_array":
            return board_picture(self._tiles, self._win)
        return board_text(self._tiles) if self.render_mode == "ansi" else None

    def close(self) -> None:
        """Close the window, if there is one."""
        if self._window is not None:
            self._window.close()
            self._window = None

    def _draw(self) -> tuple[GridState, int]:
        """A random board that can be won, and the fewest moves on it."""
        drawn = None
        while drawn is None:
            drawn = draw_board(self.rules.layout, self.np_random)
        state, distance = drawn
        return state, int(distance[state.player])

    def _put(self, state: GridState, distance: int) -> None:
        """Begin on a board."""
        self._walls = state.walls.reshape(-1)
        self._player, self._win, self._moves = state.player, state.win, state.moves
        self._tiles = np.where(state.walls, WALL, 0)
        self._tiles.flat[state.win] = WIN
        self._tiles.flat[state.player] = PLAYER
        width = self.rules.width
        across = abs(state.player % width - state.win % width)
        self._distance = distance
        self._manhattan = across + abs(state.player // width - state.win // width)

    def _moves_to(self, action: int) -> int:
        """The cell that an action leads to if no wall is there."""
        width, here = self.rules.width, self._player
        if action == 0:
            return here - width if here >= width else here
        if action == 1:
            return here + 1 if here % width < width - 1 else here
        if action == 2:
            return here + width if here + width < self._walls.size else here
        return here - 1 if here % width else here

    def _observe(self) -> Shaped[np.ndarray, "..."]:
        if self.observation == "one-hot":
            return _ONE_HOT[self._tiles]
        return self._tiles.copy() if self.observation == "tiles" else self._tiles.flatten()

    def _info(self) -> dict[str, int]:
        return {
            "distance": self._distance,
            "manhattan": self._manhattan,
            "moves": self._moves,
        }

    def _show(self) -> None:
        """Show the board to a person."""
        if self._window is None:
            self._window = _Window()
        self._window.show(self._tiles, self._win)


class _Window:
    """A window of Matplotlib, or standard output where there is no display."""

    def __init__(self) -> None:
        # Loading pyplot chooses a backend for the whole program, so it waits until it is needed.
        from matplotlib import pyplot

        self._pyplot = pyplot
        interactive = backend_registry.list_builtin(BackendFilter.INTERACTIVE)
        self._visible = matplotlib.get_backend().lower() in interactive
        self._figure: Any = None
        self._image: Any = None

    def show(self, tiles: Int[np.ndarray, "H W"], win: int) -> None:
        """Show a board for the time of a frame."""
        if not self._visible:
            print(board_text(tiles), end="\n\n", flush=True)
            return
        pixels = board_picture(tiles, win)
        if self._figure is None:
            self._figure, axis = self._pyplot.subplots(num="GridWorld")
            axis.set_axis_off()
            self._image = axis.imshow(pixels)
            self._figure.show()
        self._image.set_data(pixels)
        self._figure.canvas.draw_idle()
        self._pyplot.pause(1 / _FRAMES_PER_SECOND)

    def close(self) -> None:
        """Close the window."""
        if self._figure is not None:
            self._pyplot.close(self._figure)


_ONE_HOT = np.eye(_NUM_TILES, dtype=np.int8)


def _space(rules: GridWorldRules, observation: Observation) -> spaces.Space:
    """The space of observations."""
    if observation == "one-hot":
        return spaces.MultiBinary([rules.height, rules.width, _NUM_TILES])
    shape = (rules.height, rules.width) if observation == "tiles" else rules.layout.cells
    return spaces.MultiDiscrete(np.full(shape, _NUM_TILES))


def _given_board(state: Any, rules: GridWorldRules) -> tuple[GridState, int]:
    """A board that somebody gave and the fewest moves on it, after a check."""
    walls = np.array(state.walls, dtype=bool)
    if walls.shape != (rules.height, rules.width):
        raise InputError(
            f"the board's walls must be [H, W] = {(rules.height, rules.width)}; got {walls.shape}"
        )
    player, win, moves = (int(value) for value in state[1:])
    if not (0 <= player < walls.size and 0 <= win < walls.size) or walls.flat[[player, win]].any():
        raise InputError(
            f"player {player} and win {win} must be cells y * W + x below {walls.size}, no walls"
        )
    distance = int(board_distances(walls, win)[player])
    if distance < 1:
        raise InputError("the board cannot be won: the player has no way, or stands on the win")
    return GridState(walls, player, win, moves), distance
