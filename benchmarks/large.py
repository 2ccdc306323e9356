"""Worlds of up to a million states: time to a checked residual, and peak memory."""

from typing import Any

from benchmarks.grids import random_graph, some_policy, windy_grid
from benchmarks.measure import alone, cpu_seconds, row, seconds
from inverseq.inverse.values.iavi import inverse_action_values

RESIDUAL = 1e-8


def run(small: bool = False) -> list[dict[str, Any]]:
    rows = []
    for kind, states, most_seconds, most_mb in (
        ("grid", 10_000 if small else 1_000_000, 10, 4096),
        ("graph", 1_000 if small else 10_000, None, None),
        ("graph", 2_000 if small else 100_000, None, None),
    ):
        made = alone("large", "solve", kind=kind, states=states)
        checked = made["residual"] <= RESIDUAL
        what = "windy grid" if kind == "grid" else "random successors"
        how = "factored" if made["factored"] else f"Krylov, {made['steps']} steps"
        fits = most_seconds is None or (
            made["seconds"] < most_seconds and made["peak_mb"] < most_mb
        )
        rows.append(
            row(
                f"IAVI, {states:,} states ({what}), 5 actions, discount 0.99",
                f"{seconds(made['seconds'])} CPU, {made['peak_mb']:,.0f} MB, {how}, "
                f"residual {made['residual']:.0e}",
                target="residual 1e-8" + ("" if most_seconds is None else ", < 10 s, < 4 GB"),
                met=None if small else fits and checked,
            )
        )
    return rows


def solve(kind: str, states: int) -> dict[str, Any]:
    """IAVI in a fresh world: CPU seconds without making the world, residual, method."""
    mdp = windy_grid(round(states**0.5), 0.99) if kind == "grid" else random_graph(states, 0.99)
    policy = some_policy(mdp)
    made = []
    taken = cpu_seconds(lambda: made.append(inverse_action_values(policy, mdp, tolerance=1e-9)))
    return {
        "seconds": taken,
        "residual": made[0].status.residual,
        "steps": made[0].status.steps,
        "factored": mdp.uniform_system.factored,
    }
