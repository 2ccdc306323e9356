"""Where each trajectory goes, if each goes to a place of its own."""

import numpy as np
from jaxtyping import Int, Shaped

from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError, argument
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP


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
