"""What the engine costs over plain joblib."""

import tempfile
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from benchmarks.measure import cpu_seconds, row, seconds
from inverseq._core.engine import run as run_cells


def run(small: bool = False) -> list[dict[str, Any]]:
    count = 50 if small else 300
    cells = [(seed,) for seed in range(count)]
    plain = cpu_seconds(lambda: [*Parallel(n_jobs=1)(delayed(work)(*c) for c in cells)], 3)
    ours = cpu_seconds(lambda: [*run_cells(work, cells, what="cells")], 3)
    with tempfile.TemporaryDirectory() as folder:
        kept = lambda: [*run_cells(work, cells, what="cells", keep=folder)]  # noqa: E731
        first = cpu_seconds(kept)
        again = cpu_seconds(kept, 3)
    return [
        row(
            f"{count} cells of {seconds(plain / count)}, against joblib alone",
            seconds(ours),
            other=seconds(plain),
            ratio=ours / plain,
            target="< 1.2x",
            met=None if small else ours < 1.2 * plain,
        ),
        row("the same, kept, a cell", seconds((first - plain) / count)),
        row("the same, read, a cell", seconds(again / count)),
    ]


def work(seed: int) -> np.ndarray:
    """A millisecond or so of linear algebra."""
    matrix = np.random.default_rng(seed).random((70, 70))
    return np.linalg.eigvals(matrix).real
