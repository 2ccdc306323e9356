"""Counts from tables that are larger than memory."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from jaxtyping import Int

from inverseq._core.errors import InputError
from inverseq.decisions.counts import Counts
from inverseq.mdp import MDP
from inverseq.mdp.build import transition_shares
from inverseq.readers import numbering
from inverseq.readers.columns import Column, column_from_array, words_column
from inverseq.readers.engine import Scan, column_kinds, connect, read_error, scan_file, typed
from inverseq.readers.roles import AUTO, resolve, several


@dataclass(frozen=True, eq=False)
class TableCounts:
    """What a table comes down to for every solver that needs nothing beyond counts.

    Attributes:
        counts: How often each action was taken in each state.
        transitions: Columns "state", "action", "next_state" (whole numbers), "count" and
            "probability" (the share among the known next states), one row per transition that was
            seen; without rows where the table has no next states. `MDP.from_table` reads it.
        num_rows: Rows of the table.
        num_missing: Rows without an action, which are not counted.
        state_names: Names of the states; empty where they are numbers.
        action_names: Names of the actions; empty where they are numbers.
        source: Where the rows came from.
    """

    counts: Counts
    transitions: Mapping[str, np.ndarray]
    num_rows: int
    num_missing: int
    state_names: tuple[str, ...]
    action_names: tuple[str, ...]
    source: str


def count_file(
    path: str | os.PathLike,
    *,
    state: str = AUTO,
    action: str = AUTO,
    next_state: str | None = AUTO,
    missing: Any = (),
    state_names: Sequence[str] = (),
    action_names: Sequence[str] = (),
    num_states: int | None = None,
    num_actions: int | None = None,
    memory_limit: str = "1GB",
) -> TableCounts:
    """Count a CSV or Parquet file of any length, which is streamed and never held.

    Columns are found and numbered as by `read_table`. Rows are taken one by one, whatever their
    order and trajectory: a next state must therefore be a column of its own, and a state that is
    to remember must do so in the table.

    Args:
        path: The file.
        state: Column of the state.
        action: Column of the action; rows where it is missing are not counted.
        next_state: Column of the next state; None (or no such column) for counts without
            transitions.
        missing: A value of the action, or several, that means "none", besides empty, NaN and -1.
        state_names: Names of the states in the order of their numbers.
        action_names: Names of the actions in the order of their numbers.
        num_states: S, if there are more states than occur.
        num_actions: A, if there are more actions than occur.
        memory_limit: What DuckDB may use ("500MB"); beyond it, it spills to a temporary folder.

    Raises:
        InputError: As for `read_table`.
    """
    source = Path(path)
    with connect(memory_limit) as connection:
        scan = scan_file(source, connection)
        wanted = {"state": state, "action": action, "next_state": next_state}
        roles = resolve(tuple(scan.types), wanted)
        names = [roles[role][0] for role in ("state", "action", "next_state") if role in roles]
        columns, weight = _grouped(scan, names, connection, rows=False)
        if not weight.size:
            raise InputError(f"{source.name} holds no rows below its header")
        asked = several(missing), state_names, action_names, num_states is None
        try:
            numbered = _numbered(columns, *asked)
        except InputError:
            # Only a message needs row numbers, and they cost more than all the counting.
            columns, _ = _grouped(scan, names, connection, rows=True)
            _numbered(columns, *asked)
            raise
    states, actions, following, called = numbered
    shape = _shape(states, actions, following, called, num_states, num_actions)
    acted = actions >= 0
    table = np.zeros(shape)
    np.add.at(table, (states[acted], actions[acted]), weight[acted])
    return TableCounts(
        counts=Counts(table),
        transitions=_transitions(states, actions, following, weight),
        num_rows=int(weight.sum()),
        num_missing=int(weight[~acted].sum()),
        state_names=called[0],
        action_names=called[1],
        source=source.name,
    )


def estimate_from_counts(
    counted: TableCounts, *, discount: float, smoothing: float = 0.0, **fields: Any
) -> MDP:
    """An MDP from counted transitions, by the formula of `MDP.estimate`.

    Args:
        counted: With transitions.
        discount: gamma.
        smoothing: Weight of each state's own average, in observations; kept in `notes`.
        **fields: Any further field of `MDP`.

    Raises:
        InputError: The table had no next states, or smoothing is negative.
    """
    seen = counted.transitions
    if not seen["count"].size:
        raise InputError(
            f"{counted.source} has no next states to estimate from; name their column with "
            'next_state="..."'
        )
    made, _, taken = transition_shares(
        seen["state"],
        seen["action"],
        seen["next_state"],
        seen["count"].astype(np.float64),
        counted.counts.state_action.shape,
        smoothing,
    )
    notes = {
        "estimated": f"transitions counted in {counted.source}",
        "smoothing": float(smoothing),
        "transitions": int(seen["count"].sum()),
        "pairs_never_taken": int((taken == 0).sum()),
    }
    names = {"state_names": counted.state_names, "action_names": counted.action_names}
    return MDP(**{**made, **names, "notes": notes, "discount": discount, **fields})


def _grouped(
    scan: Scan, names: Sequence[str], connection: duckdb.DuckDBPyConnection, rows: bool
) -> tuple[list[Column], Int[np.ndarray, " G"]]:
    """Each different combination of values, and how often it stands in the table.

    `rows`: also find the first row of each, and put them in this order.
    """
    try:
        kinds = column_kinds(scan, names, connection)
        values = ", ".join(f"{typed(scan, n, kinds[n].type)} AS v{i}" for i, n in enumerate(names))
        keys = ", ".join(f"v{i}" for i in range(len(names)))
        number, first, order = "", "", ""
        if rows:
            number, first, order = ", row_number() OVER () AS r", ", min(r) AS r", " ORDER BY r"
        found = connection.execute(
            f"SELECT {keys}, count(*) AS weight{first} "
            f"FROM (SELECT {values}{number} FROM {scan.relation}) GROUP BY {keys}{order}"
        ).fetchnumpy()
    except duckdb.Error as error:
        raise read_error(scan.path, error) from error
    columns = []
    for i, name in enumerate(names):
        if kinds[name].type == "VARCHAR":
            absent = np.ma.getmaskarray(found[f"v{i}"])
            texts = np.ma.getdata(found[f"v{i}"])[~absent].tolist()
            column = words_column(name, texts, absent, scan.loose)
        else:
            column = column_from_array(name, found[f"v{i}"])
        columns.append(replace(column, rows=found["r"].astype(np.int64)) if rows else column)
    return columns, found["weight"].astype(np.int64)


def _numbered(
    columns: Sequence[Column],
    missing: Sequence[Any],
    state_names: Sequence[str],
    action_names: Sequence[str],
    occurring: bool,
) -> tuple[
    Int[np.ndarray, " G"],
    Int[np.ndarray, " G"],
    Int[np.ndarray, " G"] | None,
    tuple[tuple[str, ...], tuple[str, ...]],
]:
    """State, action and next state (None where there is none) of each group, and the names."""
    state, action, *after = columns
    numbering.require_present(state, "the state")
    action = numbering.action_column(action, missing)
    (actions,), actions_called = numbering.number([action], action_names, "action")
    states = [state, *after]
    numbers, states_called = numbering.number(states, state_names, "state", occurring=occurring)
    numbering.require_counted(state, numbers[0])
    following = numbers[1] if after else None
    return numbers[0], actions, following, (states_called, actions_called)


def _shape(
    states: Int[np.ndarray, " G"],
    actions: Int[np.ndarray, " G"],
    following: Int[np.ndarray, " G"] | None,
    called: tuple[tuple[str, ...], tuple[str, ...]],
    num_states: int | None,
    num_actions: int | None,
) -> tuple[int, int]:
    """S and A, as told or as seen."""
    last = -1 if following is None else int(following.max())
    shape = []
    for what, seen, names, told in (
        ("state", max(int(states.max()), last), called[0], num_states),
        ("action", int(actions.max()), called[1], num_actions),
    ):
        size = max(seen + 1, len(names))
        if told is not None and told < size:
            raise InputError(f"there are {size} {what}s in the table, more than num_{what}s={told}")
        shape.append(size if told is None else told)
    return shape[0], shape[1]


def _transitions(
    states: Int[np.ndarray, " G"],
    actions: Int[np.ndarray, " G"],
    following: Int[np.ndarray, " G"] | None,
    weight: Int[np.ndarray, " G"],
) -> dict[str, np.ndarray]:
    """The transitions among the groups, in order of state, action and next state."""
    reached = np.full(states.size, -1) if following is None else following
    chosen = np.flatnonzero((actions >= 0) & (reached >= 0))
    chosen = chosen[np.lexsort((reached[chosen], actions[chosen], states[chosen]))]
    s, a, n, count = states[chosen], actions[chosen], reached[chosen], weight[chosen]
    pair = np.unique(np.stack([s, a], 1), axis=0, return_inverse=True)[1].ravel()
    total = np.bincount(pair, weights=count) if pair.size else np.zeros(0)
    return {
        "state": s,
        "action": a,
        "next_state": n,
        "count": count,
        "probability": count / total[pair],
    }
