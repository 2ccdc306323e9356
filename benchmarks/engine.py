"""What the engine costs over plain joblib, and how well two workers are used."""

import tempfile
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numpy as np
from distributed import LocalCluster
from joblib import Parallel, delayed

from benchmarks.measure import cpu_seconds, row, seconds
from inverseq._core.cluster import engine
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
        *_on_two_workers(small),
    ]


def _on_two_workers(small: bool) -> list[dict[str, Any]]:
    """Seconds by the clock: they mean something on a machine with nothing else to do."""
    cells = [(0.1 if small else 1.0,)] * 12
    alone = _clock(lambda: [*run_cells(occupied, cells, what="cells", jobs=1)])
    made = []
    workers: Any = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with workers:
        for where, place in (
            ("processes", nullcontext()),
            ("workers of a cluster", engine(str(workers.scheduler_address))),
        ):
            with place:
                both = lambda: [*run_cells(occupied, cells, what="cells", jobs=2)]  # noqa: E731
                both()  # they import what they need
                taken = _clock(both)
            share = alone / (2 * taken)
            made.append(
                row(
                    f"{len(cells)} cells of {seconds(alone / len(cells))} on two {where}",
                    seconds(taken),
                    other=seconds(alone),
                    ratio=alone / taken,
                    target="0.8 of two",
                    met=None if small else share >= 0.8,
                )
            )
    return made


def _clock(work: Callable[[], Any]) -> float:
    """Seconds by the clock."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def occupied(taking: float) -> int:
    """Linear algebra for so many seconds of CPU."""
    began, done = time.process_time(), 0
    while time.process_time() - began < taking:
        work(done)
        done += 1
    return done


def work(seed: int) -> np.ndarray:
    """A millisecond or so of linear algebra."""
    matrix = np.random.default_rng(seed).random((70, 70))
    return np.linalg.eigvals(matrix).real
