"""The first rows of a table, and what its columns seem to be."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from inverseq import datasets
from inverseq._core.errors import InputError
from inverseq._core.words import visible
from inverseq.demonstrations.columns import key_columns
from inverseq.mdp import MDP
from inverseq.readers.engine import connect, quoted, read_error, scan_file
from inverseq.readers.nwb.contents import list_nwb
from inverseq.readers.nwb.decisions import table_in
from inverseq.readers.nwb.file import is_nwb
from inverseq.readers.roles import guessed

FIRST = 12
"""Rows that are shown."""
_LONGEST = 60
"""Letters of a cell that are shown."""


def look_at(table: str, path: Path | None, decisions: str = "trials") -> dict[str, Any]:
    """What a visitor sees of a table before it is read: for JSON.

    Args:
        table: What it is called: a path in the project, or the name of a data set.
        path: The file; None for a data set.
        decisions: Of an NWB file, its table with a row per decision.

    Raises:
        InputError: It cannot be read.
    """
    if path is None:
        return _of_dataset(table)
    if is_nwb(path):
        return _of_trials(path, decisions)
    with connect() as connection:
        scan = scan_file(path, connection)
        names = list(scan.types)
        texts = ", ".join(
            f"CAST({scan.expressions[name]} AS VARCHAR) AS {quoted(f'c{i}')}"
            for i, name in enumerate(names)
        )
        try:
            rows = connection.execute(f"SELECT {texts} FROM {scan.relation} LIMIT {FIRST}")
            shown = [[_cell(value) for value in row] for row in rows.fetchall()]
            ((count,),) = connection.execute(f"SELECT count(*) FROM {scan.relation}").fetchall()
        except duckdb.Error as error:
            raise read_error(path, error) from error
    return {"columns": names, "rows": shown, "count": count, "guesses": guessed(names)}


def _of_trials(path: Path, decisions: str) -> dict[str, Any]:
    """The same of a table of an NWB file, and what else is in it."""
    try:
        trials = table_in(path, decisions)
    except InputError:  # which the doctor says, below what there is
        trials = {}
    rows = [
        [None if v is None or v != v else _cell(str(v)) for v in row]
        for row in zip(*(values[:FIRST].tolist() for values in trials.values()), strict=True)
    ]
    guesses = guessed([*trials]) | ({"time": "start_time"} if "start_time" in trials else {})
    count = max(map(len, trials.values()), default=0)
    told = {"columns": [*trials], "rows": rows, "count": count, "guesses": guesses}
    return told | {"nwb": list_nwb(path)}


def _of_dataset(name: str) -> dict[str, Any]:
    """The same of a data set, whose columns are known."""
    dataset = datasets.load(name)
    known = dataset.demonstrations
    first = key_columns(known, np.arange(min(FIRST, known.num_decisions)))
    rows = [[_cell(str(v)) for v in row] for row in zip(*first.values(), strict=True)]
    facts = {n: getattr(dataset, n) for n in ("title", "description", "source", "licence")}
    worlds = 1 if isinstance(dataset.mdp, MDP) else len(dataset.mdp or ())
    recorded = dataset.recording is not None
    labels = {n: n for n in known.trajectories if n not in ("trajectory", dataset.split)}
    labels |= {n: "" for n in labels if n not in ("subject", "session", "world")}
    told = {"dataset": facts, "worlds": worlds, "recorded": recorded, "labels": labels}
    return {"columns": [*first], "rows": rows, "count": known.num_decisions, "guesses": {}} | told


def _cell(value: str | None) -> str | None:
    """A cell that is no longer than a column is wide."""
    if value is None:
        return None
    return visible(value if len(value) <= _LONGEST else f"{value[: _LONGEST - 1]}…")
