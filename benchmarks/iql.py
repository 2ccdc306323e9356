"""Inverse Q-learning: sampled updates per second, compiled, beside a loop in plain Python."""

import math
from typing import Any

import numpy as np

from benchmarks.grids import some_policy, windy_grid
from benchmarks.measure import cpu_seconds, row
from inverseq.demonstrations import Demonstrations
from inverseq.forward.simulation import simulate
from inverseq.inverse.fit import fit
from inverseq.inverse.values.iql import IQL
from inverseq.mdp import MDP

DISCOUNT = 0.9
LEAST = 5_000_000
SOLVER = IQL(epochs=10)


def run(small: bool = False) -> list[dict[str, Any]]:
    width, trajectories = (8, 50) if small else (32, 10_000)
    mdp = windy_grid(width, DISCOUNT)
    demonstrations = simulate(mdp, some_policy(mdp), trajectories=trajectories, steps=20, seed=0)
    few = demonstrations.take(np.arange(50))
    rate = updates_per_second(demonstrations, mdp)
    reward = fit(few, SOLVER, mdp).reward
    assert reward is not None
    name = f"IQL, {width} x {width} windy grid, {demonstrations.num_decisions:,} transitions"
    rows = []
    for loop, what in ((array_loop, "a loop over NumPy arrays"), (list_loop, "a loop over lists")):
        made: list[np.ndarray] = []
        taken = cpu_seconds(lambda loop=loop, made=made: made.append(loop(few, mdp)))
        assert np.abs(reward - made[0]).max() < 1e-9
        slow = SOLVER.epochs * few.num_decisions / taken
        rows.append(
            row(
                f"{name}, updates a second, against {what}",
                f"{rate:,.0f} /s",
                other=f"{slow:,.0f} /s",
                ratio=rate / slow,
                target=f">= {LEAST:,} /s",
                met=None if small else rate >= LEAST,
            )
        )
    return rows


def updates_per_second(demonstrations: Demonstrations, mdp: MDP) -> float:
    """Of the whole fit, once compiled: reading rows, ten epochs, the solution."""
    fit(demonstrations, SOLVER, mdp)
    taken = cpu_seconds(lambda: fit(demonstrations, SOLVER, mdp), 5)
    return SOLVER.epochs * demonstrations.num_decisions / taken


def array_loop(demonstrations: Demonstrations, mdp: MDP) -> np.ndarray:
    """Algorithm 1 of Kalweit and others 2020 on arrays, as most would write it."""
    shape = (mdp.num_states, mdp.num_actions)
    rho, shifted, r, q = (np.zeros(shape) for _ in range(4))
    for _ in range(SOLVER.epochs):
        for s, a, following in zip(
            demonstrations.states,
            demonstrations.actions,
            demonstrations.next_states,
            strict=True,
        ):
            rho[s, a] += 1
            ahead = DISCOUNT * np.max(q[following])
            shifted[s, a] += SOLVER.shifted_step * (ahead - shifted[s, a])
            eta = np.log(rho[s] / np.sum(rho[s]) + SOLVER.smoothing) - shifted[s]
            rest = [b for b in range(shape[1]) if b != a]
            target = eta[a] + np.sum(r[s, rest] - eta[rest]) / len(rest)
            r[s, a] += SOLVER.reward_step * (target - r[s, a])
            q[s, a] += SOLVER.q_step * (r[s, a] + ahead - q[s, a])
    return r


def list_loop(demonstrations: Demonstrations, mdp: MDP) -> np.ndarray:
    """The same on lists of numbers, which plain Python is fastest at."""
    states, actions = mdp.num_states, mdp.num_actions
    rho, shifted, r, q = ([[0.0] * actions for _ in range(states)] for _ in range(4))
    rows = list(
        zip(
            demonstrations.states.tolist(),
            demonstrations.actions.tolist(),
            demonstrations.next_states.tolist(),
            strict=True,
        )
    )
    for _ in range(SOLVER.epochs):
        for s, a, following in rows:
            rho[s][a] += 1
            total = sum(rho[s])
            ahead = DISCOUNT * max(q[following])
            shifted[s][a] += SOLVER.shifted_step * (ahead - shifted[s][a])
            eta = [
                math.log(n / total + SOLVER.smoothing) - foreseen
                for n, foreseen in zip(rho[s], shifted[s], strict=True)
            ]
            gaps = [r[s][b] - eta[b] for b in range(actions)]
            target = eta[a] + (sum(gaps) - gaps[a]) / (actions - 1)
            r[s][a] += SOLVER.reward_step * (target - r[s][a])
            q[s][a] += SOLVER.q_step * (r[s][a] + ahead - q[s][a])
    return np.array(r)
