"""Demonstrations from a table with one row per decision."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from inverseq._core.errors import InputError, argument
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.following import finite_rows
from inverseq.readers import numbering
from inverseq.readers.columns import Column, as_words, plain_array, truth
from inverseq.readers.engine import connect, read_columns, scan_file
from inverseq.readers.frames import frame_columns, frame_names
from inverseq.readers.measured import Bins, binned, features_of, measured_among, refuse_measured
from inverseq.readers.moves import MOVES, moves_between
from inverseq.readers.order import Order, previous_decisions, put_in_order
from inverseq.readers.origin import described, refuse_footer
from inverseq.readers.roles import AUTO, LABELS, Columns, require_column, resolve, several

_NONE: Bins = {}


@dataclass(frozen=True, eq=False)
class _Table:
    """What was read: columns by name, which of them plays which role, and where it came from."""

    columns: Mapping[str, Column]
    roles: Mapping[str, Columns]
    size: int
    origin: str
    binned: Mapping[str, Column] = field(default_factory=dict)

    def of(self, role: str) -> list[Column]:
        """The columns of a role, put into bins where asked for; none where the table has none."""
        return [self.binned.get(n, self.columns[n]) for n in self.roles.get(role, ())]


def read_table(
    source: Any,
    *,
    state: str | Sequence[str] = AUTO,
    action: str | Sequence[str] = AUTO,
    next_state: str | Sequence[str] | None = AUTO,
    subject: str | None = AUTO,
    session: str | None = AUTO,
    trajectory: str | None = AUTO,
    time: str | None = AUTO,
    terminated: str | None = AUTO,
    gap: str | None = AUTO,
    world: str | None = AUTO,
    state_from_previous: str | Sequence[str] = (),
    keep: str | Sequence[str] | None = None,
    missing: Any = (),
    named: str | Sequence[str] = (),
    state_names: Sequence[str | int] = (),
    action_names: Sequence[str] = (),
    longest_step: float | None = None,
    features: str | Sequence[str] = (),
    bins: Bins | int = _NONE,
    continuous: bool = False,
    partitions: bool = False,
    upwards: bool = False,
) -> Demonstrations:
    """Demonstrations from a table with one row per decision.

    A trajectory is the rows that agree in subject, session and trajectory (those of the three that
    the table has). Its rows are put in order of time; without a time they must stand together and
    keep the order of the table. Columns that play no role are kept: per trajectory where they do
    not change within any, else per decision; a column without any value is left out.

    Args:
        source: Path of a CSV or Parquet file, a pandas, Polars or Arrow frame, or a mapping from
            column names to arrays.
        state: Column of the state, or several, whose values are then joined to names such as "1|0".
            Whole numbers from 0, or names, which are numbered in sorted order. Measured values
            are `features`, or put into `bins`.
        action: Column of the action, numbers or names, or several, joined likewise. Empty, NaN, -1
            and `missing` mean that it is not known: such rows stay, with action -1. Where the
            values are -1 and 1 alone, they are two actions. Numbers that begin above 0 keep what
            they are as names, and no action 0 is made up. "moves", where no column is called so,
            makes actions of the places that follow one another, one decision per visit.
        next_state: Column(s) of the state after the decision; taken from the next row where there
            is none. Where it disagrees with the next row, the recording has a gap there.
        subject: Column of the subject. The default "auto" looks for a column of that name (or
            animal, mouse, rat, participant); None says that there is none.
        session: Column of the session.
        trajectory: Column of the trajectory (or traj, episode, bout, round).
        time: Column of the time (or t, trial, step): numbers or ISO dates.
        terminated: Column that is true (or 1) where the world ended the trajectory after the row.
        gap: Column that is true (or 1) where the recording has a hole after the row (gap_after).
        world: Column with the name of the world, the same throughout a trajectory.
        state_from_previous: Columns whose values at the last decision before make the state (after
            those of `state`, if given): `("action", "reward")` is "what was done last and what
            came of it". Before the first decision, and after a gap, that part is "start". Rows
            without an action are passed over.
        keep: Further columns to keep; all where None.
        missing: A value of the action, or several, that means "none", besides empty, NaN and -1.
        named: Columns whose values are names although they look like numbers, or like nothing (NA,
            None, -1): only an empty cell has no value there.
        state_names: Names of the states in the order of their numbers. Without them, the states
            that occur are numbered: where the table's own numbers leave some out, they are the
            names. `range(100)` keeps them as places in a world of 100 states.
        action_names: Names of the actions in the order of their numbers.
        longest_step: Rows of a trajectory whose times are further apart than this have a gap
            between them. In units of the time column.
        features: Columns of measured values that are the state `[N, D]`, in place of `state`; the
            columns of `next_state` are then those of the features after the decision.
        bins: Columns of states or actions that are put into intervals, named "x 0.5–1" and numbered
            in rising order: `{"x": 10}` for ten equally wide ones, `{"x": [0, 0.5, 2]}` for edges,
            10 alone for all columns of the state that hold measured values.
            The column of a next state has the bins of its state.
        continuous: Whether the action columns are continuous actions `[N, D]`, NaN for missing.
        partitions: Whether folders on the way to the file that are called name=value are columns
            too (`subject=Zoe/part-0.parquet`).
        upwards: Of `action="moves"`: whether the second column of the state counts towards the
            north, and not towards the south, as pixels do.

    Raises:
        InputError: The file or a value cannot be used; the message names row (1 is the first below
            the header), column and remedy.
    """
    measured = several(features)
    if measured and (state != AUTO or state_from_previous):
        raise InputError(
            f"features are the state: drop {argument('state')}, {argument('state_from_previous')}"
            f", or drop {argument('features')} and put the state into bins: {argument('bins', 10)}"
        )
    wanted = {
        "state": None if state == AUTO and (state_from_previous or measured) else state,
        "features": measured or None,
        "action": action,
        "next_state": None if measured and next_state == AUTO else next_state,
        "subject": subject,
        "session": session,
        "trajectory": trajectory,
        "time": time,
        "terminated": terminated,
        "gap": gap,
        "world": world,
    }
    previous_columns = several(state_from_previous)
    if previous_columns:
        if next_state not in (AUTO, None):
            raise InputError("next_state and state_from_previous exclude each other; drop one")
        wanted["next_state"] = None
    kept = None if keep is None else several(keep)
    read = _read(source, wanted, previous_columns, kept, several(named), partitions)
    fields = _fields(
        _with_bins(read, bins),
        missing,
        several(named),
        continuous,
        action_names,
        state_names,
        longest_step,
        upwards,
    )
    del read  # the columns are as large as what was made of them
    return Demonstrations.from_arrays(**fields)


def _fields(
    table: _Table,
    missing: Any,
    named: Columns,
    continuous: bool,
    action_names: Sequence[str],
    state_names: Sequence[str | int],
    longest_step: float | None,
    upwards: bool,
) -> dict[str, Any]:
    """What demonstrations are made of."""
    labels = [column for role in LABELS for column in table.of(role)]
    clock = next(iter(table.of("time")), None)
    ended, hole = (
        truth(*table.of(role)) if table.of(role) else np.zeros(table.size, dtype=bool)
        for role in ("terminated", "gap")
    )
    order = put_in_order(labels, clock, table.size, longest_step).broken(hole)
    acting = _acting(table, several(missing), named, continuous)
    playing = {column.name: column for column in acting}
    origin = table.origin
    if acting:
        actions, actions_called = _actions(acting, action_names, continuous)
    else:
        moves = moves_between(_places(table), order, ended, upwards)
        order, ended, actions, actions_called = moves.order, moves.ended, moves.actions, moves.names
        origin += f", {moves.jumps} jumps over places without an action" * bool(moves.jumps)
    names = {"action_feature_names" if continuous else "action_names": actions_called}
    if table.of("features"):
        states, following = _features(table)
        names["feature_names"] = table.roles["features"]
    else:
        acted = finite_rows(actions) if continuous else actions >= 0
        remember = table.roles["state_from_previous"]
        previous = previous_decisions(order, acted, ended) if remember else None
        states, following, names["state_names"] = _states(table, previous, state_names)
    return {
        "states": order.of(states),
        "actions": order.of(actions),
        "next_states": None if following is None else order.of(following),
        "trajectory": order.number,
        "terminated": order.of(ended),
        "gap": order.late,
        "time": order.time,
        "rows": order.rows + 1,
        "source": described(origin, table.roles, {**table.columns, **playing}),
        **names,
        **_further(table, order),
    }


def _read(
    source: Any,
    wanted: Mapping[str, str | Sequence[str] | None],
    before: Columns,
    keep: Sequence[str] | None,
    named: Columns,
    partitions: bool,
) -> _Table:
    """The columns that are needed, from whatever `source` is.

    Raises:
        InputError: The source cannot be read, has no rows, or lacks a column.
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        with connect() as connection:
            scan = scan_file(path, connection, partitions=partitions, named=named)
            roles, chosen = _choose(tuple(scan.types), wanted, before, keep, named)
            columns = read_columns(scan, chosen, connection)
        origin = path.name
    else:
        # A Polars query is run; it knows its columns only then.
        source = source.collect() if hasattr(source, "collect") else source
        roles, chosen = _choose(frame_names(source), wanted, before, keep, named)
        columns = frame_columns(source, chosen)
        origin = "the table"
    lengths = {len(column.values) for column in columns.values()}
    if len(lengths) > 1:
        given = {name: len(column.values) for name, column in columns.items()}
        raise InputError(f"the columns are not equally long: {given}")
    if lengths == {0}:
        raise InputError(f"{origin} holds no rows below its header")
    columns = {n: as_words(c) if n in named else c for n, c in columns.items()}
    # A column without any value says nothing: an animal that is never named is no animal.
    roles = {
        role: own
        for role, own in roles.items()
        if wanted[role] != AUTO or role in ("state", "action") or not columns[own[0]].missing.all()
    }
    refuse_footer(roles, columns)
    return _Table(columns, roles | {"state_from_previous": before}, lengths.pop(), origin)


def _with_bins(table: _Table, bins: Bins | int) -> _Table:
    """The table with columns of states and actions put into bins.

    Raises:
        InputError: A column to bin makes no state and no action.
    """
    states = table.roles.get("state", ())
    after = dict(zip(states, table.roles.get("next_state", ()), strict=False))
    playing = [*states, *table.roles.get("action", ()), *table.roles["state_from_previous"]]
    if isinstance(bins, int):
        bins = dict.fromkeys(measured_among([table.columns[n] for n in states], bins), bins)
    made: dict[str, Column] = {}
    for name, wanted in bins.items():
        if name not in playing:
            raise InputError(
                f"bins are for columns that make the state or the action, {playing}; got {name!r}"
            )
        names = [name, *([after[name]] if name in after else [])]
        columns = binned([table.columns[n] for n in names], wanted, name)
        made |= dict(zip(names, columns, strict=True))
    return replace(table, binned=made)


def _choose(
    present: Columns,
    wanted: Mapping[str, str | Sequence[str] | None],
    before: Columns,
    keep: Sequence[str] | None,
    named: Columns,
) -> tuple[dict[str, Columns], Columns]:
    """The columns of each role, and all that are to be read."""
    if wanted["action"] == MOVES and MOVES not in present:
        if before or wanted["next_state"] not in (AUTO, None):
            raise InputError("moves are made of the states alone; give no other column for them")
        wanted = {**wanted, "action": None, "next_state": None}
    roles = resolve(present, wanted)
    for role, columns in (("state_from_previous", before), ("named", named), ("keep", keep or ())):
        for column in columns:
            require_column(column, present, role)
    playing = {column for names in roles.values() for column in names} | {*before}
    read = [p for p in present if p in playing or keep is None or p in keep]
    return roles, tuple(read)


def _acting(
    table: _Table, missing: Sequence[Any], named: Columns, continuous: bool
) -> list[Column]:
    """The columns of the action, with those rows missing that have none."""
    return [
        numbering.action_column(column, missing, named=continuous or column.name in named)
        for column in table.of("action")
    ]


def _actions(
    columns: list[Column], names: Sequence[str], continuous: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """The action of each row of the table, -1 or NaN where it is missing, and the names."""
    if continuous:
        return features_of(columns), tuple(column.name for column in columns)
    refuse_measured(columns, "action")
    column = columns[0] if len(columns) == 1 else numbering.joined(columns)
    (actions,), known = numbering.number([column], names, "action")
    return actions, known


def _features(table: _Table) -> tuple[np.ndarray, np.ndarray | None]:
    """Features of each row of the table, and of the state after it (None where there are none)."""
    present, following = table.of("features"), table.of("next_state")
    for column in present:
        numbering.require_present(column, "a feature")
    numbering.require_alike(present, following)
    return features_of(present), features_of(following) if following else None


def _places(table: _Table) -> list[Column]:
    """The columns of the state, of which moves can be made."""
    refuse_measured(table.of("state"), "state")
    for column in table.of("state"):
        numbering.require_present(column, "the state")
    return table.of("state")


def _states(
    table: _Table,
    previous: Int[np.ndarray, " N"] | None,
    names: Sequence[str | int],
) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"] | None, tuple[str, ...]]:
    """State and next state (None where the table has none) of each row, and the names."""
    present, following = table.of("state"), table.of("next_state")
    before = table.of("state_from_previous")
    numbering.require_alike(present, following)
    refuse_measured((*present, *following, *before), "state")
    for column in present:
        numbering.require_present(column, "the state")
    if previous is not None:
        known = previous >= 0
        past = [column.at(np.maximum(previous, 0)) for column in before]
        for column, lagged in zip(before, past, strict=True):
            used = np.zeros(table.size, dtype=bool)
            used[previous[known & lagged.missing]] = True
            numbering.require_present(column, "a part of the state", used)
        columns = [numbering.joined(present, past, known)]
    elif len(present) == 1:
        columns = [*present, *following]
    elif following:
        columns = [*numbering.joined_alike(present, following)]
    else:
        columns = [numbering.joined(present)]
    (states, *after), called = numbering.number(columns, names, "state")
    numbering.require_counted(columns[0], states)
    return states, after[0] if after else None, called


def _further(table: _Table, order: Order) -> dict[str, dict[str, np.ndarray]]:
    """Everything else: columns per trajectory and per decision, in the order of trajectories."""
    trajectories, decisions = {}, {}
    for role in (*LABELS, "world"):
        for column in table.of(role):
            trajectories[role] = plain_array(column)[order.firsts]
    # A column that makes the state together with others, or in bins, is kept for itself as well.
    playing = [n for role, n in table.roles.items() if role != "state_from_previous"]
    used = {names[0] for names in playing if len(names) == 1} - set(table.binned)
    for column in table.of("world"):
        row = order.changing_row(column)
        if row is not None:
            raise InputError(
                f"{column.place(row)}: the world changes to {column.text(row)!r} "
                "within a trajectory; a trajectory is in one world"
            )
    for name, column in table.columns.items():
        if name in used or column.missing.all():
            continue
        own = name if name not in trajectories else f"table_{name}"
        if order.changing_row(column) is None:
            trajectories[own] = plain_array(column)[order.firsts]
        else:
            decisions[own] = order.of(plain_array(column))
    return {"trajectories": trajectories, "decisions": decisions}
