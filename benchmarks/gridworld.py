"""Deep Q-learning of the GridWorld game: moves a second, beside a plain loop in PyTorch."""

import json
import os
import subprocess
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.measure import cpu_seconds, row
from benchmarks.peers import environment
from inverseq.forward.dqn import DQN, train_dqns
from inverseq.forward.training import Loop
from inverseq.networks import FullyConnected
from inverseq.worlds.game_rules import STATIC_WALLS, grid_simulator

TORCH = ("torch==2.13.0", "numpy==2.4.6")
SCRIPT = Path(__file__).parent / "peer_scripts" / "gridworld_torch.py"
QUOTED = 800
"""Moves a second that a plain loop made when the targets were set."""
LEAST = {1: 12, 16: 25}
"""Seeds -> times the plain loop."""


def run(small: bool = False) -> list[dict[str, Any]]:
    steps = 2_000 if small else 20_000
    loop = None if small else torch_moves(10_000)
    peak = peak_flops(256 if small else 1024)
    rows = []
    for seeds in (1, 2) if small else LEAST:
        spent, clock = training_seconds(steps, seeds)
        cores = min(seeds, os.cpu_count() or 1)
        rate = cores * seeds * steps / spent
        share = seeds * steps * flops_per_move() / spent / peak
        name = f"DQN of the study, {seeds} seed{'s' * (seeds > 1)} on {cores} of the cores"
        ours = f"{rate:,.0f} moves/s ({seeds * steps / clock:,.0f} by the clock)"
        target = LEAST.get(seeds, 0) * QUOTED
        rows += [
            row(
                f"{name}, against the loop that targets were set by",
                ours,
                other=f"{QUOTED} /s",
                ratio=rate / QUOTED,
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


def training_seconds(steps: int, seeds: int) -> tuple[float, float]:
    """CPU time and time by the clock of trainings side by side, once compiled; best of three."""
    # As in the plain loop, no test games.
    settings = DQN(
        network=FullyConnected(),
        loop=Loop(steps, test_games=0),
        noise=0.1,
        bootstrap_at_limit=False,
    )
    simulator = grid_simulator(STATIC_WALLS)
    keys = jax.random.split(jax.random.key(0), seeds)
    train_dqns(settings, simulator, keys[:1])
    spent, clock = np.inf, np.inf
    for _ in range(3):
        before = time.process_time(), time.perf_counter()
        train_dqns(settings, simulator, keys)
        spent = min(spent, time.process_time() - before[0])
        clock = min(clock, time.perf_counter() - before[1])
    return spent, clock


def flops_per_move() -> float:
    """Of the products of matrices: one board to act, and a quarter of a training step.

    A training step looks at 32 boards and 32 that follow, and goes back to the weights of every
    layer and to the input of all but the first.
    """
    sizes = (100, 150, 100, 4)
    weights = [a * b for a, b in pairwise(sizes)]
    once = 2 * sum(weights)
    return once + 32 * (3 * once + 2 * sum(weights[1:])) / 4


def peak_flops(size: int) -> float:
    """Floating-point operations a second of CPU time in a product of square matrices."""
    product = jax.jit(lambda a: a @ a)
    matrix = jnp.ones((size, size), jnp.float32)
    jax.block_until_ready(product(matrix))
    taken = cpu_seconds(
        lambda: [jax.block_until_ready(product(matrix)) for _ in range(10)], repeats=5
    )
    return 20 * size**3 / taken


def torch_moves(moves: int) -> float | None:
    """Moves a second of CPU time of the plain loop; None where PyTorch cannot be installed."""
    try:
        python = environment(Path(".peers") / "torch", TORCH)
    except subprocess.CalledProcessError:
        return None
    command = [str(python), str(SCRIPT), "dqn", str(moves)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])["moves_per_second"]
