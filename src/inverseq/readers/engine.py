"""CSV and Parquet files seen through DuckDB, which streams them in bounded memory."""

import csv
import errno
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

import duckdb

from inverseq._core.errors import InputError, argument
from inverseq.readers.columns import Column, column_from_array
from inverseq.readers.layout import layout_of, write_anew

NO_VALUE = (
    *("NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "-NaN", "-nan", "NaT"),
    *("NULL", "null", "None", "."),
)
"""Texts that mean "nothing here" in a CSV file, as an empty cell does."""

_CSV = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
PARQUET = (".parquet", ".pq")
"""How names of Parquet files end."""

_WHOLE = (
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
)
_PLAIN = (*_WHOLE, "FLOAT", "DOUBLE", "BOOLEAN")
_EXACT = 9e15  # whole numbers below this are exact in double precision


@dataclass(frozen=True)
class Scan:
    """A file as SQL.

    Attributes:
        path: The file, or the folder or pattern that names several.
        relation: What to write after FROM.
        expressions: Column name -> SQL of its value (text, in a CSV file).
        types: Column name -> DuckDB's type.
        loose: Whether every column is text because the format does not know better.
        written: Column name -> SQL of its text where some texts mean that there is no value.
        parts: Where there are several files, each and how many rows it has, in order.
    """

    path: Path
    relation: str
    expressions: dict[str, str]
    types: dict[str, str]
    loose: bool
    written: dict[str, str] = field(default_factory=dict)
    parts: tuple[tuple[Path, int], ...] = ()


class Kind(NamedTuple):
    """What a column holds.

    Attributes:
        type: DuckDB's type, "VARCHAR" for names.
        nothing: Texts that were taken as missing, and how many rows have each.
    """

    type: str
    nothing: dict[str, int]


@contextmanager
def connect(memory_limit: str = "1GB") -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that keeps to `memory_limit` and spills to a temporary folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            connection = duckdb.connect(
                ":memory:", config={"memory_limit": memory_limit, "temp_directory": folder}
            )
            # Its progress bar would be written among what a program prints.
            connection.execute("SET enable_progress_bar = false")
        except duckdb.Error as error:
            raise InputError(
                f"memory_limit {memory_limit!r} cannot be used; write it as '500MB' or '2GB'"
            ) from error
        try:
            yield connection
        finally:
            connection.close()


def scan_file(
    path: Path,
    connection: duckdb.DuckDBPyConnection,
    *,
    partitions: bool = False,
    named: Sequence[str] = (),
) -> Scan:
    """How to read a CSV or Parquet file.

    With `partitions`, folders on the way that are called name=value are columns too; a file means
    the same wherever it lies otherwise. In the columns `named`, only an empty cell has no value.

    Raises:
        InputError: The file is missing, a folder, empty, of an unknown format, or damaged.
    """
    if path.is_dir():
        raise InputError(f"{path} is a folder; name one CSV or Parquet file in it")
    if not path.exists():
        raise InputError(f"{path} does not exist")
    if not path.is_file():
        raise InputError(f"{path} is a pipe or a device; save the table as a file")
    name = path.name.lower()
    if name.endswith(PARQUET):
        if path.stat().st_size == 0:
            raise InputError(f"{path.name} is empty")
        literal = literal_of(without_globs(path))
        return _partitioned(scan_parquet(path, literal, connection), partitions)
    if name.endswith(_CSV):
        return _partitioned(_scan_csv(path, connection, named), partitions)
    raise InputError(
        f"{path.name} is neither CSV ({', '.join(_CSV)}) nor Parquet ({', '.join(PARQUET)}). "
        "Save the table as one of these (Excel: Save as, CSV UTF-8)"
    )


def folders_named(path: Path) -> dict[str, str]:
    """The values that folders called name=value on the way to a file give, as texts."""
    parts = [part.partition("=") for part in path.absolute().parts[:-1]]
    return {unquote(name): unquote(value) for name, equals, value in parts if name and equals}


def refuse_named_twice(path: Path, columns: Iterable[str], folders: Iterable[str]) -> None:
    """Raise an `InputError` where a folder's name=value would override a column."""
    present = {name.lower() for name in columns}
    if twice := [name for name in folders if name.lower() in present]:
        raise InputError(
            f"{path.name} has a column {twice[0]!r}, and so have the folders it lies in; "
            "rename one, or read it without partitions"
        )


def _partitioned(scan: Scan, wanted: bool) -> Scan:
    """The scan with the values that folders called name=value give, as texts."""
    found = folders_named(scan.path) if wanted else {}
    refuse_named_twice(scan.path, scan.types, found)
    return replace(
        scan,
        expressions={
            **scan.expressions,
            **{name: literal_of(value) for name, value in found.items()},
        },
        types={**scan.types, **dict.fromkeys(found, "VARCHAR")},
    )


def scan_parquet(
    path: Path, literal: str, connection: duckdb.DuckDBPyConnection, further: str = ""
) -> Scan:
    """Parquet files with their own types, oddities as text.

    Args:
        path: What messages name.
        literal: The file, or the list of files, as SQL has it.
        connection: Which reads them.
        further: Options of DuckDB's `read_parquet`.
    """
    relation = f"read_parquet({literal}, {further or 'hive_partitioning=false'})"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error as error:
        raise read_error(path, error) from error
    expressions, types = {}, {}
    for name, kind, *_ in described:
        column = quoted(name)
        if kind in _PLAIN:
            expressions[name], types[name] = column, kind
        elif (decimal := re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", kind)) and decimal[2] != "0":
            expressions[name], types[name] = f"CAST({column} AS DOUBLE)", "DOUBLE"
        elif decimal and int(decimal[1]) <= 18:  # whole numbers as some databases write them
            expressions[name], types[name] = f"CAST({column} AS BIGINT)", "BIGINT"
        elif kind == "DATE" or kind.startswith("TIMESTAMP"):
            # With a zone and nanoseconds (as pandas writes them) there is no direct way.
            time = f"CAST({column} AS TIMESTAMP_NS)" if kind == "TIMESTAMPTZ_NS" else column
            expressions[name], types[name] = f"CAST({time} AS TIMESTAMP)", "TIMESTAMP"
        else:
            expressions[name], types[name] = f"nullif(CAST({column} AS VARCHAR), '')", "VARCHAR"
    return Scan(path, relation, expressions, types, loose=False)


def _scan_csv(path: Path, connection: duckdb.DuckDBPyConnection, named: Sequence[str]) -> Scan:
    """A CSV file: a header line, every column as trimmed text, nothing guessed but the separator.

    DuckDB's own detection may skip lines or take the header for data, so only its parser is used.
    """
    try:
        layout, plain = layout_of(path), path
        if layout.odd:
            (folder,) = connection.execute("SELECT current_setting('temp_directory')").fetchall()[0]
            plain = Path(folder) / "table.csv"
            write_anew(path, layout, plain)
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text; save it as CSV UTF-8") from error
    except (OSError, EOFError, csv.Error) as error:
        raise InputError(f"{path.name} cannot be read as CSV: {error}") from error
    separator = "," if layout.odd else layout.separator
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(layout.names)))
    relation = (
        f"read_csv({literal_of(without_globs(plain))}, auto_detect=false, header=true, "
        f"delim={literal_of(separator)}, quote='\"', escape='\"', columns={{{columns}}}, "
        "hive_partitioning=false)"
    )
    written = {name: f"nullif(trim(c{i}), '')" for i, name in enumerate(layout.names)}
    expressions = {
        name: text if name in named else f"CASE WHEN {_is_nothing(text)} THEN NULL ELSE {text} END"
        for name, text in written.items()
    }
    written = {name: text for name, text in written.items() if name not in named}
    types = dict.fromkeys(layout.names, "VARCHAR")
    return Scan(path, relation, expressions, types, loose=True, written=written)


def read_columns(
    scan: Scan, names: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> dict[str, Column]:
    """The named columns of a scanned file, in file order.

    Raises:
        InputError: A line of the file cannot be read; the message names the line.
    """
    try:
        kinds = column_kinds(scan, names, connection)
        parts = []
        for i, name in enumerate(names):
            if kinds[name].type == "VARCHAR":
                connection.execute(
                    f"CREATE TYPE words{i} AS ENUM (SELECT DISTINCT v FROM (SELECT "
                    f"{scan.expressions[name]} AS v FROM {scan.relation}) WHERE v IS NOT NULL "
                    "ORDER BY v)"
                )
                parts.append(f"enum_code(CAST({scan.expressions[name]} AS words{i})) AS o{i}")
            else:
                parts.append(f"{typed(scan, name, kinds[name].type)} AS o{i}")
        found = connection.execute(f"SELECT {', '.join(parts)} FROM {scan.relation}").fetchnumpy()
        columns = {}
        for i, name in enumerate(names):
            column = column_from_array(name, found.pop(f"o{i}"))
            if kinds[name].type == "VARCHAR":
                words = connection.execute(f"SELECT unnest(enum_range(NULL::words{i}))").fetchall()
                column = Column(
                    name, column.values, column.missing, tuple(w for (w,) in words), scan.loose
                )
            columns[name] = replace(column, nothing=kinds[name].nothing)
    except duckdb.Error as error:
        raise read_error(scan.path, error) from error
    return columns


def read_error(path: Path, error: duckdb.Error) -> InputError:
    """What is wrong with a file that DuckDB could not read, in one line."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return InputError(
            f"{path.name}: neither memory nor the room for temporary files was enough to count it; "
            f"allow more memory, {argument('memory_limit', '4GB')} say, or free some disk"
        )
    if not path.name.lower().endswith(_CSV):
        return InputError(
            f"{path.name} cannot be read as Parquet: it is damaged or not whole. Write it again, "
            "or save the table as CSV"
        )
    lines = [line.strip() for line in str(error).splitlines()]
    telling = ("Expected Number", "Value with", "Invalid")
    found = [line for line in lines if line.startswith(telling)]
    start = re.sub("^[A-Z][A-Za-z ]*(Error|Exception): ", "", lines[0])
    start = start.replace("CSV Error on Line: ", "line ")
    detail = found[-1] if found and found[-1] != lines[0] else ""
    return InputError(
        f"{path.name} cannot be read: {start}{': ' if detail else ''}{detail}. Correct the file (a "
        "missing or extra separator, an open quote, another encoding than UTF-8?)"
    )


def column_kinds(
    scan: Scan, names: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> dict[str, Kind]:
    """What each column holds; in a CSV file, a column is numbers where every value is one.

    Numbers that begin with a zero (007) are names, and so are whole numbers too large to be kept as
    they are.
    """
    if not scan.loose or not names:
        return {name: Kind(scan.types[name], {}) for name in names}
    parts = []
    for name in names:
        value, number = scan.expressions[name], f"TRY_CAST({scan.expressions[name]} AS DOUBLE)"
        parts += [
            f"count({value})",
            f"count({number})",
            f"count(*) FILTER ({number} = floor({number}) AND abs({number}) < {_EXACT})",
            f"count(*) FILTER (regexp_matches({value}, '^[+-]?0[0-9]'))",
            f"max(abs({number}))",
            f"count({scan.written.get(name, value)}) - count({value})",
        ]
    (answer,) = connection.execute(f"SELECT {', '.join(parts)} FROM {scan.relation}").fetchall()
    kinds = {}
    for name, (count, numbers, whole, padded, largest, nothing) in zip(
        names, zip(*[iter(answer)] * 6, strict=True), strict=True
    ):
        long = _long_numbers(scan, name, connection) if (largest or 0) >= _EXACT else 0
        if numbers < count or padded or long is None:
            kind = "VARCHAR"
        else:
            kind = "BIGINT" if whole + long == count and count else "DOUBLE"
        kinds[name] = Kind(kind, _nothing_in(scan, name, connection) if nothing else {})
    return kinds


def _long_numbers(scan: Scan, name: str, connection: duckdb.DuckDBPyConnection) -> int | None:
    """Numbers of a column that double precision rounds; None where no integer holds one."""
    value = scan.expressions[name]
    large = f"abs(TRY_CAST({value} AS DOUBLE)) >= {_EXACT}"
    ((long, held),) = connection.execute(
        f"SELECT count(*), count(TRY_CAST({value} AS BIGINT)) FROM {scan.relation} WHERE "
        f"{large} AND regexp_full_match({value}, '[+-]?[0-9]+')"
    ).fetchall()
    return None if held < long else long


def _nothing_in(scan: Scan, name: str, connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """The texts of a column that mean nothing, and how many rows have each."""
    text = scan.written[name]
    return dict(
        connection.execute(
            f"SELECT {text}, count(*) FROM {scan.relation} WHERE {_is_nothing(text)} "
            "GROUP BY 1 ORDER BY 1"
        ).fetchall()
    )


def typed(scan: Scan, name: str, kind: str) -> str:
    """SQL of a column with the type that `column_kinds` found."""
    expression = scan.expressions[name]
    if not scan.loose or kind == "VARCHAR":
        return expression
    return f"TRY_CAST({expression} AS {kind})"


def write_file(connection: duckdb.DuckDBPyConnection, relation: str, path: Path, form: str) -> None:
    """Write a relation to a file in a form that DuckDB knows, such as "FORMAT PARQUET".

    Raises:
        OSError: It cannot be written: the disk is full, say.
    """
    try:
        connection.execute(
            f"COPY {relation} TO {literal_of(str(path))} ({form}, USE_TMP_FILE false)"
        )
    except duckdb.IOException as error:
        known = re.search(r'"errno":"(\d+)"', str(error))
        number = errno.EIO if known is None else int(known[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def without_globs(path: Path) -> str:
    """The path with wildcards taken literally."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))


def quoted(name: str) -> str:
    """A name as SQL has names of columns."""
    return '"' + name.replace('"', '""') + '"'


def literal_of(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


_NOTHING = literal_of("|".join(map(re.escape, NO_VALUE)))


def _is_nothing(text: str) -> str:
    """SQL that says whether a text means that there is no value.

    Not IN: DuckDB makes a join of a long list, and a join in several threads loses the order of the
    rows of a large file.
    """
    return f"regexp_full_match({text}, {_NOTHING})"
