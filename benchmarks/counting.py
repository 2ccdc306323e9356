"""Counts of a Parquet file that would not fit into memory."""

import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import alone, row, seconds
from inverseq.decisions.files import count_file

STATES, ACTIONS = 10_000, 3


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
        )
    ]


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
