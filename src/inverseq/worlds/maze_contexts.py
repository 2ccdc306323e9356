"""What a walker in a maze has before it, as columns that mean the same in every maze."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int

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

MAZE_POSITIONS = ("last move", "position", "position, last move")
"""Columns of `maze_contexts` that know how many cells away the goal lies, each way."""

MAZE_KINDS = ("move", "turn")
"""Families of columns of `maze_contexts`, one per move: which kind of move it is for who walks,
finely and coarsely. They mean the same in every maze, however it lies."""


def maze_contexts(
    demonstrations: Demonstrations, world: World | Mapping[str, World]
) -> Demonstrations:
    """The decisions with `MAZE_CONTEXTS` and `MAZE_POSITIONS` as columns, for `ColumnTable`, and
    with those of `MAZE_KINDS`, for `ColumnLogit`.

    "goal" is the direction of the nearest goal, one of nine (or none where there is no goal), and
    "position" how many cells away it lies, rightwards and downwards; "ways" which of the four moves
    change the cell; moves are counted back to the beginning of the trajectory or to a gap.

    "turn a" is which kind of move a is for who came by the last one: straight on, to a side, back
    or the first (0 to 3), twice that and 1 where it is blocked; and twice that and 1 where the last
    one was. "move a" also tells left from right, which of the four ways are blocked around, the two
    turns before, and whether the last two moves were blocked; mirror images are one kind. It is -1
    for the first move.

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
    seen = zip(*map(_seen, worlds.values()), strict=True)
    here, away, ways = (np.concatenate(each)[states] for each in seen)
    last = _before(demonstrations, demonstrations.actions)
    second = _before(demonstrations, last)
    third = _before(demonstrations, second)
    one, two = last + 1, (last + 1) * 6 + second + 1
    three = two * 6 + third + 1
    both = here * 16 + ways
    numbers = (one, here * 6 + one, both * 6 + one, both * 36 + two, both * 216 + three)
    found: dict[str, np.ndarray] = dict(zip(MAZE_CONTEXTS, numbers, strict=True))
    found |= dict(zip(MAZE_POSITIONS, (one, away, away * 6 + one), strict=True))
    before = np.stack([last, second, third], axis=1)
    stayed = np.append(False, states[1:] == states[:-1]) & demonstrations.continues
    for name, kinds in zip(MAZE_KINDS, _kinds(before, ways, stayed, demonstrations), strict=True):
        found |= {f"{name} {a}": kinds[:, a] for a in range(4)}
    return replace(demonstrations, decisions={**demonstrations.decisions, **found})


def _before(demonstrations: Demonstrations, moves: Int[np.ndarray, " N"]) -> np.ndarray:
    """What stood in the row before, -1 at a beginning or behind a gap."""
    return np.where(demonstrations.continues, np.append(-1, moves[:-1]), -1)


def _kinds(
    before: Int[np.ndarray, "N 3"],
    ways: Int[np.ndarray, " N"],
    stayed: Bool[np.ndarray, " N"],
    demonstrations: Demonstrations,
) -> tuple[Int[np.ndarray, "N 4"], Int[np.ndarray, "N 4"]]:
    """The columns of `MAZE_KINDS`.

    Args:
        before: Actions of the three moves before, the last one first; -1 for none.
        ways: Which moves change the cell, as bits.
        stayed: Whether the last move did not.
        demonstrations: N decisions.
    """
    first = before[:, :1] < 0
    towards = (np.arange(4) - before[:, :1]) % 4  # 0 straight on, 1 right, 2 back, 3 left
    turns = np.where(before[:, 1:] < 0, 4, (before[:, :2] - before[:, 1:]) % 4)
    blocked = ways[:, None] >> np.arange(4) & 1 ^ 1
    around = np.take_along_axis(blocked, (before[:, :1] + np.arange(4)) % 4, axis=1)
    twice = np.where(demonstrations.continues, np.append(False, stayed[:-1]), False)

    def code(order: list[int]) -> Int[np.ndarray, "N 4"]:
        """All of it as one number, sides told apart in this order."""
        known = np.append(order, 4)
        made = known[towards] * 16 + (around[:, order] @ (1, 2, 4, 8))[:, None]
        for turn in turns.T:
            made = made * 5 + known[turn][:, None]
        return made * 4 + stayed[:, None] * 2 + twice[:, None]

    fine = np.where(first, -1, np.minimum(code([0, 1, 2, 3]), code([0, 3, 2, 1])))
    coarse = np.where(first, 3, np.array([0, 1, 2, 1])[towards])
    return fine, (coarse * 2 + blocked) * 2 + stayed[:, None]


_FAR = 1 << 20
"""More cells than a board has each way."""


def _seen(world: World) -> tuple[Int[np.ndarray, " S"], ...]:
    """Direction of the goal, where it lies from there, and which moves change the cell, of each
    state.
    """
    mdp = world.mdp
    if mdp.action_names != ACTIONS[:4] or mdp.coordinates is None:
        raise InputError(
            f"maze_contexts needs the actions up, right, down and left; {world.name} has "
            f"{mdp.action_names}. Use worlds.gridworld or worlds.maze without stay"
        )
    at, goals = np.asarray(mdp.coordinates), np.flatnonzero(mdp.terminal)
    direction, position = np.full(mdp.num_states, 9), np.zeros(mdp.num_states, dtype=np.int64)
    if goals.size:
        nearest = np.abs(at[:, None] - at[goals]).sum(-1).argmin(1)
        away = (at[goals[nearest]] - at).astype(np.int64)
        sign = np.sign(away) + 1
        direction = sign[:, 0] * 3 + sign[:, 1]
        position = (away[:, 0] + _FAR) * 2 * _FAR + away[:, 1] + _FAR
    matrix, states = mdp.transition_matrix, np.arange(mdp.num_states)
    rows = states[:, None] * mdp.num_actions + np.arange(4)
    stays = np.asarray(matrix[rows.ravel()][np.arange(rows.size), np.repeat(states, 4)]).ravel()
    moves = (stays.reshape(-1, 4) < 1) & ~mdp.terminal[:, None]
    return direction, position, (moves * (1, 2, 4, 8)).sum(1)
