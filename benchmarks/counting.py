"""Counts of Parquet files that would not fit into memory."""

import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import alone, row, seconds
from inverseq.decisions.files import count_file

STATES, ACTIONS = 10_000, 3
FILES, STEPS = 10, 1000
"""Of a table in many files, and of one of its trajectories."""
LEAD = (
    "SELECT state, action, next, count(*) FROM (SELECT state, action, "
    "lead(state) OVER (PARTITION BY session ORDER BY time) AS next FROM read_parquet('{}')) "
    "GROUP BY ALL"
)
PLAIN = "SELECT state, action, count(*) FROM read_parquet('{}') GROUP BY ALL"


def run(small: bool = False) -> list[dict[str, Any]]:
    rows = 1_000_000 if small else 100_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decisions.parquet"
        write_decisions(path, rows)
        made = alone("counting", "count", path=str(path))
        held = made["rows"] * 3 * 8 / 2**20
    return [
        row(
            f"Counts of {rows:,} Parquet rows, {made['transitions']:,} transitions",
            f"{seconds(made['seconds'])} CPU, {seconds(made['wall'])} by the clock, "
            f"{made['peak_mb']:,.0f} MB",
            other=f"held as whole numbers {held:,.0f} MB",
            ratio=held / made["peak_mb"],
            target="< 2,000 MB",
            met=None if small else made["rows"] == rows and made["peak_mb"] < 2000,
        ),
        *many(200_000 if small else 10_000_000, small),
    ]


def many(rows: int, small: bool) -> list[dict[str, Any]]:
    """A table in many files, its states names, beside the bare queries; in order of time, too."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        write_files(Path(folder), rows)
        for what, ordered, query in (("", False, PLAIN), (", next states by time", True, LEAD)):
            ours = alone("counting", "count_many", folder=folder, ordered=ordered)
            bare = alone("counting", "asked", query=query.format(f"{folder}/*.parquet"))
            ratio = ours["seconds"] / bare["seconds"]
            made.append(
                row(
                    f"Counts of {rows:,} rows in {FILES} Parquet files, {STATES:,} names{what}, "
                    "against a bare query",
                    f"{seconds(ours['seconds'])} CPU, {ours['peak_mb']:,.0f} MB",
                    other=f"{seconds(bare['seconds'])} CPU, {bare['peak_mb']:,.0f} MB",
                    ratio=ratio,
                    target="<= 1.3 times, < 2,000 MB",
                    met=None if small else ratio <= 1.3 and ours["peak_mb"] < 2000,
                )
            )
    return made


def write_files(folder: Path, rows: int) -> None:
    """Files of sessions in which each state leads to five others under each action."""
    each = rows // FILES
    with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
        for number in range(FILES):
            connection.execute(
                f"COPY (SELECT i // {STEPS} AS session, i % {STEPS} AS time, "
                f"'state ' || ((hash(i // {STEPS}) + i * 7 + hash(i) % 3) % {STATES}) AS state, "
                f"'action ' || (hash(i * 7 + 1) % {ACTIONS}) AS action "
                f"FROM range({number * each}, {(number + 1) * each}) t(i)) "
                f"TO '{folder}/part-{number}.parquet' (FORMAT parquet)"
            )


def count_many(folder: str, ordered: bool) -> dict[str, Any]:
    """Time for the counts of a folder."""
    cpu = time.process_time()
    order = {"session": "session", "time": "time"} if ordered else {"next_state": None}
    counted = count_file(folder, **order)
    return {"seconds": time.process_time() - cpu, "rows": counted.num_rows}


def asked(query: str) -> dict[str, Any]:
    """Time for a query of DuckDB."""
    cpu = time.process_time()
    with duckdb.connect(config={"memory_limit": "1GB"}) as connection:
        connection.execute(query).fetchnumpy()
    return {"seconds": time.process_time() - cpu}


def write_decisions(path: Path, rows: int) -> None:
    """A file of random decisions: each state leads to three others under each action."""
    with duckdb.connect(config={"memory_limit": "2GB"}) as connection:
        connection.execute(
            f"COPY (SELECT (hash(i) % {STATES})::INTEGER AS state, "
            f"(hash(i * 7 + 1) % {ACTIONS})::TINYINT AS action, "
            f"((hash(i) % {STATES} + hash(i * 3 + 2) % 3) % {STATES})::INTEGER AS next_state "
            f"FROM range({rows}) t(i)) TO '{path}' (FORMAT parquet)"
        )


def count(path: str) -> dict[str, Any]:
    """Time for the counts of the file, and what they say."""
    clock, cpu = time.perf_counter(), time.process_time()
    counted = count_file(path)
    return {
        "seconds": time.process_time() - cpu,
        "wall": time.perf_counter() - clock,
        "rows": int(counted.counts.state_action.sum()),
        "transitions": int(counted.transitions["count"].size),
    }
