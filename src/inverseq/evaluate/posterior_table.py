"""Beliefs about intentions as a table, keyed by subject, session and time."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Shaped

from inverseq._core.errors import InputError
from inverseq._core.files import replace_when_whole
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.columns import beside, key_columns
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import several
from inverseq.inverse.explanation import Explanation
from inverseq.readers.engine import connect, quoted, write_file

_ROOM = "300MB"
"""Memory that a table on its way to a file takes before the rest of it goes to the disk."""
_FORMATS = {".parquet": "PARQUET", ".pq": "PARQUET", ".csv": "CSV, HEADER"}


def posterior_table(
    solution: Explanation, demonstrations: Demonstrations
) -> dict[str, Shaped[np.ndarray, " N"]]:
    """What is believed at each decision, one row each, to be joined with other recordings.

    Args:
        solution: Of `fit` with `Intentions`.
        demonstrations: N decisions, seen in the fit or not.

    Returns:
        Columns `[N]` by name, in the order of the source's rows: every column per trajectory
        ("subject", "session", ..., and "trajectory", its number where it has no label), "step"
        (decisions since the trajectory began), "time" where there is one, "row" (of the source,
        from 1), "state" and "action" (by name where they have names; action -1 or "" where
        missing; a column per component where they are features), "filtered_1" ... (p(intention |
        decisions up to this one)), "smoothed_1" ... (given all decisions of the chain), "intention"
        (the most probable one, smoothed) and "path" (the most likely intentions as a whole).
        Intentions are numbered from 1, as in messages and figures.

    Raises:
        InputError: As `posterior`, or a column per trajectory has the name of one of these.
    """
    solution = several(solution, demonstrations, "posterior_table")
    beliefs = posterior(solution, demonstrations)
    found = {
        f"{kind}_{k}": share
        for kind in ("filtered", "smoothed")
        for k, share in enumerate(getattr(beliefs, kind).T, 1)
    }
    found["intention"] = beliefs.smoothed.argmax(axis=1) + 1
    found["path"] = beliefs.path + 1
    everything = np.arange(demonstrations.num_decisions)
    table = beside(key_columns(demonstrations, everything), found)
    order = np.argsort(table["row"], kind="stable")
    return {name: values[order] for name, values in table.items()}


def write_posterior(
    solution: Explanation, demonstrations: Demonstrations, path: str | os.PathLike
) -> Path:
    """Write `posterior_table` to a Parquet or CSV file, whole or not at all.

    Args:
        solution: Of `fit` with `Intentions`.
        demonstrations: N decisions.
        path: Ends in .parquet, .pq or .csv.

    Returns:
        `path`. `read_table` reads it back, with "subject", "session", "time", "state" and "action"
        in their roles.

    Raises:
        InputError: As `posterior_table`, another ending, or a folder that cannot be written to.
    """
    return write_columns([posterior_table(solution, demonstrations)], path)


def write_columns(
    pieces: Iterable[Mapping[str, Shaped[np.ndarray, " M"]]],
    path: str | os.PathLike,
    by: str | None = None,
) -> Path:
    """Write columns to a Parquet or CSV file, whole or not at all; an empty text is missing.

    Args:
        pieces: The table in one piece or several, which need not be in memory at once: DuckDB
            holds what was written, and spills it.
        path: Ends in .parquet, .pq or .csv.
        by: Column of numbers to sort the whole by; as the pieces come where left out.

    Raises:
        InputError: Another ending, or a folder that cannot be written to.
    """
    target = Path(path)
    form = _FORMATS.get(target.suffix.lower())
    if form is None:
        raise InputError(
            f"{target.name} must end in .parquet or .csv, which says how the table is written"
        )
    names: list[str] = []
    with replace_when_whole(target) as temporary, connect(_ROOM) as connection:
        for columns in pieces:
            texts = [values.dtype.kind == "U" for values in columns.values()]
            # By place: names that differ in capitals alone are one name to DuckDB.
            piece = {
                f"c{place}": _texts(values) if text else values
                for place, (values, text) in enumerate(zip(columns.values(), texts, strict=True))
            }
            cells = ", ".join(
                f"{place}::VARCHAR AS {place}" if text else place
                for place, text in zip(piece, texts, strict=True)
            )
            into = "INSERT INTO written" if names else "CREATE TABLE written AS"
            names = [*columns]
            connection.register("piece", piece)
            connection.execute(f"{into} SELECT {cells} FROM piece")
            connection.unregister("piece")
        called = ", ".join(f"c{place} AS {quoted(name)}" for place, name in enumerate(names))
        order = "" if by is None else f" ORDER BY c{names.index(by)}, rowid"
        whole = f"(SELECT {called} FROM written{order})"
        write_file(connection, whole, temporary, f"FORMAT {form}")
    return target


def _texts(values: np.ndarray) -> np.ndarray:
    """Texts with nothing in place of an empty one."""
    made = values.astype(object)
    made[values == ""] = None
    return made
