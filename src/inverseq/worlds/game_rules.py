"""The GridWorld game of Aubuchon and Ho (2023): its rules as pure functions.

Actions are 0 up, 1 right, 2 down, 3 left. Cells are (x, y), from the top left, from 0.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.errors import InputError
from inverseq.training.simulator import Simulator
from inverseq.worlds.game_boards import (
    PLAYER,
    WIN,
    Cell,
    GridState,
    Layout,
    board_distances,
    check_layout,
)
from inverseq.worlds.game_compiled import below, drawn_board, spread_distances
from inverseq.worlds.grids import STUDY_WALLS, gridworld
from inverseq.worlds.record import World

_STEPS = ((0, -1), (1, 0), (0, 1), (-1, 0))
"""Change of (x, y) by each action."""

NUM_ACTIONS = len(_STEPS)


@dataclass(frozen=True)
class GridWorldRules:
    """Rules of the game: reach the win tile in as few moves as possible.

    A move into a wall or off the board stays. The move that enters the win tile earns `win_reward`
    and ends the game; every other one earns `step_reward`. After `max_moves` the game is cut off.
    There is a way to the win on every board: win and walls are drawn again until there is one, and
    a start that is not fixed is drawn from the cells that have a way and are not the win.

    Attributes:
        width: Cells in a row.
        height: Cells in a column.
        num_walls: Walls drawn for each game, where `walls` is None.
        walls: Fixed walls as cells (x, y), or None for random ones.
        start: Where the player begins, as (x, y), or None for a random cell.
        win: "bottom right", a cell (x, y), or "random".
        max_moves: Moves after which a game is truncated.
        win_reward: Reward of entering the win tile.
        step_reward: Reward of every other move.

    Raises:
        InputError: A number is out of range, a cell is off the board or used twice, or there is no
            way to the win (or hardly ever one, where boards are drawn at random).
    """

    width: int = 10
    height: int = 10
    num_walls: int = 5
    walls: tuple[Cell, ...] | None = None
    start: Cell | None = None
    win: Literal["bottom right", "random"] | Cell = "bottom right"
    max_moves: int = 100
    win_reward: float = 10.0
    step_reward: float = -1.0

    def __post_init__(self) -> None:
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        _check_numbers(self)
        if self.walls is not None:
            put("walls", tuple(_cell(c, f"walls[{i}]", self) for i, c in enumerate(self.walls)))
        if self.start is not None:
            put("start", _cell(self.start, "start", self))
        if isinstance(self.win, str):
            if self.win not in ("bottom right", "random"):
                raise InputError(
                    f'win must be "bottom right", "random" or a cell (x, y); got {self.win!r}'
                )
        else:
            put("win", _cell(self.win, "win", self))
        _check_cells(self.layout)

    @cached_property
    def layout(self) -> Layout:
        """What is fixed on the boards, in numbers of cells."""
        number = lambda cell: cell[1] * self.width + cell[0]  # noqa: E731
        corner = (self.width - 1, self.height - 1)
        win = corner if self.win == "bottom right" else self.win
        walls = () if self.walls is None and self.num_walls == 0 else self.walls
        return Layout(
            self.width,
            self.height,
            None if walls is None else tuple(sorted(map(number, walls))),
            self.num_walls if walls is None else len(walls),
            None if self.start is None else number(self.start),
            None if isinstance(win, str) else number(win),
        )

    def reset(self, key: jax.Array) -> GridState:
        """A new game.

        Runs in `jit` and `vmap`. Boards drawn at random cost some microseconds each; a compiled
        training loop draws many at once, ahead of the games.

        Args:
            key: JAX random key; it is consumed.
        """
        layout = self.layout
        if layout.walls is not None and layout.win is not None:
            walls = layout.fixed_walls().reshape(self.height, self.width)
            starts = layout.starts(board_distances(walls, layout.win))
            player = jnp.asarray(starts, jnp.int32)[below(jax.random.uniform(key), starts.size)]
            return GridState(jnp.asarray(walls), player, jnp.int32(layout.win), jnp.int32(0))

        def again(carry: tuple[jax.Array, GridState, jax.Array]) -> jax.Array:
            return ~carry[2]

        def attempt(
            carry: tuple[jax.Array, GridState, jax.Array],
        ) -> tuple[jax.Array, GridState, jax.Array]:
            key_board, key_next = jax.random.split(carry[0])
            state, solved = drawn_board(layout, key_board)
            return key_next, state, solved

        nothing = GridState(
            jnp.zeros((self.height, self.width), bool), jnp.int32(0), jnp.int32(0), jnp.int32(0)
        )
        return jax.lax.while_loop(again, attempt, (key, nothing, jnp.bool_(False)))[1]

    def step(
        self, state: GridState, action: Int[jax.Array, ""] | int | np.integer
    ) -> tuple[GridState, Float[jax.Array, ""], Bool[jax.Array, ""], Bool[jax.Array, ""]]:
        """One move: the next state, its reward, whether it won, whether the limit cut it off.

        Runs in `jit` and `vmap`. `action` is 0 up, 1 right, 2 down or 3 left.
        """
        change = jnp.asarray(_STEPS, jnp.int32)[action]
        x = state.player % self.width + change[0]
        y = state.player // self.width + change[1]
        inside = (x >= 0) & (x < self.width) & (y >= 0) & (y < self.height)
        cell = jnp.where(inside, y * self.width + x, state.player)
        player = jnp.where(state.walls.reshape(-1)[cell], state.player, cell)
        won = player == state.win
        moves = state.moves + 1
        reward = jnp.where(won, jnp.float32(self.win_reward), jnp.float32(self.step_reward))
        following = GridState(state.walls, player, state.win, moves)
        return following, reward, won, ~won & (moves >= self.max_moves)

    def observe(self, state: GridState) -> Float[jax.Array, "H W"]:
        """Codes of the tiles: 0 floor, 1 wall, 2 player (also on the win tile), 3 win."""
        cells = jnp.arange(self.width * self.height).reshape(self.height, self.width)
        tiles = jnp.where(cells == state.win, float(WIN), state.walls.astype(jnp.float32))
        return jnp.where(cells == state.player, float(PLAYER), tiles)

    def distances(self, state: GridState) -> Int[jax.Array, " cells"]:
        """Fewest moves to the win from each cell y * W + x; -1 where there is no way."""
        walls, win = jnp.asarray(state.walls).reshape(-1), jnp.asarray(state.win)
        found = spread_distances(walls, win, self.width)
        return jnp.where(found < found.size, found, -1).astype(jnp.int32)

    def shortest_distance(self, state: GridState) -> Int[jax.Array, ""]:
        """Fewest moves from the player to the win, found by breadth-first search."""
        return self.distances(state)[state.player]

    def manhattan_distance(self, state: GridState) -> Int[jax.Array, ""]:
        """Moves from the player to the win if there were no walls."""
        across = jnp.abs(state.player % self.width - state.win % self.width)
        return across + jnp.abs(state.player // self.width - state.win // self.width)


@lru_cache(maxsize=64)
def grid_simulator(rules: GridWorldRules) -> Simulator:
    """The game as a simulator; observations are codes of tiles, float32 `[H, W]`.

    The same rules give the same simulator, so that what was compiled for it is used again.
    """
    return Simulator(
        reset=rules.reset,
        step=lambda key, state, action: rules.step(state, action),
        observe=rules.observe,
        observation_shape=(rules.height, rules.width),
        num_actions=NUM_ACTIONS,
        best_moves=rules.shortest_distance,
        straight_moves=rules.manhattan_distance,
        description=repr(rules),
    )


def board_world(rules: GridWorldRules, state: GridState, *, discount: float = 0.9) -> World:
    """The board of one game as a tabular world, whose `mdp` has the player's cell as its state.

    Args:
        rules: The rules; their limit of moves is no part of an MDP.
        state: One game that is not over; its player is the first state.
        discount: gamma (0.9 in the study).

    Raises:
        InputError: The game is over, or the discount is none.
    """
    cell = lambda number: (int(number) % rules.width, int(number) // rules.width)  # noqa: E731
    return gridworld(
        rules.width,
        rules.height,
        [cell(number) for number in np.flatnonzero(np.asarray(state.walls))],
        [cell(state.win)],
        start=cell(state.player),
        step_reward=rules.step_reward,
        win_reward=rules.win_reward,
        discount=discount,
    )


def _check_numbers(rules: GridWorldRules) -> None:
    """Raise an `InputError` for a number that is out of range."""
    if rules.width < 1 or rules.height < 1 or rules.width * rules.height < 2:
        raise InputError(f"a board needs 2 or more cells; got {rules.width} x {rules.height}")
    if rules.max_moves < 1:
        raise InputError(f"max_moves must be 1 or more; got {rules.max_moves}")
    room = rules.width * rules.height - 2
    if rules.walls is None and not 0 <= rules.num_walls <= room:
        raise InputError(
            f"num_walls must be from 0 to {room}, which leaves a start and a win; got "
            f"{rules.num_walls}"
        )
    for name in ("win_reward", "step_reward"):
        if not np.isfinite(getattr(rules, name)):
            raise InputError(f"{name} must be a finite number; got {getattr(rules, name)}")


def _cell(given: Cell, what: str, rules: GridWorldRules) -> Cell:
    """The cell as two whole numbers, after a check that it is on the board."""
    on_board = np.shape(given) == (2,) and all(
        0 <= given[i] < size and int(given[i]) == given[i]
        for i, size in enumerate((rules.width, rules.height))
    )
    if not on_board:
        raise InputError(
            f"{what} = {given} is off the board: give (x, y) with x from 0 to {rules.width - 1} "
            f"and y, from the top, from 0 to {rules.height - 1}"
        )
    return int(given[0]), int(given[1])


def _check_cells(layout: Layout) -> None:
    """Raise an `InputError` where a cell is used twice or there is no way to the win."""
    walls = layout.walls or ()
    if len(set(walls)) < len(walls):
        raise InputError("walls names a cell twice")
    for name, cell in (("start", layout.start), ("win", layout.win)):
        if cell is not None and cell in walls:
            raise InputError(
                f"the {name} {(cell % layout.width, cell // layout.width)} is a wall; move one"
            )
    if layout.start is not None and layout.start == layout.win:
        raise InputError("start and win are the same cell; move one")
    check_layout(layout)


STATIC_WALLS = GridWorldRules(walls=STUDY_WALLS)
"""The study's first grid type: five fixed walls, the win at the bottom right."""

RANDOM_WALLS = GridWorldRules()
"""The second: five walls, drawn for each game."""

RANDOM_WIN = GridWorldRules(win="random")
"""The third: walls and win drawn for each game."""
