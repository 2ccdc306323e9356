"""A thousand bootstrap rewards."""

from typing import Any

import numpy as np
from scipy import sparse

from benchmarks.grids import windy_grid
from benchmarks.measure import alone, cpu_seconds, row, seconds
from inverseq.decisions.counts import Counts
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.inverse.values.iavi import IAVI


def run(small: bool = False) -> list[dict[str, Any]]:
    width, replicates = (8, 50) if small else (32, 1000)
    made = alone("bootstrap", "rewards", width=width, replicates=replicates)
    return [
        row(
            f"{replicates:,} bootstrap rewards, {width} x {width} windy grid, 200 trajectories",
            f"{seconds(made['seconds'])} CPU, {made['peak_mb']:,.0f} MB",
            target="< 1 s",
            met=None if small else made["seconds"] < 1,
        )
    ]


def rewards(width: int, replicates: int) -> dict[str, Any]:
    """CPU seconds for the whole bootstrap of IAVI in a fresh world, factorisation included."""
    rng = np.random.default_rng(0)
    units = sparse.csr_array(rng.poisson(0.03, (200, width * width * 5)).astype(float))
    counts = Counts(np.asarray(units.sum(0)).reshape(-1, 5), units)

    def work() -> None:
        made = bootstrap(counts, IAVI(), windy_grid(width, 0.9), replicates=replicates, seed=1)
        assert made.converged.all()

    return {"seconds": cpu_seconds(work, 3)}
