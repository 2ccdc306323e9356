"""Decisions as columns of a table."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Int, Shaped

from inverseq._core.display import Fact
from inverseq._core.errors import InputError
from inverseq.demonstrations.spaces import Box, Finite

_HEAD = 5

Columns = dict[str, Shaped[np.ndarray, " M"]]


def key_columns(demonstrations: Any, chosen: Int[np.ndarray, " M"]) -> Columns:
    """Where each of the chosen decisions of `Demonstrations` stands, and what was done there.

    Returns:
        Columns `[M]` by name: every column per trajectory ("subject", "session", ..., and
        "trajectory", its number where it has no label), "step" (decisions since the trajectory
        began), "time" where there is one, "row" (of the source, from 1), "state" and "action" (by
        name where they have names; action -1 or "" where missing). States and actions `[N, D]`
        have a column per component; states with more axes have none.

    Raises:
        InputError: A column per trajectory has the name of one of these.
    """
    data = demonstrations
    trajectory = np.searchsorted(data.starts, chosen, side="right") - 1
    keys = {"trajectory": trajectory} | {n: v[trajectory] for n, v in data.trajectories.items()}
    table = {"step": chosen - data.starts[trajectory]}
    if data.time is not None:
        table["time"] = data.time[chosen]
    table["row"] = chosen + 1 if data.rows is None else data.rows[chosen]
    table |= _named("state", data.states[chosen], data.state_names, data.feature_names)
    table |= _named("action", data.actions[chosen], data.action_names, data.action_feature_names)
    return beside(keys, table)


def all_columns(demonstrations: Any) -> Columns:
    """`key_columns` of all decisions of `Demonstrations`, where each led, and what else is known.

    A "step" or "row" that the table brought along stands in place of ours. A component of the state
    or of the action is there once, also where the table kept its column.

    Raises:
        InputError: Two other columns have the same name.
    """
    data = demonstrations
    table = key_columns(data, np.arange(data.num_decisions))
    for name in {"step", "row"} & {*data.decisions}:
        del table[name]
    components = {*data.feature_names, *data.action_feature_names}
    further = {"terminated": data.terminated}
    further |= {name: own for name, own in data.decisions.items() if name not in components}
    names = [f"next_{name}" for name in data.feature_names]
    after = _named("next_state", data.next_states, data.state_names, names)
    return beside(beside(table, after), further)


def beside(columns: Mapping[str, np.ndarray], further: Mapping[str, np.ndarray]) -> Columns:
    """Columns and further ones.

    Raises:
        InputError: Two have the same name.
    """
    twice = sorted(set(columns) & set(further))
    if twice:
        raise InputError(
            f"the column {twice[0]!r} of your table has the name of a column of this one; rename it"
        )
    return {**columns, **further}


def _named(
    what: str, values: np.ndarray, names: tuple[str, ...], components: Any
) -> dict[str, np.ndarray]:
    """Names in place of numbers where there are names, "" for -1; or a column per component."""
    if values.ndim == 1:
        return {what: np.array([*names, ""])[values] if names else values}
    if values.ndim > 2:
        return {}
    called = components or [f"{what}_{i}" for i in range(values.shape[1])]
    return dict(zip(called, values.T, strict=True))


def facts(demonstrations: Any) -> Iterable[Fact]:
    """What there is to say of `Demonstrations` in a few words."""
    return (
        ("decisions", demonstrations.num_decisions),
        ("trajectories", demonstrations.num_trajectories),
        ("states", _extent(demonstrations.state_space)),
        ("actions", _extent(demonstrations.action_space)),
        ("source", demonstrations.source),
    )


def first_rows(demonstrations: Any) -> list[dict[str, Any]]:
    """The first decisions of `Demonstrations`, for a page."""
    table = key_columns(demonstrations, np.arange(min(_HEAD, demonstrations.num_decisions)))
    listed = {name: values.tolist() for name, values in table.items()}
    return [dict(zip(listed, row, strict=True)) for row in zip(*listed.values(), strict=True)]


def _extent(space: Finite | Box) -> int | str:
    """How many there are, or what their arrays are."""
    return space.n if isinstance(space, Finite) else f"{space.dtype} {[*space.shape]}"
