"""Objectworld as people observe: measured values in place of numbered cells.

An observation is where one is and how far the nearest objects are (x, y and the four distances of
`worlds.objectworld`). `DIQL` reads these and knows no transitions. Beside it stand IAVI on blocks
of 4 x 4 cells, whose transitions it counts, and models that are given the world: IAVI, MaxEnt on
states, and DeepMaxEnt on the distances.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.rewards import reward_correlation, reward_error
from inverseq.inverse.deep import DIQL
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.deep import DeepMaxEnt
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.plot import canvas, curves
from inverseq.studies.objectworld import Settings
from inverseq.studies.objectworld.fits import TEMPERATURE
from inverseq.studies.run import Result
from inverseq.studies.shapes import plain
from inverseq.studies.study import Effort
from inverseq.training.lessons import Lessons
from inverseq.worlds import objectworld, objectworld_demonstrations, objectworld_expert

DEEP = {"zero-mean": "DIQL", "state-only": "DIQL, of states"}
"""Gauge -> name."""
METHODS = ("IAVI, blocks", "IAVI", "MaxEnt, states", "DeepMaxEnt")
"""The others."""
_LENGTH = 8
"""Decisions of a trajectory."""
_BLOCK = 4
"""Cells of a block each way."""

Reward = Float[np.ndarray, "S A"]


def run(settings: Settings, effort: Effort) -> Result:
    """How much of the true reward each finds, up to shaping, by number of decisions."""
    sizes = tuple(sorted({max(size // _LENGTH, 1) for size in settings.decisions}))
    methods = [*(DEEP[gauge] for gauge in settings.gauges), *METHODS]
    tasks = [
        (effort.seed + w, size, settings.gauges, settings.steps, asdict(settings.board))
        for w in range(settings.worlds)
        for size in sizes
    ]
    found = np.array(effort.each("fits", of_one, tasks))  # [W * N, M, 2]
    made = found.reshape(settings.worlds, len(sizes), len(methods), 2).transpose(3, 2, 1, 0)
    mean = made.mean(axis=-1)
    spread = made.std(axis=-1, ddof=1) if settings.worlds > 1 else np.zeros_like(mean)
    decisions = _LENGTH * np.array(sizes)
    rows = [
        plain(
            {
                "method": method,
                "decisions": int(size),
                "correlation": mean[0, m, n],
                "error": mean[1, m, n],
            }
        )
        for m, method in enumerate(methods)
        for n, size in enumerate(decisions)
    ]
    figure, axes = canvas(7.4, 3.4, columns=2)
    units = ("correlation with the true reward\n(up to shaping)", "error of the reward (none = 1)")
    for ax, values, error, unit in zip(axes, mean, spread, units, strict=True):
        bars = error / np.sqrt(settings.worlds)
        curves(decisions, values, bars, methods, ax=ax, x_name="decisions", unit=unit)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, fontsize=7.5, frameon=False)
    by_name = ", ".join(f"{m} {c:.2f}" for m, c in zip(methods, mean[0, :, -1], strict=True))
    told = (
        f"Correlation of the reward with the true one, up to shaping, from {decisions[-1]:,} "
        f"decisions, over {settings.worlds} worlds: {by_name}.",
    )
    return Result({"rewards": rows}, {"rewards": figure}, told)


def of_one(
    number: int,
    trajectories: int,
    gauges: tuple[str, ...],
    steps: int,
    board: Mapping[str, Any],
) -> Float[np.ndarray, "M 2"]:
    """Correlation and error of the reward of each method in one world, NaN where it diverged.

    Args:
        number: Which world.
        trajectories: Of 8 decisions each.
        gauges: Of `DIQL`.
        steps: Training steps of networks.
        board: Arguments of `worlds.objectworld`.
    """
    world = objectworld(number, **board)
    mdp = world.mdp
    expert = objectworld_expert(world, discount=mdp.discount, temperature=TEMPERATURE)
    data = objectworld_demonstrations(
        world, expert, trajectories=trajectories, length=_LENGTH, seed=1_000_000 + number
    )
    assert mdp.features is not None  # Objectworlds have them
    cells = np.asarray(mdp.coordinates, dtype=np.float64)
    seen = np.concatenate([cells, mdp.features[:, 0]], axis=1)
    rewards: list[Reward | None] = [_deep(data, seen, mdp, steps, gauge) for gauge in gauges]
    rewards.append(_of_blocks(data, cells, mdp))
    for solver in (IAVI(smoothing=0.1), MaxEnt("states", strength=1.0), DeepMaxEnt(seed=0)):
        rewards.append(np.asarray(fit(data, solver, mdp, accept_failure=True).reward))
    assert mdp.reward is not None  # likewise
    truth = mdp.reward / TEMPERATURE
    return np.array(
        [
            (np.nan, np.nan)
            if reward is None
            else (reward_correlation(mdp, reward), reward_error(mdp, reward, truth))
            for reward in rewards
        ]
    )


def _deep(
    data: Demonstrations, seen: Float[np.ndarray, "S D"], mdp: MDP, steps: int, gauge: Any
) -> Reward | None:
    """What `DIQL` finds in observations, at those of every cell; None where it diverged."""
    measured = replace(
        data, states=seen[data.states], next_states=seen[data.next_states], state_names=()
    )
    solver = DIQL(
        0, mdp.discount, gauge=gauge, num_actions=mdp.num_actions, lessons=Lessons(steps, 128)
    )
    solution = fit(measured, solver, accept_failure=True)
    if not solution.status.ok:
        return None
    reward = solution.reward_function
    everywhere = Demonstrations.from_arrays(seen, np.zeros(len(seen), dtype=int))
    return reward.of_actions(everywhere)  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]


def _of_blocks(data: Demonstrations, cells: Float[np.ndarray, "S 2"], mdp: MDP) -> Reward:
    """What IAVI finds in blocks of cells, in every cell of a block alike."""
    across = int(cells.max()) // _BLOCK + 1
    block = (cells // _BLOCK) @ [1, across]
    block = np.unique(block.astype(int), return_inverse=True)[1].reshape(-1)
    coarse = replace(
        data, states=block[data.states], next_states=block[data.next_states], state_names=()
    )
    estimated = MDP.estimate(
        coarse,
        discount=mdp.discount,
        num_states=int(block.max()) + 1,
        num_actions=mdp.num_actions,
    )
    return np.asarray(fit(coarse, IAVI(smoothing=0.1), estimated).reward)[block]
