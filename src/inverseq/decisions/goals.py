"""Where each trajectory goes, if each goes to a place of its own."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int, Shaped

from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError, argument
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.mdp.build import edges_of, reached

GOAL_FEATURES = ("bearing", "distance left")
"""What a move may mean for the way to a goal: the angle between the move and the straight line
from where it begins to the goal, in half turns (0 straight towards it, 1 straight away; 0 for a
move that stays); and how far the goal is, as the crow flies, from where the move leads."""


def require_goals(demonstrations: Demonstrations, column: str) -> Shaped[np.ndarray, " T"]:
    """What the column of goals holds.

    Raises:
        InputError: There is no such column.
    """
    if column not in demonstrations.trajectories:
        raise InputError(
            f"{argument('goal', column)}: there is no such column that is constant in a "
            f"trajectory; there are {[*demonstrations.trajectories]}"
        )
    return demonstrations.trajectories[column]


def goals_of(demonstrations: Demonstrations, mdp: MDP, column: str) -> Int[np.ndarray, " T"]:
    """The state at which each trajectory is to end.

    Args:
        demonstrations: With a column per trajectory that names a state.
        mdp: The world.
        column: That column.

    Returns:
        `[T]` states of `mdp`.

    Raises:
        InputError: There is no such column, or it holds something that is no state; the message
            names the row.
    """
    values = require_goals(demonstrations, column)
    names = names_or_numbers(mdp.state_names, mdp.num_states)
    known = {name: state for state, name in enumerate(names)}
    goals = np.array([known.get(str(value), -1) for value in values])
    if (goals < 0).any():
        first = int(np.argmax(goals < 0))
        raise InputError(
            f"row {demonstrations.row(int(demonstrations.starts[first]))}: column {column!r} names "
            f"{str(values[first])!r}, which is no state of the world ({int((goals < 0).sum())} "
            "such trajectories)"
        )
    return goals


def require_goal_features(mdp: MDP, names: Sequence[str]) -> None:
    """Raise an `InputError` unless `names` are of `GOAL_FEATURES` and the world has coordinates."""
    if unknown := [name for name in names if name not in GOAL_FEATURES]:
        raise InputError(
            f"{argument('goal_features', ','.join(names))}: there is no feature of a goal "
            f"{unknown[0]!r}; there are {', '.join(GOAL_FEATURES)}"
        )
    if names and mdp.coordinates is None:
        raise InputError(
            f"{argument('goal_features', ','.join(names))} needs to know where states lie: give "
            f"x and y of each, {argument('places', 'nodes.csv')}"
        )


def goal_features(
    mdp: MDP,
    tails: Int[np.ndarray, " E"],
    heads: Int[np.ndarray, " E"],
    goals: Int[np.ndarray, " G"],
    names: Sequence[str],
) -> Float[np.ndarray, "E G P"]:
    """What each move means for the way to each goal.

    Args:
        mdp: With coordinates.
        tails: States where the moves begin.
        heads: States to which they lead.
        goals: States to be reached.
        names: Of `GOAL_FEATURES`.
    """
    at = np.asarray(mdp.coordinates, dtype=float)
    made = np.zeros((tails.size, goals.size, len(names)))
    for number, name in enumerate(names):
        if name == "bearing":
            step, way = at[heads] - at[tails], at[goals] - at[tails][:, None]
            along = (way * step[:, None]).sum(2)
            reach = np.sqrt((way**2).sum(2) * (step**2).sum(1)[:, None])
            cosine = np.divide(along, reach, out=np.ones_like(along), where=reach > 0)
            made[..., number] = np.arccos(np.clip(cosine, -1.0, 1.0)) / np.pi
        else:
            made[..., number] = np.sqrt(((at[goals] - at[heads][:, None]) ** 2).sum(2))
    return made


def require_ends(demonstrations: Demonstrations, worlds: Mapping[str, MDP]) -> None:
    """Raise an `InputError` naming the first decision from which no way leads to an end.

    Args:
        demonstrations: Each trajectory names its world in the column "world".
        worlds: With the numbers of their own states.
    """
    home = demonstrations.trajectories["world"][demonstrations.trajectory_of]
    lost = np.zeros(demonstrations.num_decisions, dtype=bool)
    for name, mdp in worlds.items():
        rows = np.flatnonzero((home == name) & demonstrations.acted)
        way = reached(edges_of(mdp.transition_matrix).T, mdp.terminal)
        states = demonstrations.states[rows]
        lost[rows] = ~way[np.minimum(states, mdp.num_states - 1)] & (states < mdp.num_states)
    if lost.any():
        first = int(np.argmax(lost))
        mdp = worlds[str(home[first])]
        state = names_or_numbers(mdp.state_names, mdp.num_states)[demonstrations.states[first]]
        raise InputError(
            f"row {demonstrations.row(first)}: the decision is made at {state}, from which no way "
            f"leads to the goal of world {home[first]} ({int(lost.sum())} such rows)"
        )
