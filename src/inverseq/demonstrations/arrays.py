"""Arrays of states and actions as users give them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from inverseq._core.arrays import frozen_array
from inverseq._core.errors import InputError


def read_states(values: Any) -> np.ndarray:
    """States, read-only: `[N]` whole numbers of a finite world, or `[N, ...]` features.

    Features keep their type, so that an image stays an image of bytes; no copy is made.

    Raises:
        InputError: One axis of fractions, which number nothing, or no array at all.
    """
    array = plain_array(values, "states")
    if array.ndim < 2:
        return _numbers(array, "states", "Measured values are features")
    kind = array.dtype if array.dtype.kind in "biuf" else np.float64
    return frozen_array(array, kind, "states")


def read_actions(values: Any) -> np.ndarray:
    """Actions, read-only: `[N]` whole numbers, or `[N, D]` fractions in their own type.

    Raises:
        InputError: One axis of fractions, several of whole numbers, or no array at all.
    """
    array = plain_array(values, "actions")
    if array.ndim < 2:
        return _numbers(array, "actions", "Continuous actions have a column each")
    if array.ndim > 2 or array.dtype.kind != "f":
        raise InputError(
            f"actions have shape {[*array.shape]} of {array.dtype}; give numbered actions as [N], "
            "one whole number per decision (several trajectories behind each other, with "
            "trajectory=), and continuous ones as [N, D] of floats"
        )
    return frozen_array(array, array.dtype, "actions")


def plain_array(values: Any, name: str) -> np.ndarray:
    """`values` as an array of any type.

    Raises:
        InputError: Its parts are not equally long.
    """
    try:
        return np.asarray(values)
    except ValueError as error:
        lengths = [len(part) if hasattr(part, "__len__") else "a number" for part in values]
        shown = ", ".join(map(str, lengths[:5])) + (", ..." if len(lengths) > 5 else "")
        raise InputError(
            f"{name} hold parts of different lengths ({shown}); give one flat array with a row per "
            f"decision. Parts that are trajectories are joined: {name}=np.concatenate({name}), "
            "trajectory=np.repeat(np.arange(T), lengths)"
        ) from error


def read_columns(columns: Any, name: str) -> dict[str, np.ndarray]:
    """Read-only columns; texts become arrays of text, so that they can be saved.

    Raises:
        InputError: Not a mapping from names to arrays.
    """
    if not isinstance(columns, Mapping):
        remedy = {"trajectories": "; the trajectory of each row goes into trajectory=[...]"}
        raise InputError(
            f"{name} are columns, {{'name': values}}; got a {type(columns).__name__}"
            + remedy.get(name, "")
        )
    made = {}
    for key, values in columns.items():
        array = plain_array(values, str(key))
        if array.dtype.kind not in "biufU":
            array = np.array([str(v) for v in array])
        made[str(key)] = frozen_array(array, array.dtype, str(key))
    return made


def require_lengths(
    actions: np.ndarray,
    rows: Mapping[str, np.ndarray | None],
    starts: np.ndarray,
    decisions: Mapping[str, np.ndarray],
    trajectories: Mapping[str, np.ndarray],
) -> None:
    """Raise an `InputError` for arrays that do not belong together.

    Args:
        actions: Of all rows.
        rows: Other arrays with an entry per row.
        starts: Bounds of trajectories.
        decisions: Columns per row.
        trajectories: Columns per trajectory.
    """
    size = len(actions)
    for name, array in rows.items():
        if array is not None and len(array) != size:
            raise InputError(f"{name} has {len(array)} rows, actions {size}")
    if starts.size < 2 or starts[0] != 0 or starts[-1] != size or (np.diff(starts) <= 0).any():
        raise InputError("starts must rise from 0 to the number of rows; no trajectory is empty")
    for columns, length in ((decisions, size), (trajectories, starts.size - 1)):
        for name, values in columns.items():
            if len(values) != length:
                raise InputError(f"column {name!r} has {len(values)} entries, expected {length}")


def require_numbers(demos: Any) -> None:
    """Raise an `InputError` naming the first row of demonstrations with a number that cannot be."""
    low = np.zeros(demos.num_decisions, dtype=bool)
    if demos.actions.ndim == 1:
        low |= demos.actions < -1
    else:
        low |= np.isinf(demos.actions).any(1)
    if demos.states.ndim == 1:
        low |= demos.states < 0
        low[demos.following.rows] |= demos.following.states < 0
    if low.any():
        row = int(np.argmax(low))
        raise InputError(
            f"row {demos.row(row)}: state {demos.states[row]}, action {demos.actions[row]}, next "
            f"state {demos.next_states[row]}: numbers start at 0 (-1 marks a missing action or an "
            "unknown next state), and continuous actions are finite (NaN marks a missing one)"
        )


def _numbers(array: np.ndarray, name: str, hint: str) -> np.ndarray:
    """Whole numbers in int64."""
    if array.dtype.kind == "f" and not (np.isfinite(array) & (array == np.floor(array))).all():
        raise InputError(
            f"{name} must hold whole numbers; got fractions, NaN or infinity. {hint}: give an "
            f"array [N, D], np.reshape({name}, (-1, 1)) where there is one"
        )
    return frozen_array(array, np.int64, name)
