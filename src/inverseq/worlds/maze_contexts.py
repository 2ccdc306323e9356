"""What a walker in a maze has before it, as columns that mean the same in every maze."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import unite
from inverseq.worlds.grids import ACTIONS
from inverseq.worlds.record import World

MAZE_CONTEXTS = (
    "last move",
    "goal, last move",
    "goal, ways, last move",
    "goal, ways, 2 moves",
    "goal, ways, 3 moves",
)
"""Columns of `maze_contexts` that know the goal, from the widest context to the narrowest."""

MAZE_HABITS = ("last move", "ways, last move", "ways, 2 moves", "ways, 3 moves")
"""Columns of `maze_contexts` that do not: what is usually done, for a habit beside a plan."""


def maze_contexts(
    demonstrations: Demonstrations, world: World | Mapping[str, World]
) -> Demonstrations:
    """The decisions with `MAZE_CONTEXTS` and `MAZE_HABITS` as columns, for `ColumnTable` and
    `Steered`.

    "goal" is the direction of the nearest goal, one of nine (or none where there is no goal);
    "ways" which of the four moves change the cell; moves are counted back to the beginning of the
    trajectory or to a gap.

    Args:
        demonstrations: States numbered as in the mazes.
        world: A maze, or mazes by name, which each trajectory names in the column "world".

    Raises:
        InputError: A decision does not fit its maze, or a world has other actions than up, right,
            down and left.
    """
    worlds = {"": world} if isinstance(world, World) else dict(world)
    mdps = {name: each.mdp for name, each in worlds.items()}
    states = align(demonstrations, world.mdp if isinstance(world, World) else unite(mdps))
    directions, moves = map(np.concatenate, zip(*map(_seen, worlds.values()), strict=True))
    here, ways = directions[states], moves[states]
    last = _before(demonstrations, demonstrations.actions)
    second = _before(demonstrations, last)
    third = _before(demonstrations, second)
    one, two = last + 1, (last + 1) * 6 + second + 1
    three = two * 6 + third + 1
    seen = here * 16 + ways
    numbers = (one, here * 6 + one, seen * 6 + one, seen * 36 + two, seen * 216 + three)
    habits = (one, ways * 6 + one, ways * 36 + two, ways * 216 + three)
    found = dict(zip(MAZE_CONTEXTS, numbers, strict=True))
    found |= dict(zip(MAZE_HABITS, habits, strict=True))
    return replace(demonstrations, decisions={**demonstrations.decisions, **found})


def _before(demonstrations: Demonstrations, moves: Int[np.ndarray, " N"]) -> np.ndarray:
    """What stood in the row before, -1 at a beginning or behind a gap."""
    return np.where(demonstrations.continues, np.append(-1, moves[:-1]), -1)


def _seen(world: World) -> tuple[Int[np.ndarray, " S"], Int[np.ndarray, " S"]]:
    """Direction of the goal, and which moves change the cell, of each state."""
    mdp = world.mdp
    if mdp.action_names != ACTIONS[:4] or mdp.coordinates is None:
        raise InputError(
            f"maze_contexts needs the actions up, right, down and left; {world.name} has "
            f"{mdp.action_names}. Use worlds.gridworld or worlds.maze without stay"
        )
    at, goals = np.asarray(mdp.coordinates), np.flatnonzero(mdp.terminal)
    direction = np.full(mdp.num_states, 9)
    if goals.size:
        away = np.abs(at[:, None] - at[goals]).sum(-1)
        sign = np.sign(at[goals[away.argmin(1)]] - at).astype(int) + 1
        direction = sign[:, 0] * 3 + sign[:, 1]
    matrix, states = mdp.transition_matrix, np.arange(mdp.num_states)
    rows = states[:, None] * mdp.num_actions + np.arange(4)
    stays = np.asarray(matrix[rows.ravel()][np.arange(rows.size), np.repeat(states, 4)]).ravel()
    moves = (stays.reshape(-1, 4) < 1) & ~mdp.terminal[:, None]
    return direction, (moves * (1, 2, 4, 8)).sum(1)
