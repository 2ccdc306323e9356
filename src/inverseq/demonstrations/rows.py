"""Rows of arrays in time order as trajectories."""

from typing import Any

import numpy as np
from jaxtyping import Shaped

from inverseq._core.arrays import require_shape
from inverseq._core.errors import InputError
from inverseq.demonstrations.arrays import plain_array, read_actions, read_states
from inverseq.demonstrations.endings import Ending
from inverseq.demonstrations.following import from_rows


def in_time_order(
    states: Any, actions: Any, next_states: Any, trajectory: Any, terminated: Any, gap: Any
) -> tuple[dict[str, Any], Shaped[np.ndarray, " T"]]:
    """The first fields of demonstrations, and the label of each trajectory.

    The arguments are those of `Demonstrations.from_arrays`.

    Raises:
        InputError: Lengths disagree, or rows of a trajectory are not adjacent.
    """
    states, actions = read_states(states), read_actions(actions)
    size = len(states)
    letters = "N" if actions.ndim == 1 else "N, D"
    require_shape(actions, (size, *actions.shape[1:]), "actions", letters)
    labels = np.zeros(size, np.int64) if trajectory is None else trajectory
    labels = plain_array(labels, "trajectory")
    require_shape(labels, (size,), "trajectory", "N")
    begins = np.ones(size, dtype=bool)
    begins[1:] = labels[1:] != labels[:-1]
    starts = np.append(np.flatnonzero(begins), size)
    if np.unique(labels[starts[:-1]]).size != starts.size - 1:
        raise InputError(
            "rows of a trajectory must be adjacent; sort the table by trajectory and time"
        )
    last = np.append(begins[1:], True)[:size]
    ended, hole = _mask(terminated, "terminated", size), _mask(gap, "gap", size)
    following, found = from_rows(states, last | ended | hole, last, next_states)
    endings = np.where(found | hole, np.int8(Ending.GAP), np.int8(Ending.CONTINUES))
    endings[last] = Ending.TRUNCATED
    endings[ended] = Ending.TERMINATED
    fields = {"states": states, "actions": actions, "endings": endings, "starts": starts}
    return fields | {"following": following}, labels[starts[:-1]]


def _mask(given: Any, name: str, size: int) -> np.ndarray:
    """A mask of rows, all false where None."""
    if given is None:
        return np.zeros(size, dtype=bool)
    mask = np.asarray(given, dtype=bool)
    require_shape(mask, (size,), name, "N")
    return mask
