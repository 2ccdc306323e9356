"""CSV and Parquet files seen through DuckDB, which streams them in bounded memory."""

import csv
import errno
import gzip
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

import duckdb

from inverseq._core.errors import InputError
from inverseq.readers.columns import Column, column_from_array

NO_VALUE = ("", "NA", "N/A", "<NA>", "NaN", "nan", "NULL", "null", "None")
"""Texts that mean "nothing here" in a CSV file."""

_CSV = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz")
_PARQUET = (".parquet", ".pq")
_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER")
_PLAIN = (*_WHOLE, "FLOAT", "DOUBLE", "BOOLEAN")
_EXACT = 9e15  # whole numbers below this are exact in double precision


@dataclass(frozen=True)
class Scan:
    """A file as SQL.

    Attributes:
        path: The file.
        relation: What to write after FROM.
        expressions: Column name -> SQL of its value (text, in a CSV file).
        types: Column name -> DuckDB's type.
        loose: Whether every column is text because the format does not know better.
    """

    path: Path
    relation: str
    expressions: dict[str, str]
    types: dict[str, str]
    loose: bool


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
    path: Path, connection: duckdb.DuckDBPyConnection, *, partitions: bool = False
) -> Scan:
    """How to read a CSV or Parquet file.

    With `partitions`, folders on the way that are called name=value are columns too; a file means
    the same wherever it lies otherwise.

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
    if name.endswith(_PARQUET):
        return _partitioned(_scan_parquet(path, connection), partitions)
    if name.endswith(_CSV):
        return _partitioned(_scan_csv(path), partitions)
    raise InputError(
        f"{path.name} is neither CSV ({', '.join(_CSV)}) nor Parquet ({', '.join(_PARQUET)}). "
        "Save the table as one of these (Excel: Save as, CSV UTF-8)"
    )


def _partitioned(scan: Scan, wanted: bool) -> Scan:
    """The scan with the values that folders called name=value give, as texts."""
    parts = [part.partition("=") for part in scan.path.absolute().parts[:-1]] if wanted else []
    found = {unquote(name): unquote(value) for name, equals, value in parts if name and equals}
    if twice := [name for name in found if name in scan.types]:
        raise InputError(
            f"{scan.path.name} has a column {twice[0]!r}, and so have the folders it lies in; "
            "rename one, or read it without partitions"
        )
    return replace(
        scan,
        expressions={**scan.expressions, **{name: _quote(value) for name, value in found.items()}},
        types={**scan.types, **dict.fromkeys(found, "VARCHAR")},
    )


def _scan_parquet(path: Path, connection: duckdb.DuckDBPyConnection) -> Scan:
    """A Parquet file: its own types, oddities as text."""
    if path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty")
    relation = f"read_parquet({_quote(_no_glob(path))}, hive_partitioning=false)"
    try:
        described = connection.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall()
    except duckdb.Error as error:
        raise InputError(
            f"{path.name} cannot be read as Parquet ({_first_line(error)}). Write it again, or "
            "save the table as CSV"
        ) from error
    expressions, types = {}, {}
    for name, kind, *_ in described:
        column = '"' + name.replace('"', '""') + '"'
        if kind in _PLAIN:
            expressions[name], types[name] = column, kind
        elif kind.startswith(("DECIMAL", "HUGEINT", "UBIGINT", "UHUGEINT")):
            expressions[name], types[name] = f"CAST({column} AS DOUBLE)", "DOUBLE"
        elif kind == "DATE" or kind.startswith("TIMESTAMP"):
            # With a zone and nanoseconds (as pandas writes them) there is no direct way.
            time = f"CAST({column} AS TIMESTAMP_NS)" if kind == "TIMESTAMPTZ_NS" else column
            expressions[name], types[name] = f"CAST({time} AS TIMESTAMP)", "TIMESTAMP"
        else:
            expressions[name], types[name] = f"nullif(CAST({column} AS VARCHAR), '')", "VARCHAR"
    return Scan(path, relation, expressions, types, loose=False)


def _scan_csv(path: Path) -> Scan:
    """A CSV file: a header line, every column as trimmed text, nothing guessed but the separator.

    DuckDB's own detection may skip lines or take the header for data, so only its parser is used.
    """
    header, separator = _header(path)
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(header)))
    relation = (
        f"read_csv({_quote(_no_glob(path))}, auto_detect=false, header=true, "
        f"delim={_quote(separator)}, quote='\"', escape='\"', columns={{{columns}}}, "
        "hive_partitioning=false)"
    )
    empty = ", ".join(map(_quote, NO_VALUE))
    expressions = {
        name: f"CASE WHEN trim(c{i}) IN ({empty}) THEN NULL ELSE trim(c{i}) END"
        for i, name in enumerate(header)
    }
    return Scan(path, relation, expressions, dict.fromkeys(header, "VARCHAR"), loose=True)


def _header(path: Path) -> tuple[list[str], str]:
    """Column names of a CSV file, and what separates its columns."""
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", newline="") as stream:
            first = stream.readline()
            separator = max(",;\t|", key=first.count)
            if first.count('"') % 2:  # a name may hold a line break
                stream.seek(0)
                first = stream.read(65536)
            names = next(csv.reader(first.splitlines(True), delimiter=separator, strict=True), [])
    except UnicodeDecodeError as error:
        raise InputError(f"{path.name} is not UTF-8 text; save it as CSV UTF-8") from error
    except (OSError, EOFError, csv.Error) as error:
        raise InputError(f"{path.name} cannot be read as CSV: {error}") from error
    names = [name.strip() or f"column_{i + 1}" for i, name in enumerate(names)]
    if not names or (len(names) == 1 and not first.strip()):
        raise InputError(f"{path.name} is empty; its first line must name the columns")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path.name} has two columns called {twice[0]!r}; rename one")
    return names, separator


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
            if kinds[name] == "VARCHAR":
                connection.execute(
                    f"CREATE TYPE words{i} AS ENUM (SELECT DISTINCT v FROM (SELECT "
                    f"{scan.expressions[name]} AS v FROM {scan.relation}) WHERE v IS NOT NULL "
                    "ORDER BY v)"
                )
                parts.append(f"enum_code(CAST({scan.expressions[name]} AS words{i})) AS o{i}")
            else:
                parts.append(f"{typed(scan, name, kinds[name])} AS o{i}")
        found = connection.execute(f"SELECT {', '.join(parts)} FROM {scan.relation}").fetchnumpy()
        columns = {}
        for i, name in enumerate(names):
            column = column_from_array(name, found[f"o{i}"])
            if kinds[name] == "VARCHAR":
                words = connection.execute(f"SELECT unnest(enum_range(NULL::words{i}))").fetchall()
                column = Column(
                    name, column.values, column.missing, tuple(w for (w,) in words), scan.loose
                )
            columns[name] = column
    except duckdb.Error as error:
        raise read_error(scan.path, error) from error
    return columns


def read_error(path: Path, error: duckdb.Error) -> InputError:
    """What DuckDB found wrong with a file, in one line."""
    lines = [line.strip() for line in str(error).splitlines()]
    telling = ("Expected Number", "Value with", "Invalid")
    found = [line for line in lines if line.startswith(telling)]
    start = lines[0].replace("Invalid Input Error: ", "").replace("CSV Error on Line: ", "line ")
    detail = found[-1] if found and found[-1] != lines[0] else ""
    return InputError(
        f"{path.name} cannot be read: {start}{': ' if detail else ''}{detail}. Correct the file (a "
        "missing or extra separator, an open quote, another encoding than UTF-8?)"
    )


def column_kinds(
    scan: Scan, names: Sequence[str], connection: duckdb.DuckDBPyConnection
) -> dict[str, str]:
    """Type of each column; in a CSV file, a column is numbers where every value is one.

    Numbers that begin with a zero (007) are names.
    """
    if not scan.loose or not names:
        return {name: scan.types[name] for name in names}
    parts = []
    for i, name in enumerate(names):
        value, number = scan.expressions[name], f"TRY_CAST({scan.expressions[name]} AS DOUBLE)"
        parts += [
            f"count({value}) AS n{i}",
            f"count({number}) AS d{i}",
            f"count(*) FILTER ({number} = floor({number}) AND abs({number}) < {_EXACT}) AS w{i}",
            f"count(*) FILTER (regexp_matches({value}, '^[+-]?0[0-9]')) AS z{i}",
        ]
    (answer,) = connection.execute(f"SELECT {', '.join(parts)} FROM {scan.relation}").fetchall()
    kinds = {}
    for name, (count, numbers, whole, padded) in zip(
        names, zip(*[iter(answer)] * 4, strict=True), strict=True
    ):
        if numbers < count or padded:
            kinds[name] = "VARCHAR"
        else:
            kinds[name] = "BIGINT" if whole == count and count else "DOUBLE"
    return kinds


def typed(scan: Scan, name: str, kind: str) -> str:
    """SQL of a column with the type that `column_kinds` found."""
    expression = scan.expressions[name]
    if not scan.loose or kind == "VARCHAR":
        return expression
    return f"CAST(TRY_CAST({expression} AS DOUBLE) AS {kind})"


def write_file(connection: duckdb.DuckDBPyConnection, relation: str, path: Path, form: str) -> None:
    """Write a relation to a file in a form that DuckDB knows, such as "FORMAT PARQUET".

    Raises:
        OSError: It cannot be written: the disk is full, say.
    """
    try:
        connection.execute(f"COPY {relation} TO {_quote(str(path))} ({form}, USE_TMP_FILE false)")
    except duckdb.IOException as error:
        known = re.search(r'"errno":"(\d+)"', str(error))
        number = errno.EIO if known is None else int(known[1])
        raise OSError(number, os.strerror(number), str(path)) from error


def _no_glob(path: Path) -> str:
    """The path with wildcards taken literally."""
    return "".join(f"[{c}]" if c in "*?[" else c for c in str(path))


def _quote(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    """The first line of an error, which says what is wrong."""
    return str(error).splitlines()[0].strip().rstrip(".")
