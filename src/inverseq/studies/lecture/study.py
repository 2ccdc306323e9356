"""The 4x3 world of Russell and Norvig, as the Freiburg lecture (2023) teaches it.

Optimal values and policies at -0.04 and at -2 per step, and Q-learning on its way to the first.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jaxtyping import Float, Int

from inverseq import plot
from inverseq._core.arrays import frozen_array
from inverseq.forward import Learned, Plan, q_learning, value_iteration
from inverseq.studies.files import write_csv, write_png
from inverseq.worlds import World, four_by_three

STEP_REWARDS = (-0.04, -2.0)
"""Rewards per step that are compared."""


@dataclass(frozen=True, eq=False)
class Lecture:
    """The numbers of the study; states are those of `worlds.four_by_three`.

    Attributes:
        step_rewards: The two rewards per step.
        values: `[2, S]` optimal values under each.
        changed: States whose best actions differ between the two.
        steps: `[C]` decisions of Q-learning at each checkpoint.
        curves: `[R, C, S]` values that the runs of Q-learning had learned there, at the first
            reward.
        errors: `[R]` largest error of a learned value at the end of each run.
        files: What was written.
    """

    step_rewards: tuple[float, float]
    values: Float[np.ndarray, "2 S"]
    changed: tuple[int, ...]
    steps: Int[np.ndarray, " C"]
    curves: Float[np.ndarray, "R C S"]
    errors: Float[np.ndarray, " R"]
    files: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in ("values", "curves", "errors"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float64, name))
        object.__setattr__(self, "steps", frozen_array(self.steps, np.int64, "steps"))


def lecture(
    out: str | os.PathLike, *, seed: int = 0, runs: int = 10, steps: int = 200_000
) -> Lecture:
    """Write `policies.png`, `values.csv`, `q_learning.png` and `q_learning.csv` to a folder.

    Q-learning begins each episode in a random state, so that every state is seen often enough.

    Args:
        out: The folder; it is made where it does not exist.
        seed: Which random choices.
        runs: R, runs of Q-learning.
        steps: Decisions of each run.

    Returns:
        The numbers behind the figures.

    Raises:
        InputError: The folder cannot be written to, or a number is out of range.
    """
    worlds = [four_by_three(step_reward) for step_reward in STEP_REWARDS]
    plans = [value_iteration(world.mdp) for world in worlds]
    terminal = worlds[0].mdp.terminal
    everywhere = replace(worlds[0].mdp, initial=~terminal / (~terminal).sum())
    learned = [
        q_learning(key, everywhere, steps=steps, halving=20.0, exploration=0.3, checkpoints=200)
        for key in jax.random.split(jax.random.key(seed), runs)
    ]
    curves = np.stack([run.curve for run in learned])
    differ = ((plans[0].policy > 0) != (plans[1].policy > 0)).any(1)
    folder = Path(out)
    files = (
        write_png(folder / "policies.png", _draw_policies(worlds, plans)),
        write_csv(folder / "values.csv", _value_rows(worlds, plans)),
        write_png(folder / "q_learning.png", _draw_learning(worlds[0], plans[0], learned)),
        write_csv(folder / "q_learning.csv", _learning_rows(worlds[0], plans[0], learned)),
    )
    return Lecture(
        step_rewards=STEP_REWARDS,
        values=np.stack([plan.values for plan in plans]),
        changed=tuple(int(s) for s in np.flatnonzero(differ)),
        steps=learned[0].steps,
        curves=curves,
        errors=np.abs(curves[:, -1] - plans[0].values).max(1),
        files=files,
    )


def _draw_policies(worlds: Sequence[World], plans: Sequence[Plan]) -> Any:
    """Both boards with values and arrows; nothing is chosen in the exits."""
    figure, axes = plot.canvas(7.0, 2.6, columns=2)
    for ax, world, plan, step_reward in zip(axes, worlds, plans, STEP_REWARDS, strict=True):
        drawing, mdp = world.drawing, world.mdp
        plot.grid_map(
            np.asarray(mdp.coordinates),
            plan.values,
            ax=ax,
            policy=np.where(mdp.terminal[:, None], 0.0, plan.policy),
            directions=drawing.directions,
            walls=np.argwhere(drawing.blocked)[:, ::-1],
            wins=drawing.marks["+1"],
            digits=3,
            label="value",
        )
        ax.set_title(f"{step_reward:g} per step".replace("-", "−"), fontsize=9)
    return figure


def _draw_learning(world: World, plan: Plan, learned: Sequence[Learned]) -> Any:
    """The value of the start, and the largest error of any state, as the agent learns."""
    start = world.drawing.marks["start"][0]
    # Few late checkpoints, as the axis is logarithmic.
    count = len(learned[0].steps)
    shown = np.unique(np.geomspace(1, count, 50).astype(int)) - 1
    curves = np.stack([run.curve for run in learned])[:, shown]
    steps = learned[0].steps[shown]
    figure, (left, right) = plot.canvas(7.0, 2.6, columns=2)
    plot.learning_curve(
        steps,
        curves[:, :, start],
        ax=left,
        target=float(plan.values[start]),
        target_name="exact value",
        steps_name="decisions",
        unit="learned value of the start",
    )
    plot.learning_curve(
        steps,
        np.abs(curves - plan.values).max(2),
        ax=right,
        steps_name="decisions",
        unit="largest error of a value",
    )
    right.set_yscale("log")
    for ax in (left, right):
        ax.set_xscale("log")
    return figure


def _value_rows(worlds: Sequence[World], plans: Sequence[Plan]) -> list[dict[str, Any]]:
    """One row per reward and state."""
    rows = []
    for world, plan, step_reward in zip(worlds, plans, STEP_REWARDS, strict=True):
        names = np.array(world.mdp.action_names)
        for state, (x, y) in enumerate(np.asarray(world.mdp.coordinates, dtype=int)):
            exits = bool(world.mdp.terminal[state])
            best = "exit" if exits else " ".join(names[plan.policy[state] > 0])
            rows.append(
                {
                    "step_reward": step_reward,
                    "state": state,
                    "x": x,
                    "y_from_top": y,
                    "value": f"{plan.values[state]:.6f}",
                    "best_actions": best,
                }
            )
    return rows


def _learning_rows(world: World, plan: Plan, learned: Sequence[Learned]) -> list[dict[str, Any]]:
    """One row per run and checkpoint."""
    start = world.drawing.marks["start"][0]
    return [
        {
            "run": number,
            "decisions": int(step),
            "value_of_start": f"{values[start]:.6f}",
            "largest_error": f"{np.abs(values - plan.values).max():.6f}",
        }
        for number, run in enumerate(learned)
        for step, values in zip(run.steps, run.curve, strict=True)
    ]
