"""What a mouse in the labyrinth has just done, as contexts for tables of counts."""

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.mdp.history import history_rows
from inverseq.worlds.labyrinth_features import NOTHING, move_kinds
from inverseq.worlds.record import World

_MOST_MOVES, _MOST_NODES = 20, 8
"""Whose number still fits into 64 bits."""


def labyrinth_contexts(
    demonstrations: Demonstrations,
    world: World,
    *,
    moves: tuple[int, ...] = (0, 1, 2, 4, 6, 8),
    nodes: tuple[int, ...] = (2, 4, 6),
) -> Demonstrations:
    """The decisions with columns that name the last moves or nodes as one number.

    "moves m" is the level, the side of its parent on which the node lies, and the kinds of the last
    m moves (see `move_kinds`), shared by all such nodes: what is learnt in one place holds in the
    others. "nodes n" is the last n nodes, the present one included.

    Args:
        demonstrations: In the labyrinth.
        world: `worlds.labyrinth()`.
        moves: Which columns of moves.
        nodes: Which columns of nodes.

    Raises:
        InputError: A number is out of range.
    """
    if any(not 0 <= m <= _MOST_MOVES for m in moves) or any(
        not 1 <= n <= _MOST_NODES for n in nodes
    ):
        raise InputError(
            f"moves must be 0 to {_MOST_MOVES} and nodes 1 to {_MOST_NODES}; got {moves}, {nodes}"
        )
    longest = max((*(m + 1 for m in moves), *nodes, 2))
    states = demonstrations.states
    past = history_rows(states, demonstrations.actions, demonstrations.continues, longest, "states")
    path = np.concatenate([states[:, None], past], axis=1)
    kinds = move_kinds(world, path[:, 1:], path[:, :-1])
    made = {f"moves {m}": _number(kinds[:, :m], NOTHING + 1, _place(world)[states]) for m in moves}
    made |= {
        f"nodes {n}": _number(path[:, 1:n] + 1, world.mdp.num_states + 1, states) for n in nodes
    }
    return replace(demonstrations, decisions={**demonstrations.decisions, **made})


def _place(world: World) -> Int[np.ndarray, " nodes"]:
    """Level and side of each node as one number."""
    every = np.arange(world.mdp.num_states)
    level = np.log2(every + 1).astype(np.int64)
    return 2 * level + world.mdp.allowed[:, 3]


def _number(
    symbols: Int[np.ndarray, "N m"], radix: int, first: Int[np.ndarray, " N"]
) -> Int[np.ndarray, " N"]:
    """One number for each row."""
    made = first.astype(np.int64)
    for column in symbols.T:
        made = made * radix + column
    return made
