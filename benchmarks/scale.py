"""The main job and the doctor over rows and states: time and peak memory."""

import contextlib
import io
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import alone, row, seconds

ACTIONS, LENGTH = 4, 100
OPTIONS = ("--bootstrap", "0", "--history", "1", "--quiet")
ROWS = (10_000, 100_000, 1_000_000, 10_000_000)
STATES = (100, 1_000, 10_000, 100_000)
FEW, MANY = 100, 200_000
"""States where rows vary, and rows where states do."""

TARGETS = {
    ("fit", 10_000, FEW): (3, None),
    ("fit", 100_000, FEW): (4, None),
    ("fit", 1_000_000, FEW): (10, None),
    ("fit", 10_000_000, FEW): (60, 2000),
    ("fit", MANY, 100_000): (30, None),
    ("doctor", 10_000_000, FEW): (12, 1000),
}
"""Command, rows and states -> most seconds of CPU time and most MB, as far as they are set."""


def run(small: bool = False) -> list[dict[str, Any]]:
    sizes = [(count, FEW) for count in ROWS] + [(MANY, count) for count in STATES]
    if small:
        sizes = [(1_000, 10)]
    return [made for rows, states in sizes for made in measured(rows, states, small)]


def measured(rows: int, states: int, small: bool) -> list[dict[str, Any]]:
    """Both commands on one table; the numbers stand beside the texts, for the figure."""
    made = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "decisions.parquet"
        write_walks(path, rows, states)
        for command in ("doctor", "fit"):
            told = alone("scale", "work", command=command, path=str(path), folder=folder)
            limits = TARGETS.get((command, rows, states), (None, None))
            asked = [
                (told[name], most, unit)
                for name, most, unit in zip(
                    ("seconds", "peak_mb"), limits, ("s", "MB"), strict=True
                )
                if most
            ]
            line = row(
                f"{command}, {rows:,} rows, {states:,} states",
                f"{seconds(told['seconds'])} CPU, {seconds(told['wall'])} by the clock, "
                f"{told['peak_mb']:,.0f} MB",
                target=", ".join(f"< {most:,} {unit}" for _, most, unit in asked),
                met=all(found < most for found, most, _ in asked) if asked else None,
            )
            made.append(line | {"command": command, "rows": rows, "states": states} | told)
    return made


def write_walks(path: Path, rows: int, states: int, seed: int = 0) -> None:
    """Walks on a ring with two kinds of steps, a tenth of which slip; half of the actions follow
    from the state.
    """
    import pyarrow
    from pyarrow import parquet

    rng, walks = np.random.default_rng(seed), rows // LENGTH
    side = round(states**0.5)
    steps = np.array([1, -1, side, -side])
    state = rng.integers(0, states, walks)
    seen = np.empty((walks, LENGTH), np.int32)
    done = np.empty((walks, LENGTH), np.int8)
    for place in range(LENGTH):
        action = np.where(rng.random(walks) < 0.5, state % ACTIONS, _any(rng, walks))
        seen[:, place], done[:, place] = state, action
        carried = np.where(rng.random(walks) < 0.1, _any(rng, walks), action)
        state = (state + steps[carried]) % states
    walk = np.repeat(np.arange(walks, dtype=np.int32), LENGTH)
    columns = {"subject": walk % 20, "trajectory": walk}
    columns |= {"state": seen.ravel(), "action": done.ravel()}
    parquet.write_table(pyarrow.table(columns), path)


def _any(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.integers(0, ACTIONS, count)


def work(command: str, path: str, folder: str) -> dict[str, Any]:
    """Time of one command, with the imports."""
    clock = time.perf_counter()
    from inverseq.cli import main

    options = [*OPTIONS, "--out", str(Path(folder) / "out")] if command == "fit" else ["--quiet"]
    with contextlib.redirect_stdout(io.StringIO()):
        code = main([command, path, *options])
    if code:
        raise RuntimeError(f"inverseq {command} ended with {code}")
    return {"seconds": time.process_time(), "wall": time.perf_counter() - clock}
