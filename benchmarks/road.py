"""Decisions a second on the ring road, beside SUMO's with as many cars, on one core."""

import time
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.measure import row
from inverseq.worlds.road_ring import RingRoad
from inverseq.worlds.road_sumo import SumoRoadEnv
from inverseq.worlds.road_view import KEEP

CARS = 45
"""Beside the ego."""
LEAST = 50
"""Times SUMO."""


def run(small: bool = False) -> list[dict[str, Any]]:
    sumo = sumo_decisions(50 if small else 400)
    rows = []
    for games in (1,) if small else (1, 8):
        ring = ring_decisions(games, 50 if small else 2000)
        rows.append(
            row(
                f"ring road, {CARS + 1} cars, {games} game{'s' * (games > 1)} at once, decisions",
                f"{ring:,.0f} /s",
                other=f"SUMO {sumo:,.0f} /s",
                ratio=ring / sumo,
                target=f">= {LEAST}x",
                met=None if small else ring / sumo >= LEAST,
            )
        )
    return rows


def ring_decisions(games: int, moves: int) -> float:
    """Decisions a second of CPU time, once compiled; best of three."""
    road = RingRoad(cars=(CARS, CARS))
    one = lambda state: road.turn(state, jnp.int32(KEEP))[0]  # noqa: E731
    many = one if games == 1 else jax.vmap(one)
    keys = jax.random.split(jax.random.key(0), games)
    state = jax.jit(jax.vmap(road.reset))(keys)
    state = jax.tree.map(lambda x: x[0], state) if games == 1 else state
    drive = jax.jit(lambda now: jax.lax.fori_loop(0, moves, lambda i, at: many(at), now))
    jax.block_until_ready(drive(state))
    spent = np.inf
    for _ in range(3):
        before = time.process_time()
        jax.block_until_ready(drive(state))
        spent = min(spent, time.process_time() - before)
    return games * moves / spent


def sumo_decisions(moves: int) -> float:
    """Decisions a second of CPU time of SUMO's environment; best of three."""
    environment = SumoRoadEnv((CARS, CARS), moves)
    spent = np.inf
    try:
        for _ in range(3):
            environment.reset(seed=0)
            before = time.process_time()
            for _ in range(moves):
                environment.step(KEEP)
            spent = min(spent, time.process_time() - before)
    finally:
        environment.close()
    return moves / spent
