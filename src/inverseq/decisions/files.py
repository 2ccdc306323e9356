"""Counts from tables that are larger than memory."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int
from scipy import sparse

from inverseq._core.errors import InputError
from inverseq.decisions.counts import Counts
from inverseq.demonstrations.grouping import named_units
from inverseq.mdp import MDP
from inverseq.mdp.build import terminal_states, transition_shares
from inverseq.readers import numbering
from inverseq.readers.columns import plain_array
from inverseq.readers.engine import Scan, connect
from inverseq.readers.folders import require_in_all, scan_files
from inverseq.readers.roles import AUTO, LABELS, Columns, require_column, resolve, several
from inverseq.readers.streaming import Groups, Table, grouped, unit_cells, unit_columns


@dataclass(frozen=True, eq=False)
class TableCounts:
    """What a table comes down to for every solver that needs nothing beyond counts.

    Attributes:
        counts: How often each action was taken in each state, and by whom where that was asked for.
        transitions: Columns "state", "action", "next_state" (whole numbers), "count" and
            "probability" (the share among the known next states), one row per transition that was
            seen; without rows where the table has no next states. `MDP.from_table` reads it.
        num_rows: Rows of the table.
        num_missing: Rows without an action, which are not counted.
        state_names: Names of the states; empty where they are numbers.
        action_names: Names of the actions; empty where they are numbers.
        source: Where the rows came from.
        initial: `[S]` trajectories that begin in each state; None where rows were taken one by one.
        ended: `[S]` how often the world ended a trajectory in each state, of the rows with a known
            next state.
    """

    counts: Counts
    transitions: Mapping[str, np.ndarray]
    num_rows: int
    num_missing: int
    state_names: tuple[str, ...]
    action_names: tuple[str, ...]
    source: str
    initial: Int[np.ndarray, " S"] | None
    ended: Int[np.ndarray, " S"]


def count_file(
    path: str | os.PathLike,
    *,
    state: str = AUTO,
    action: str = AUTO,
    next_state: str | None = AUTO,
    subject: str | None = AUTO,
    session: str | None = AUTO,
    trajectory: str | None = AUTO,
    time: str | None = AUTO,
    terminated: str | None = AUTO,
    gap: str | None = AUTO,
    longest_step: float | None = None,
    by: str | None = None,
    partitions: bool = False,
    missing: Any = (),
    state_names: Sequence[str] = (),
    action_names: Sequence[str] = (),
    num_states: int | None = None,
    num_actions: int | None = None,
    memory_limit: str = "1GB",
) -> TableCounts:
    """Count a table of any length in one CSV file or many Parquet files, streamed and never held.

    Columns are found and numbered as by `read_table`. Where there is a column of next states, rows
    are taken one by one, whatever their order. Where there is none but a time, the rows that agree
    in subject, session and trajectory are put in order of time, and next states are the states of
    the following rows, as in `read_table`; that takes the time of a sort. It makes no difference in
    which order rows stand, and in which files, so equal times in one trajectory are refused.

    Args:
        path: A CSV or Parquet file, a folder whose Parquet files (also those of folders in it) are
            one table, or a pattern such as "runs/*/part-*.parquet".
        state: Column of the state.
        action: Column of the action; rows where it is missing are not counted.
        next_state: Column of the next state; None for counts without transitions. With a `time`
            that is named, one that is empty or -1 is taken from the following row.
        subject: Column of the subject, as in `read_table`.
        session: Column of the session.
        trajectory: Column of the trajectory.
        time: Column of the time.
        terminated: Column that is true where the world ended the trajectory after the row.
        gap: Column that is true where the recording has a hole after the row.
        longest_step: Rows of a trajectory whose times are further apart than this have a gap
            between them. In units of the time column.
        by: What a unit is, of which counts are kept for `bootstrap`, `sandwich` and held-out
            scores: "subject", "session", "trajectory" or a column; None for none.
        partitions: Whether folders called name=value on the way to the files are columns
            (`subject=Zoe/part-0.parquet`). They never override a column of the files.
        missing: A value of the action, or several, that means "none", besides empty, NaN and -1.
        state_names: Names of the states in the order of their numbers.
        action_names: Names of the actions in the order of their numbers.
        num_states: S, if there are more states than occur.
        num_actions: A, if there are more actions than occur.
        memory_limit: What DuckDB may use ("500MB"); beyond it, it spills to a temporary folder.

    Raises:
        InputError: As for `read_table`; files differ in their columns; rows of a trajectory have
            the same time; or memory and disk are too small to put the rows in order.
    """
    wanted: dict[str, str | Sequence[str] | None] = {
        "state": state,
        "action": action,
        "next_state": next_state,
        "subject": subject,
        "session": session,
        "trajectory": trajectory,
        "time": time,
        "terminated": terminated,
        "gap": gap,
    }
    with connect(memory_limit) as connection:
        scan = scan_files(path, connection, partitions=partitions)
        roles = _roles(scan, wanted, longest_step, by)
        require_in_all(scan, [name for own in roles.values() for name in own], connection)
        table = Table.of(scan, roles, connection, longest_step)
        groups = grouped(table)
        source = scan.path.name
        if not groups.weight.size:
            raise InputError(f"{source} holds no rows below its header")
        asked = several(missing), state_names, action_names, num_states is None
        try:
            numbered = _numbered(groups, *asked)
        except InputError:
            # Only a message needs row numbers, and they cost more than all the counting.
            _numbered(grouped(table, rows=True), *asked)
            raise
        states, actions, following, called = numbered
        shape = _shape(states, actions, following, called, num_states, num_actions)
        units = {} if by is None else _units(table, by, groups, states, actions, shape)
    weight, acted = groups.weight, actions >= 0
    counted = np.zeros(shape)
    np.add.at(counted, (states[acted], actions[acted]), weight[acted])
    initial = None
    if groups.begins is not None:
        initial = np.bincount(states, groups.begins, shape[0]).astype(np.int64)
    led = np.zeros(states.size, bool) if following is None else following >= 0
    ended = np.bincount(
        np.zeros(0, np.int64) if following is None else following[led], groups.ends[led], shape[0]
    )
    return TableCounts(
        counts=Counts(counted, **units),
        transitions=_transitions(states, actions, following, weight),
        num_rows=int(weight.sum()),
        num_missing=int(weight[~acted].sum()),
        state_names=called[0],
        action_names=called[1],
        source=source,
        initial=initial,
        ended=ended.astype(np.int64),
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
            'next_state="...", or the one that orders the rows of a trajectory with time="..."'
        )
    made, left, taken = transition_shares(
        seen["state"],
        seen["action"],
        seen["next_state"],
        seen["count"].astype(np.float64),
        counted.counts.state_action.shape,
        smoothing,
    )
    further: dict[str, Any] = {"terminal": terminal_states(np.flatnonzero(counted.ended), left)}
    if counted.initial is not None:
        further["initial"] = counted.initial / counted.initial.sum()
    notes = {
        "estimated": f"transitions counted in {counted.source}",
        "smoothing": float(smoothing),
        "transitions": int(seen["count"].sum()),
        "pairs_never_taken": int((taken == 0).sum()),
    }
    names = {"state_names": counted.state_names, "action_names": counted.action_names}
    return MDP(**{**made, **further, **names, "notes": notes, "discount": discount, **fields})


def _roles(
    scan: Scan,
    wanted: Mapping[str, str | Sequence[str] | None],
    longest_step: float | None,
    by: str | None,
) -> dict[str, Columns]:
    """The columns that are needed: those that order rows only where next states are made of order.

    Raises:
        InputError: A column does not exist, or cannot be told.
    """
    present = tuple(scan.types)
    needed = {role: wanted[role] for role in ("state", "action", "next_state")}
    named = {role for role in wanted if wanted[role] not in (None, AUTO)}
    chosen = resolve(present, needed)
    stepwise = longest_step is not None or bool(named & {"time", "gap"})
    if wanted["next_state"] is None and stepwise:
        raise InputError(
            "next_state=None counts no transitions, and time, gap and longest_step are for them "
            "alone; drop one or the other"
        )
    ordered = stepwise or ("next_state" not in chosen and wanted["next_state"] is not None)
    if ordered or "next_state" in chosen:
        needed["terminated"] = wanted["terminated"]
    if ordered or by is not None:
        needed |= {role: wanted[role] for role in LABELS}
    if ordered:
        needed |= {role: wanted[role] for role in ("time", "gap")}
    roles = resolve(present, needed)
    if stepwise and "time" not in roles:
        raise InputError(
            "gaps and steps are between rows in order of time; name the column with time=..."
        )
    if by is not None and by not in (*LABELS, *wanted):
        require_column(by, present, "by")
        roles[by] = (by,)
    return roles


def _units(
    table: Table,
    by: str,
    groups: Groups,
    states: Int[np.ndarray, " G"],
    actions: Int[np.ndarray, " G"],
    shape: tuple[int, int],
) -> dict[str, Any]:
    """Fields of `Counts` that say who did what.

    Raises:
        InputError: No column says it, or a row does not say whose it is.
    """
    names, columns = unit_columns(table, by)
    size = next(iter(columns.values())).values.size
    role_of = {own[0]: role for role, own in table.roles.items()}
    labels = {role_of[name]: plain_array(columns[name]) for name in names}
    number, called = named_units(labels, size, by)
    seen = unit_cells(table, columns, number, groups, states, actions)
    cell = seen["s"].astype(np.int64) * shape[1] + seen["a"]
    made = sparse.coo_array(
        (seen["weight"].astype(np.float64), (seen["u"].astype(np.int64), cell)),
        shape=(int(number.max()) + 1, shape[0] * shape[1]),
    )
    return {"units": made.tocsr(), "by": by, "unit_names": called}


def _numbered(
    groups: Groups,
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
    state, action, *after = groups.columns
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
