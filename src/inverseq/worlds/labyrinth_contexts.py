"""What a mouse in the labyrinth has just done, as contexts for tables of counts."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.mdp.history import history_rows
from inverseq.worlds.labyrinth_features import NOTHING, move_kinds
from inverseq.worlds.labyrinths import ACTIONS
from inverseq.worlds.record import World

_LAGS = np.array([1, 2, 4, 8, 16, 32, 64, 128, 256, 10**5, 10**6])
"""Steps at which bins end; the last is "never"."""
_NEVER = 10**6

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
    others. "nodes n" is the last n nodes, the present one included. "since node a" and
    "since edge a" say for each action how many rows ago the animal was last at the node to which it
    leads, and last arrived there by the same move from here: 0 for one row at most, 1 for two, then
    one number each for up to 4, 8 ... 256, for longer, and for never; 11 more for ways out. -1
    where the action does not exist. Nothing is remembered across the beginning of a trajectory or
    a gap.

    Args:
        demonstrations: N decisions in the labyrinth.
        world: `worlds.labyrinth()`.
        moves: Which columns of moves.
        nodes: Which columns of nodes.

    Raises:
        InputError: A number is out of range, the world is no labyrinth, or a decision does not fit
            it.
    """
    if world.mdp.action_names != ACTIONS or world.mdp.history is not None:
        raise InputError(
            f"labyrinth_contexts needs worlds.labyrinth(); got {world.name} with the actions "
            f"{world.mdp.action_names}"
        )
    if any(not 0 <= m <= _MOST_MOVES for m in moves) or any(
        not 1 <= n <= _MOST_NODES for n in nodes
    ):
        raise InputError(
            f"moves must be 0 to {_MOST_MOVES} and nodes 1 to {_MOST_NODES}; got {moves}, {nodes}"
        )
    longest = max((*(m + 1 for m in moves), *nodes, 2))
    states = align(demonstrations, world.mdp)
    past = history_rows(states, demonstrations.actions, demonstrations.continues, longest, "states")
    path = np.concatenate([states[:, None], past], axis=1)
    kinds = move_kinds(world, path[:, 1:], path[:, :-1])
    made = {f"moves {m}": _number(kinds[:, :m], NOTHING + 1, _place(world)[states]) for m in moves}
    made |= {
        f"nodes {n}": _number(path[:, 1:n] + 1, world.mdp.num_states + 1, states) for n in nodes
    }
    target = world.mdp.successors[:, :, 0][states]
    size = world.mdp.num_states
    edge = path[:, 1] * size + states
    for name, here, there in (
        ("node", states, target),
        ("edge", edge, states[:, None] * size + target),
    ):
        lag = _steps_since(here, there, demonstrations.continues)
        bins = np.searchsorted(_LAGS, lag) + len(_LAGS) * (np.arange(target.shape[1]) >= 2)
        bins = np.where(world.mdp.allowed[states], bins, -1)
        made |= {f"since {name} {a}": bins[:, a] for a in range(target.shape[1])}
    return replace(demonstrations, decisions={**demonstrations.decisions, **made})


def _steps_since(
    here: Int[np.ndarray, " N"], there: Int[np.ndarray, "N A"], continues: Bool[np.ndarray, " N"]
) -> Int[np.ndarray, "N A"]:
    """How many rows ago `here` last was what `there` says now, since the last new beginning."""
    since = np.full(there.shape, _NEVER)
    last: dict[int, int] = {}
    rows = zip(here.tolist(), there.tolist(), continues.tolist(), strict=True)
    for row, (now, goals, goes_on) in enumerate(rows):
        if not goes_on:
            last = {}
        last[now] = row
        since[row] = [row - last.get(goal, row - _NEVER) for goal in goals]
    return since


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
