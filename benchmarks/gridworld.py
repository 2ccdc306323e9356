"""Trainings of the GridWorld study: moves a second, beside a plain loop in PyTorch."""

import os
import time
from dataclasses import replace
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.measure import cpu_seconds, row
from benchmarks.peers import torch_rate
from inverseq.forward.dqn import DQN, train_dqn
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.inverse.deep.iq_online import train_iq_learn
from inverseq.play.experts import expert_games
from inverseq.training.loop import Loop
from inverseq.worlds.game_rules import STATIC_WALLS, grid_simulator

QUOTED = {"dqn": 800, "iq": 600}
"""Moves a second that a plain loop made when the targets were set."""
LEAST = {1: 12, 16: 25}
"""Seeds -> times the plain loop."""
NAMES = {"dqn": "DQN", "iq": "IQ-Learn"}
SIZES = (100, 150, 100, 4)
"""Of the study's network."""


def run(small: bool = False) -> list[dict[str, Any]]:
    peak = peak_flops(256 if small else 1024)
    return [made for method in NAMES for made in _rows(method, peak, small)]


def _rows(method: str, peak: float, small: bool) -> list[dict[str, Any]]:
    """One seed and many of one method."""
    steps, quoted = 2_000 if small else 20_000, QUOTED[method]
    loop = None if small else torch_rate("gridworld_torch.py", method, 10_000)
    rows = []
    for seeds in (1, 2) if small else LEAST:
        spent, clock = training_seconds(method, steps, seeds)
        cores = min(seeds, os.cpu_count() or 1)
        rate = cores * seeds * steps / spent
        share = seeds * steps * flops_per_move(method) / spent / peak
        name = (
            f"{NAMES[method]} of the study, {seeds} seed{'s' * (seeds > 1)} on {cores} of the cores"
        )
        ours = f"{rate:,.0f} moves/s ({seeds * steps / clock:,.0f} by the clock)"
        target = LEAST.get(seeds, 0) * quoted
        rows += [
            row(
                f"{name}, against the loop that targets were set by",
                ours,
                other=f"{quoted} /s",
                ratio=rate / quoted,
                target=f">= {target:,} /s" if target else "",
                met=None if small else rate >= target,
            ),
            row(
                f"{name}, share of the fastest product of matrices",
                f"{share:.0%} of {peak / 1e9:,.0f} GFLOP/s a core",
            ),
        ]
        if loop:
            rows.append(
                row(
                    f"{name}, against our own loop in PyTorch, one thread",
                    ours,
                    other=f"{loop:,.0f} /s",
                    ratio=rate / loop,
                )
            )
    return rows


def training_seconds(method: str, steps: int, seeds: int) -> tuple[float, float]:
    """CPU time and time by the clock of trainings side by side, once compiled; best of three."""
    # As in the plain loop, no test games.
    loop, simulator = Loop(steps, test_games=0), grid_simulator(STATIC_WALLS)
    keys = list(jax.random.split(jax.random.key(0), seeds))
    if method == "dqn":
        settings = replace(DQN.study(steps), loop=loop)
        train = partial(train_dqn, settings, simulator)
    else:
        shown = expert_games(STATIC_WALLS, games=300, seed=0)
        train = partial(train_iq_learn, IQLearn.study(0, steps), shown, simulator, loop)
    train(keys[:1])
    spent, clock = np.inf, np.inf
    for _ in range(3):
        before = time.process_time(), time.perf_counter()
        train(keys)
        spent = min(spent, time.process_time() - before[0])
        clock = min(clock, time.perf_counter() - before[1])
    return spent, clock


def flops_per_move(method: str) -> float:
    """Of the products of matrices: one board to act, and a quarter of a training step.

    A training step looks at 32 boards and 32 that follow, and goes back to the weights of every
    layer and to the input of all but the first; for IQ-Learn, whose slopes go through V(s') too,
    from both.
    """
    weights = [a * b for a, b in pairwise(SIZES)]
    once, back = 2 * sum(weights), 2 * sum(weights) + 2 * sum(weights[1:])
    step = 2 * once + (2 * back if method == "iq" else back)
    return once + 32 * step / 4


def peak_flops(size: int) -> float:
    """Floating-point operations a second of CPU time in a product of square matrices."""
    product = jax.jit(lambda a: a @ a)
    matrix = jnp.ones((size, size), jnp.float32)
    jax.block_until_ready(product(matrix))
    taken = cpu_seconds(
        lambda: [jax.block_until_ready(product(matrix)) for _ in range(10)], repeats=5
    )
    return 20 * size**3 / taken
