"""Relations of many neurons to many regressors, with many shuffles."""

import time
from typing import Any

import numpy as np

from benchmarks.measure import alone, row, seconds
from inverseq.neural.nulls import shift_orders
from inverseq.neural.relating import encoding


def run(small: bool = False) -> list[dict[str, Any]]:
    units, regressors, shuffles = (50, 3, 50) if small else (1000, 10, 1000)
    made = alone("relations", "encode", units=units, regressors=regressors, shuffles=shuffles)
    return [
        row(
            f"{units:,} neurons by {regressors} regressors by {shuffles:,} shifts",
            f"{seconds(made['seconds'])}, {made['peak_mb']:,.0f} MB",
            target="< 60 s, 2,000 MB",
            met=None if small else made["seconds"] < 60 and made["peak_mb"] < 2000,
        )
    ]


def encode(units: int, regressors: int, shuffles: int, decisions: int = 5000) -> dict[str, Any]:
    """CPU time for one encoding of noise, and how much of it was called clear."""
    rng = np.random.default_rng(0)
    counts = rng.poisson(2.0, (decisions, units)).astype(np.float64)
    series = rng.normal(size=(decisions, regressors))
    covariates = np.concatenate([np.ones((decisions, 1)), rng.normal(size=(decisions, 10))], axis=1)
    orders = shift_orders(np.array([0, decisions]), permutations=shuffles, seed=0)
    names = [[str(i) for i in range(n)] for n in (units, regressors)]
    cpu = time.process_time()
    found = encoding(counts, series, covariates, orders, units=names[0], names=names[1])
    return {"seconds": time.process_time() - cpu, "clear": int((found.adjusted <= 0.05).sum())}
