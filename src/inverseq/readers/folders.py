"""Tables in several Parquet files: those of a folder, or of a pattern."""

import os
from collections.abc import Sequence
from dataclasses import replace
from glob import glob, has_magic
from pathlib import Path

import duckdb

from inverseq._core.errors import InputError
from inverseq.readers.engine import (
    PARQUET,
    Scan,
    folders_named,
    literal_of,
    read_error,
    refuse_named_twice,
    scan_file,
    scan_parquet,
    without_globs,
)

_TEXTS = ("VARCHAR", "BLOB")


def scan_files(
    source: str | os.PathLike, connection: duckdb.DuckDBPyConnection, *, partitions: bool = False
) -> Scan:
    """How to read a file, or all Parquet files of a folder (and of folders in it) or a pattern.

    Files and folders that begin with a point or an underscore are passed over, as writers of such
    folders leave their own notes there. With `partitions`, folders called name=value are columns.

    Raises:
        InputError: There is no Parquet file, one of them is empty or of another kind, or folders
            name different columns or one that is in the files.
    """
    path = Path(source)
    if path.is_dir():
        inside = (file for file in path.rglob("*") if file.name.lower().endswith(PARQUET))
        files = sorted(f for f in inside if f.is_file() and not _noted(f.relative_to(path)))
        if not files:
            raise InputError(
                f"{path} holds no Parquet file ({', '.join(PARQUET)}); several CSV files are "
                "written as Parquet first, or counted one by one"
            )
    elif not path.exists() and has_magic(str(path)):
        files = sorted(
            file for name in glob(str(path), recursive=True) if _is_file(file := Path(name))
        )
        if not files:
            raise InputError(f"no file fits {path}")
        if other := [file for file in files if not file.name.lower().endswith(PARQUET)]:
            raise InputError(
                f"{other[0].name} fits {path} and is no Parquet file ({', '.join(PARQUET)}); "
                "give a pattern that Parquet files alone fit"
            )
    else:
        return scan_file(path, connection, partitions=partitions)
    return _together(path, files, connection, partitions)


def require_in_all(scan: Scan, names: Sequence[str], connection: duckdb.DuckDBPyConnection) -> None:
    """Raise an `InputError` where one of several files lacks a column, or has texts in it where
    others have numbers: nothing may be taken for missing, or for a name, only because of that.
    """
    if not scan.parts:
        return
    files = [file for file, rows in scan.parts if rows]
    found = connection.execute(
        "SELECT name, file_name, duckdb_type, coalesce(logical_type, '') LIKE 'Null%' FROM "
        f"parquet_schema({_listed(files)}) WHERE duckdb_type IS NOT NULL"
    ).fetchall()
    for wanted in names:
        # A column without any value may have a type of its own, which says nothing.
        of_file = {f: (kind in _TEXTS, null) for name, f, kind, null in found if name == wanted}
        absent = [file for file in files if str(file) not in of_file]
        if of_file and absent:
            raise InputError(
                f"{_short(absent[0], scan)} has no column {wanted!r}, and other files have; files "
                "of one table have the same columns"
            )
        told = {text: Path(file) for file, (text, null) in of_file.items() if not null}
        if len(told) > 1:
            raise InputError(
                f"column {wanted!r} holds texts in {_short(told[True], scan)} and numbers in "
                f"{_short(told[False], scan)}; write all files with one type"
            )


def _together(
    path: Path, files: list[Path], connection: duckdb.DuckDBPyConnection, partitions: bool
) -> Scan:
    """Several files as one table, in the order of their names."""
    if empty := [file for file in files if file.stat().st_size == 0]:
        raise InputError(f"{empty[0]} is empty; delete it, or write it again")
    files = [file.absolute() for file in files]
    named = set(folders_named(files[0])) if partitions else set()
    for file in files if partitions else ():
        if (own := set(folders_named(file))) != named:
            raise InputError(
                f"{file.name} lies in folders that name {sorted(own)}, {files[0].name} in ones "
                f"that name {sorted(named)}; lay all files in folders alike, or read them without "
                "partitions"
            )
    listed = _listed(files)
    how = f"union_by_name=true, hive_partitioning={str(partitions).lower()}"
    scan = scan_parquet(path, listed, connection, how + ", hive_types_autocast=false" * partitions)
    try:
        rows = dict(
            connection.execute(
                f"SELECT file_name, num_rows FROM parquet_file_metadata({listed})"
            ).fetchall()
        )
        held = connection.execute(
            f"SELECT DISTINCT name FROM parquet_schema({listed}) WHERE duckdb_type IS NOT NULL"
        ).fetchall()
    except duckdb.Error as error:
        raise read_error(path, error) from error
    refuse_named_twice(path, [name for (name,) in held], sorted(named))
    return replace(scan, parts=tuple((file, rows[str(file)]) for file in files))


def _short(file: Path, scan: Scan) -> str:
    """A file as messages name it: within the folder that was given, where there is one."""
    folder = scan.path.absolute()
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else file.name


def named_parts(scan: Scan) -> tuple[tuple[str, int], ...]:
    """The name of each of several files for messages, and how many rows it has."""
    return tuple((_short(file, scan), rows) for file, rows in scan.parts)


def _listed(files: Sequence[Path]) -> str:
    """Files as an SQL list."""
    return f"[{', '.join(literal_of(without_globs(file)) for file in files)}]"


def _noted(inside: Path) -> bool:
    """Whether a path has a part that begins with a point or an underscore."""
    return any(part.startswith((".", "_")) for part in inside.parts)


def _is_file(file: Path) -> bool:
    """Whether it is a file that no writer of folders left for itself."""
    return file.is_file() and not file.name.startswith((".", "_"))
