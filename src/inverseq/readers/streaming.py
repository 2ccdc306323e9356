"""What stands in a table how often, asked of DuckDB, which streams it in bounded memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import duckdb
import numpy as np
from jaxtyping import Int

from inverseq._core.errors import InputError, argument
from inverseq.readers.columns import Column, column_from_array, row_within, truth, words_column
from inverseq.readers.engine import Kind, Scan, column_kinds, read_error, typed
from inverseq.readers.folders import named_parts
from inverseq.readers.order import SLACK
from inverseq.readers.roles import LABELS, Columns


@dataclass(frozen=True, eq=False)
class Groups:
    """Different combinations of state, action and next state, and how often each stands there.

    Attributes:
        columns: Those of state, action and, where there is one, next state; G values each.
        weight: `[G]` rows of each.
        begins: `[G]` how many of them begin a trajectory; None where rows are in no order.
        ends: `[G]` after how many of them the world ended something.
    """

    columns: list[Column]
    weight: Int[np.ndarray, " G"]
    begins: Int[np.ndarray, " G"] | None
    ends: Int[np.ndarray, " G"]


@dataclass(frozen=True, eq=False)
class Table:
    """A table, what its columns are, and the connection that reads it.

    Attributes:
        scan: The table.
        roles: Role -> its columns. With a "time", rows of a trajectory are put in its order, and a
            next state that the table does not give is the state of the following row.
        kinds: Column -> what it holds.
        connection: DuckDB's.
        longest_step: Largest difference of time between rows that go on from each other, or None.
    """

    scan: Scan
    roles: Mapping[str, Columns]
    kinds: Mapping[str, Kind]
    connection: duckdb.DuckDBPyConnection
    longest_step: float | None = None

    @classmethod
    def of(
        cls,
        scan: Scan,
        roles: Mapping[str, Columns],
        connection: duckdb.DuckDBPyConnection,
        longest_step: float | None,
    ) -> "Table":
        """The table; its columns are looked through once.

        Raises:
            InputError: It cannot be read.
        """
        names = list(dict.fromkeys(name for own in roles.values() for name in own))
        try:
            kinds = column_kinds(scan, names, connection)
        except duckdb.Error as error:
            raise read_error(scan.path, error) from error
        return cls(scan, roles, kinds, connection, longest_step)

    def value(self, name: str) -> str:
        """SQL of a column's value."""
        return typed(self.scan, name, self.kinds[name].type)

    def ask(self, query: str) -> dict[str, np.ndarray]:
        """The answer to a query, column by column.

        Raises:
            InputError: The table cannot be read, or memory is too small.
        """
        try:
            return self.connection.execute(query).fetchnumpy()
        except duckdb.Error as error:
            raise read_error(self.scan.path, error) from error

    def column(self, name: str, found: np.ndarray, rows: np.ndarray | None = None) -> Column:
        """A column of values that a query gave, and in which row of the table each stands first."""
        if self.kinds[name].type == "VARCHAR":
            absent = np.ma.getmaskarray(found)
            column = words_column(
                name, np.ma.getdata(found)[~absent].tolist(), absent, self.scan.loose
            )
        else:
            column = column_from_array(name, found)
        if rows is None:
            return column
        return replace(column, rows=rows.astype(np.int64), parts=named_parts(self.scan))

    def labels(self) -> list[str]:
        """Columns that tell trajectories apart."""
        return [name for role in LABELS for name in self.roles.get(role, ())]

    def label(self, name: str) -> str:
        """SQL of a label; one that is not a number is none."""
        value = self.value(name)
        if self.kinds[name].type in ("FLOAT", "DOUBLE"):
            return f"CASE WHEN isnan({value}) THEN NULL ELSE {value} END"
        return value


def grouped(table: Table, *, rows: bool = False) -> Groups:
    """Each different combination of state, action and next state, and how often it stands there.

    Args:
        table: With roles "state" and "action", and perhaps "next_state", "time", "terminated",
            "gap" and those of `LABELS`.
        rows: Also find the first row of each, and put them in this order; for messages alone, as
            row numbers cost more than all the counting.

    Raises:
        InputError: The table cannot be read; or its rows are to be put in order, and a label or a
            time is empty, or two rows of a trajectory have the same time.
    """
    names = [
        table.roles[role][0] for role in ("state", "action", "next_state") if role in table.roles
    ]
    ordered = "time" in table.roles
    relation = _placed(table, rows) if ordered else _rows(table, rows)
    keys = "v0, v1, v2" if ordered or len(names) > 2 else "v0, v1"
    sums = "count(*) AS weight, count(*) FILTER (e) AS ends"
    sums += ", count(*) FILTER (earlier IS NULL) AS begins" * ordered
    sums += ", count(*) FILTER (later = t) AS ties" * ordered
    sums += ", count(*) FILTER (NOT placed) AS lost" * ordered
    order = " ORDER BY r" if rows else ""
    found = table.ask(
        f"SELECT {keys}, {sums}{', min(r) AS r' if rows else ''} FROM {relation} "
        f"GROUP BY {keys}{order}"
    )
    if ordered and found["lost"].sum():
        _refuse_lost(table)
    if ordered and found["ties"].sum():
        _refuse_ties(table, int(found["ties"].sum()))
    if ordered and len(names) == 2:
        names.append(names[0])
    columns = [table.column(name, found[f"v{i}"], found.get("r")) for i, name in enumerate(names)]
    whole = {name: found[name].astype(np.int64) for name in ("weight", "ends")}
    begins = found["begins"].astype(np.int64) if ordered else None
    return Groups(columns, begins=begins, **whole)


def _rows(table: Table, numbers: bool) -> str:
    """SQL of the rows as they stand in the table: v0 to v2 and whether the world ended (e); where
    there is a time, also labels (l0 ...), time (t), holes (h) and whether all labels and the time
    are known (placed).
    """
    roles = table.roles
    parts = [
        f"{table.value(roles[role][0])} AS {name}"
        for role, name in (("state", "v0"), ("action", "v1"), ("next_state", "v2"))
        if role in roles
    ]
    parts.append(f"{_is_true(table, 'terminated')} AS e")
    if "time" in roles:
        labels = [table.label(name) for name in table.labels()]
        time = _seconds(table, *roles["time"])
        parts += [f"{label} AS l{i}" for i, label in enumerate(labels)]
        placed = [
            f"coalesce(isfinite({time}), false)",
            *(f"{label} IS NOT NULL" for label in labels),
        ]
        parts += [
            f"{time} AS t",
            f"{_is_true(table, 'gap')} AS h",
            f"{' AND '.join(placed)} AS placed",
        ]
    if numbers:
        parts.append("row_number() OVER () AS r")
    return f"(SELECT {', '.join(parts)} FROM {table.scan.relation})"


def _placed(table: Table, numbers: bool) -> str:
    """SQL of the rows with the state of the following one of their trajectory as next state, where
    it goes on from them and the table gives none.
    """
    labels = ", ".join(f"l{i}" for i in range(len(table.labels())))
    window = f"PARTITION BY {labels} ORDER BY t" if labels else "ORDER BY t"
    breaks = "later IS NULL OR e OR h"
    if table.longest_step is not None:
        breaks += f" OR later - t > {table.longest_step * SLACK!r}"
    following = f"CASE WHEN {breaks} THEN NULL ELSE n END"
    if "next_state" in table.roles:
        state, given = (table.kinds[table.roles[r][0]].type for r in ("state", "next_state"))
        words = [kind in ("VARCHAR", "BOOLEAN") for kind in (state, given)]
        # Of words and numbers nothing is made here; numbering them says what is wrong.
        own = "v2" if words[1] else "nullif(v2, -1)"
        following = f"coalesce({own}, {following})" if words[0] == words[1] else "v2"
    return (
        f"(SELECT v0, v1, {following} AS v2, e, t, later, earlier, placed{', r' * numbers} FROM "
        f"(SELECT *, lead(v0) OVER w AS n, lead(t) OVER w AS later, lag(t) OVER w AS earlier "
        f"FROM {_rows(table, numbers)} WINDOW w AS ({window})))"
    )


def _seconds(table: Table, name: str) -> str:
    """SQL of a time as a number: seconds of dates, which count as UTC where they name no zone."""
    value, kind = table.value(name), table.kinds[name].type
    if kind == "VARCHAR":
        return f"coalesce(TRY_CAST({value} AS DOUBLE), epoch(TRY_CAST({value} AS TIMESTAMP)))"
    return f"epoch({value})" if kind == "TIMESTAMP" else f"CAST({value} AS DOUBLE)"


def _is_true(table: Table, role: str) -> str:
    """SQL that says whether the column of a role is true.

    Raises:
        InputError: A value is neither true nor false.
    """
    if role not in table.roles:
        return "false"
    (name,) = table.roles[role]
    value = table.value(name)
    told = f"SELECT {value} AS v, CAST({value} AS VARCHAR) AS text"
    found = table.ask(f"SELECT DISTINCT v, text FROM ({told} FROM {table.scan.relation})")
    try:
        true = truth(table.column(name, found["v"]))
    except InputError:
        found = table.ask(
            f"SELECT v, min(r) AS r FROM ({told}, row_number() OVER () AS r FROM "
            f"{table.scan.relation}) GROUP BY v ORDER BY r"
        )
        truth(table.column(name, found["v"], found["r"]))
        raise
    texts = [f"'{text}'" for text in np.ma.getdata(found["text"])[true]]
    if not texts:
        return "false"
    return f"coalesce(CAST({value} AS VARCHAR) IN ({', '.join(texts)}), false)"


def _refuse_lost(table: Table) -> None:
    """Raise an `InputError` that names the first row without a label or a time."""
    numbered = _rows(table, True)
    for i, name in enumerate(table.labels()):
        found = table.ask(f"SELECT count(*) AS n, min(r) AS r FROM {numbered} WHERE l{i} IS NULL")
        if count := int(found["n"][0]):
            raise InputError(
                f"{_row(table, found)}, column {name!r} is empty ({count} such rows); it says "
                "which trajectory a row belongs to. Fill it in, or count without transitions: "
                f"{argument('next_state', None)}"
            )
    found = table.ask(f"SELECT count(*) AS n, min(r) AS r FROM {numbered} WHERE NOT placed")
    (name,) = table.roles["time"]
    raise InputError(
        f"{_row(table, found)}, column {name!r} holds no time ({int(found['n'][0])} such rows). "
        "Give a number or a date such as 2024-05-31 14:03:22 in each row, or count without "
        f"transitions: {argument('next_state', None)}"
    )


def _row(table: Table, found: Mapping[str, np.ndarray]) -> str:
    """The row that a query found, for a message."""
    return row_within(int(found["r"][0]), named_parts(table.scan))


def _refuse_ties(table: Table, count: int) -> None:
    """Raise an `InputError` that names rows of one trajectory with the same time.

    Where a table lies in many files, or is written by several workers, its own order means nothing.
    """
    labels = [f"l{i}" for i in range(len(table.labels()))]
    keys = ", ".join([*labels, "t"])
    found = table.ask(
        f"SELECT {keys}, min(r) AS r, max(r) AS s FROM {_rows(table, True)} GROUP BY {keys} "
        "HAVING count(*) > 1 ORDER BY r LIMIT 1"
    )
    parts = named_parts(table.scan)
    one, two = (row_within(int(found[name][0]), parts) for name in "rs")
    (time,) = table.roles["time"]
    raise InputError(
        f"{one} and {two} have the same {time!r} in one trajectory, so their order is unknown "
        f"({count} such pairs). Is a column missing that tells trajectories apart? Name it with "
        f"{argument('trajectory')} or {argument('session')}; or count without transitions: "
        f"{argument('next_state', None)}"
    )


def unit_columns(table: Table, by: str) -> tuple[Columns, dict[str, Column]]:
    """The columns that make a unit, and the values of each unit in them, in rising order.

    Raises:
        InputError: No column says it, or a row does not say whose it is.
    """
    names = _unit_names(table, by)
    values = ", ".join(f"{table.label(name)} AS u{i}" for i, name in enumerate(names))
    found = table.ask(f"SELECT DISTINCT {values} FROM {table.scan.relation} ORDER BY ALL")
    columns = {name: table.column(name, found[f"u{i}"]) for i, name in enumerate(names)}
    for name, column in columns.items():
        if column.missing.any():
            seen = table.ask(
                f"SELECT count(*) AS n, min(r) AS r FROM (SELECT {table.label(name)} AS u, "
                f"row_number() OVER () AS r FROM {table.scan.relation}) WHERE u IS NULL"
            )
            raise InputError(
                f"{_row(table, seen)}, column {name!r} is empty ({int(seen['n'][0])} such rows); "
                "it says which unit a row belongs to. Fill it in"
            )
    return names, columns


def _unit_names(table: Table, by: str) -> Columns:
    """The columns that make a unit.

    Raises:
        InputError: There are none.
    """
    roles = table.roles
    if by == "trajectory" and table.labels():
        return tuple(table.labels())
    if by in roles:
        # Sessions of two subjects may carry the same number: a session belongs to its subject.
        return (*(roles.get("subject", ()) if by == "session" else ()), *roles[by])
    raise InputError(
        f"cannot group by {by}: no column says which {by} a row belongs to; the table has "
        f"{[*table.scan.types]}. Name one of them: {argument('by', 'subject')}"
    )


def unit_cells(
    table: Table,
    columns: Mapping[str, Column],
    units: Int[np.ndarray, " V"],
    groups: Groups,
    states: Int[np.ndarray, " G"],
    actions: Int[np.ndarray, " G"],
) -> dict[str, np.ndarray]:
    """How often each unit did what in which state: columns "u", "s", "a" and "weight".

    Values become numbers within DuckDB, so that names are not held once per unit.

    Args:
        table: The table.
        columns: The columns that make a unit: V values.
        units: The unit of each of these.
        groups: What `grouped` gave.
        states: Number of the state of each group.
        actions: Number of the action of each group, -1 where it is missing.
    """
    sides = {
        "known_units": _known(list(columns.values()), units),
        "known_states": _known(groups.columns[:1], states),
        "known_actions": _known(groups.columns[1:2], actions),
    }
    for name, side in sides.items():
        table.connection.register(name, side)
    values = [(column, table.label(name)) for name, column in columns.items()]
    values += [(column, table.value(column.name)) for column in groups.columns[:2]]
    made = [f"{_key(table, *pair)} AS k{i}" for i, pair in enumerate(values)]
    n = len(columns)
    met = " AND ".join(f"given.k{i} = known_units.k{i}" for i in range(n))
    return table.ask(
        "SELECT known_units.number AS u, known_states.number AS s, known_actions.number AS a, "
        f"count(*) AS weight FROM (SELECT {', '.join(made)} FROM {table.scan.relation}) AS given "
        f"JOIN known_units ON {met} JOIN known_states ON given.k{n} = known_states.k0 "
        f"JOIN known_actions ON given.k{n + 1} = known_actions.k0 GROUP BY ALL"
    )


def _key(table: Table, column: Column, value: str) -> str:
    """SQL of what `_known` compares: texts where the column was read as words."""
    texts = table.kinds[column.name].type != "VARCHAR" and column.words is not None
    return f"CAST({value} AS VARCHAR)" if texts else value


def _known(columns: Sequence[Column], numbers: Int[np.ndarray, " V"]) -> dict[str, np.ndarray]:
    """Different values of columns, and the number that each stands for, as a table of DuckDB."""
    there = numbers >= 0
    for column in columns:
        there &= ~column.missing
    places = [column.values[there] for column in columns]
    _, first = np.unique(np.stack(places, 1), axis=0, return_index=True)
    values = [
        place[first] if column.words is None else np.array(column.words, object)[place[first]]
        for column, place in zip(columns, places, strict=True)
    ]
    return {
        **{f"k{i}": value for i, value in enumerate(values)},
        "number": numbers[there][first],
    }
