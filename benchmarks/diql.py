"""Deep inverse Q-learning: training steps a second, beside the same in plain PyTorch."""

import os
import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

from benchmarks.measure import alone, row
from benchmarks.peers import torch_rate
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.deep.diql import DIQL
from inverseq.inverse.deep.diql_seeds import train_diql
from inverseq.networks import Pixels
from inverseq.training.lessons import Lessons

LEAST = {1: 5, 8: 15}
"""Seeds -> times the plain loop."""
MORE = 1.1
"""Bytes that a byte of images costs: images are held once, by whoever gives them."""


def run(small: bool = False) -> list[dict[str, Any]]:
    """Trainings beside plain PyTorch, and the memory of one on images."""
    lessons = Lessons(300 if small else 10_000, 64, schedule="constant")
    solver = DIQL(0, 0.9, lessons=lessons, held_out=0.0)
    rows = plain_rows(
        "DIQL, 3 networks of 64-64, batch 64",
        "diql_torch.py",
        lambda seeds: train_diql(solver, walks(), tuple(range(seeds))),
        lessons.steps,
        small,
    )
    return [*rows, pixel_row(100 if small else 4000)]


def plain_rows(
    name: str, script: str, training: Callable[[int], Any], steps: int, small: bool
) -> list[dict[str, Any]]:
    """One seed and eight of a training, beside a script of plain PyTorch.

    Args:
        name: Of the row.
        script: In `peer_scripts`.
        training: Trains so many seeds.
        steps: In which it does.
        small: Without the script.
    """
    peer = None if small else torch_rate(script, 3_000)
    rows = []
    for seeds, least in LEAST.items():
        spent, clock = training_seconds(partial(training, seeds))
        cores = min(seeds, os.cpu_count() or 1)
        rate = cores * seeds * steps / spent
        ratio = None if peer is None else rate / peer
        rows.append(
            row(
                f"{name}, {seeds} seed{'s' * (seeds > 1)} on {cores} of the cores, against plain "
                "PyTorch on one",
                f"{rate:,.0f} steps/s ({seeds * steps / clock:,.0f} by the clock)",
                other="" if peer is None else f"{peer:,.0f} /s",
                ratio=ratio,
                target=f">= {least} times",
                met=None if ratio is None else ratio >= least,
            )
        )
    return rows


def pixel_row(frames: int) -> dict[str, Any]:
    """Memory of a training on images, and what twice as many of them add."""
    one, two = (alone("diql", "pixels", frames=count) for count in (frames, 2 * frames))
    more = (two["peak_mb"] - one["peak_mb"]) / (two["data_mb"] - one["data_mb"])
    return row(
        f"DIQL on {2 * frames:,} images of 84 x 84 x 4 bytes, batch 32: bytes for each byte more",
        f"{more:.2f} ({two['peak_mb']:,.0f} MB at most, {two['data_mb']:,.0f} of them images)",
        target=f"<= {MORE}",
        met=None if frames < 1000 else more <= MORE,
    )


def pixels(frames: int) -> dict[str, Any]:
    """A few training steps on random images."""
    images = np.random.default_rng(0).integers(0, 256, (frames, 84, 84, 4), dtype=np.uint8)
    data = Demonstrations.from_arrays(images, np.arange(frames) % 3)
    lessons = Lessons(5, 32)
    train_diql(DIQL(0, 0.9, Pixels(), lessons=lessons), data, (0,))
    return {"data_mb": images.nbytes / 2**20}


@cache
def walks() -> Demonstrations:
    """20,000 transitions of 20 features and three actions, in games of 100."""
    rng = np.random.default_rng(0)
    return Demonstrations.from_arrays(
        rng.normal(size=(20_000, 20)),
        rng.integers(3, size=20_000),
        trajectory=np.arange(20_000) // 100,
        terminated=np.arange(20_000) % 100 == 99,
    )


def training_seconds(training: Callable[[], Any]) -> tuple[float, float]:
    """CPU time and time by the clock of a training, once compiled; best of three."""
    spent, clock = np.inf, np.inf
    for turn in range(4):
        before = time.process_time(), time.perf_counter()
        training()
        if turn:  # the first compiles
            spent = min(spent, time.process_time() - before[0])
            clock = min(clock, time.perf_counter() - before[1])
    return spent, clock
