"""The reward of two agents on one board: one sparse least-squares solve."""

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.grids import windy_grid
from benchmarks.measure import cpu_seconds, row, seconds
from inverseq import Outcome, Solution, Status, identify
from inverseq.forward import soft_policy_iteration
from inverseq.inverse.planning import SoftOptimum
from inverseq.policies import TabularPolicy


def run(small: bool = False) -> list[dict[str, Any]]:
    rows = []
    for width, discounts in ((8, (0.9, 0.5)),) if small else ((32, (0.9, 0.5)), (32, (0.99, 0.9))):
        worlds = [windy_grid(width, gamma) for gamma in discounts]
        reward = np.random.default_rng(0).normal(size=worlds[0].allowed.shape)
        agents = []
        for world in worlds:
            policy = TabularPolicy(soft_policy_iteration(world, reward).policy)
            known = Status(Outcome.CONVERGED, 1, 0.0)
            agents.append(Solution("agent", {}, policy, known, world, planning=SoftOptimum()))
        made = []
        taken = cpu_seconds(lambda a=agents, m=made: m.append(identify(a[0], also=a[1:]).shared), 3)
        error = float(np.ptp(made[0].reward - reward))
        # What cannot be told is refused: the same agent twice.
        twice = replace(agents[0])
        assert identify(agents[0], also=[twice]).shared.num_open == width**2 - 1
        rows.append(
            row(
                f"identify, {width} x {width} windy grid, 5 actions, discounts "
                f"{discounts[0]:g} and {discounts[1]:g}",
                f"{seconds(taken)}, error {error:.0e}, condition {made[0].condition:.0f}",
                target="< 5 s, error 1e-8",
                met=None if small else taken < 5 and error < 1e-8,
            )
        )
    return rows
