"""The labyrinth without places: where all nodes of a level are one, as tables need it to carry."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int

from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.mdp.history import history_rows
from inverseq.worlds import World
from inverseq.worlds.labyrinth_features import NOTHING, OUT_LEFT, move_kinds

_KINDS = NOTHING + 1
_OUT, _LEAVE = 2, 3


def tied_world(world: World) -> MDP:
    """A world of which only the states and the actions that exist mean something.

    State `6 * level + kind` is any node of that level, after a move of that kind (see
    `move_kinds`). The actions are in left, in right, out, leave. A table of the last n states is
    one of the level and the last n moves, shared by all nodes of the level. Nobody plans here:
    each action stays where it is.

    Args:
        world: `worlds.labyrinth()`.
    """
    level = np.repeat(np.arange(int(_levels(world).max()) + 1), _KINDS)
    inner, home = level < level.max(), level == 0
    states = np.arange(level.size)
    allowed = np.stack([inner, inner, ~home, home], axis=1)
    return MDP(
        successors=np.broadcast_to(states[:, None, None], (level.size, 4, 1)),
        probabilities=np.ones((level.size, 4, 1)),
        discount=world.mdp.discount,
        allowed=allowed,
        action_names=("in_left", "in_right", "out", "leave"),
    )


def tied(demonstrations: Demonstrations, world: World) -> Demonstrations:
    """The decisions as decisions in `tied_world(world)`; missing actions stay missing.

    Args:
        demonstrations: In the labyrinth.
        world: `worlds.labyrinth()`.
    """
    states, actions = demonstrations.states, demonstrations.actions
    before = history_rows(states, actions, demonstrations.continues, 2, "states")[:, 0]
    out = np.where(states == 0, _LEAVE, _OUT)
    return replace(
        demonstrations,
        states=_levels(world)[states] * _KINDS + move_kinds(world, before, states),
        actions=np.where(actions >= OUT_LEFT, out, actions),
        action_names=("in_left", "in_right", "out", "leave"),
    )


def halves(world: World) -> Int[np.ndarray, " nodes"]:
    """`[127]` the child of home under which each node lies; 0 for home itself.

    Args:
        world: `worlds.labyrinth()`.
    """
    assert world.drawing.parents is not None  # the labyrinth has no loops
    half = np.arange(world.mdp.num_states)
    while (half > 2).any():
        half = np.where(half > 2, world.drawing.parents[half], half)
    return half


def only(demonstrations: Demonstrations, there: Bool[np.ndarray, " nodes"]) -> Demonstrations:
    """The same walks, with the actions missing that were not taken at the nodes `there` `[127]`."""
    chosen = there[demonstrations.states]
    return replace(demonstrations, actions=np.where(chosen, demonstrations.actions, -1))


def _levels(world: World) -> Int[np.ndarray, " nodes"]:
    """`[127]` branchings between home and each node."""
    return np.log2(np.arange(world.mdp.num_states) + 1).astype(np.int64)
