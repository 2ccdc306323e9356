"""Worlds of up to ten million states: time to a checked residual, and peak memory."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.grids import random_graph, some_policy, windy_grid
from benchmarks.measure import alone, cpu_seconds, row, seconds
from inverseq.forward import policy_evaluation, soft_policy_iteration
from inverseq.inverse.values.iavi import inverse_action_values
from inverseq.mdp import MDP

RESIDUAL = 1e-8
SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
GRAPHS = (10_000, 100_000, 1_000_000)
MOST_TIMES, MOST_SECONDS, MOST_MB = 12, 10, 4096
"""Ten million states against a million, and a million."""
PASSES = 22
"""Vectors that a step of BiCGSTAB reads and writes beside its two products."""


def run(small: bool = False) -> list[dict[str, Any]]:
    rows, taken = [], {}
    reached = alone("large", "bandwidth")["bytes"]
    sizes, graphs = ((1_000, 10_000), (1_000,)) if small else (SIZES, GRAPHS)
    cases = [("grid", "IAVI", size) for size in sizes]
    cases += [("graph", "IAVI", size) for size in graphs]
    largest = sizes[-1] if small else 1_000_000
    cases += [("grid", "policy evaluation", size) for size in sizes]
    cases += [("grid", "soft planning", size) for size in sizes if size <= largest]
    for kind, work, states in cases:
        made = alone("large", "solve", kind=kind, work=work, states=states)
        made["share"] = made.pop("bytes") / made["seconds"] / reached
        taken[kind, work, states] = made["seconds"]
        rows.append(_row(kind, work, states, made, taken, small))
    return rows


def _row(
    kind: str, work: str, states: int, made: dict[str, Any], taken: dict, small: bool
) -> dict[str, Any]:
    """One line, with the numbers that the figure is drawn from."""
    what = "windy grid" if kind == "grid" else "random successors"
    how = "factored" if made["factored"] else f"{made['steps']} steps"
    before = taken.get((kind, work, states // 10))
    asked, met = [f"residual {RESIDUAL:.0e}"], [made["residual"] <= RESIDUAL]
    if (kind, work, states) == ("grid", "IAVI", 1_000_000):
        asked.append(f"< {MOST_SECONDS} s, < {MOST_MB // 1024} GB")
        met += [made["seconds"] < MOST_SECONDS, made["peak_mb"] < MOST_MB]
    if kind == "grid" and states == 10_000_000 and before is not None:
        asked.append(f"< {MOST_TIMES}x a million")
        met.append(made["seconds"] < MOST_TIMES * before)
    told = (
        f"{seconds(made['seconds'])} CPU, {made['peak_mb']:,.0f} MB, {how}, "
        f"residual {made['residual']:.0e}"
    )
    if made["share"]:
        told += f", {made['share']:.0%} of bandwidth"
    line = row(
        f"{work}, {states:,} states ({what}), 5 actions, discount 0.99",
        told,
        ratio=None if before is None else made["seconds"] / before,
        target=", ".join(asked),
        met=None if small else all(met),
    )
    return line | {"kind": kind, "work": work, "states": states} | made


def solve(kind: str, work: str, states: int) -> dict[str, Any]:
    """CPU seconds without making the world, residual, method, and how many bytes its Krylov steps
    read and write at least (none where it was factored or planned).
    """
    mdp = windy_grid(round(states**0.5), 0.99) if kind == "grid" else random_graph(states, 0.99)
    began = time.process_time()
    status = WORK[work](mdp)
    taken = time.process_time() - began
    # Each product reads a weight (8) and a column (4) for each entry, and three vectors.
    step = 2 * (12 * 5 + 24) * mdp.num_states + PASSES * 8 * mdp.num_states
    return {
        "seconds": taken,
        "residual": status.residual,
        "steps": status.steps,
        "factored": mdp.uniform_system.factored,
        "bytes": step * status.steps if work != "soft planning" else 0,
    }


def _inverse(mdp: MDP) -> Any:
    return inverse_action_values(some_policy(mdp), mdp, tolerance=1e-9).status


def _evaluation(mdp: MDP) -> Any:
    return policy_evaluation(mdp, some_policy(mdp), _reward(mdp)).status


def _soft(mdp: MDP) -> Any:
    return soft_policy_iteration(mdp, _reward(mdp), tolerance=1e-10).status


def _reward(mdp: MDP) -> np.ndarray:
    return np.random.default_rng(1).random(mdp.num_states)


WORK: dict[str, Callable[[MDP], Any]] = {
    "IAVI": _inverse,
    "policy evaluation": _evaluation,
    "soft planning": _soft,
}


def bandwidth() -> dict[str, Any]:
    """Bytes a second of CPU in which one core adds two large vectors into a third."""
    a, b, c = np.ones((3, 10_000_000))
    taken = cpu_seconds(lambda: np.add(a, b, out=c), 5)
    return {"bytes": 24 * a.size / taken}
