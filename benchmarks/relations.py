"""Relations of many neurons to many regressors, with many shuffles, and the whole command."""

import os
import tempfile
import time
from typing import Any

import numpy as np

from benchmarks.measure import alone, row, seconds
from inverseq.cli import main
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
        ),
        _command(small),
    ]


def _command(small: bool) -> dict[str, Any]:
    """`inverseq neural lever` with its page."""
    made = alone("relations", "command", shuffles=19 if small else 1000)
    return row("inverseq neural lever", f"{seconds(made['seconds'])}, {made['peak_mb']:,.0f} MB")


def command(shuffles: int) -> dict[str, Any]:
    """CPU time of the command, that of processes it starts included."""
    with tempfile.TemporaryDirectory() as folder:
        told = ["--shuffles", str(shuffles), "--out", f"{folder}/out", "--quiet"]
        began = os.times()
        code = main(["neural", "lever", *told])
        spent = np.subtract(os.times()[:4], began[:4]).sum()
    if code:
        raise RuntimeError(f"inverseq neural lever ended with {code}")
    return {"seconds": float(spent)}


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
