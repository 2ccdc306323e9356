"""The 4x3 world of Russell and Norvig, as the Freiburg lecture (2023) teaches it.

Optimal values and policies at -0.04 and at -2 per step, and Q-learning on its way to the first.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import jax
import numpy as np

from inverseq import plot
from inverseq.forward import Learned, Plan, q_learning, value_iteration
from inverseq.studies.lecture import Settings
from inverseq.studies.run import Result
from inverseq.studies.study import Effort
from inverseq.worlds import World, four_by_three

STEP_REWARDS = (-0.04, -2.0)
"""Rewards per step that are compared."""


def run(settings: Settings, effort: Effort) -> Result:
    """Both optimal policies, and Q-learning towards the first.

    Q-learning begins each episode in a random state, so that every state is seen often enough.

    Raises:
        InputError: A number is out of range.
    """
    worlds = [four_by_three(step_reward) for step_reward in STEP_REWARDS]
    plans = [value_iteration(world.mdp) for world in worlds]
    terminal = worlds[0].mdp.terminal
    everywhere = replace(worlds[0].mdp, initial=~terminal / (~terminal).sum())
    learned = []
    for key in jax.random.split(jax.random.key(effort.seed), settings.runs):
        effort.say("lecture", len(learned), settings.runs)
        learned.append(
            q_learning(
                key,
                everywhere,
                steps=settings.steps,
                halving=20.0,
                exploration=0.3,
                checkpoints=200,
            )
        )
    effort.say("lecture", settings.runs, settings.runs)
    differ = ((plans[0].policy > 0) != (plans[1].policy > 0)).any(1)
    error = max(float(np.abs(run.curve[-1] - plans[0].values).max()) for run in learned)
    return Result(
        {
            "values": _value_rows(worlds, plans),
            "q_learning": _learning_rows(worlds[0], plans[0], learned),
        },
        {
            "policies": _draw_policies(worlds, plans),
            "q_learning": _draw_learning(worlds[0], plans[0], learned),
        },
        (
            "The best action differs in the states "
            f"{', '.join(map(str, np.flatnonzero(differ))) or 'none'}. After "
            f"{learned[0].steps[-1]:,} decisions, {len(learned)} runs of Q-learning are within "
            f"{error:.3f} of every value.",
        ),
        long=("q_learning",),
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
                    "x": int(x),
                    "y_from_top": int(y),
                    "value": round(float(plan.values[state]), 6),
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
            "value_of_start": round(float(values[start]), 6),
            "largest_error": round(float(np.abs(values - plan.values).max()), 6),
        }
        for number, run in enumerate(learned)
        for step, values in zip(run.steps, run.curve, strict=True)
    ]
