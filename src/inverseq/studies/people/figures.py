"""Figures of the study of people in mazes: scores with their yardsticks, walks and forecasts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.analysis.places import expected_moves
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.replan import replan
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.studies.shapes import score_figure
from inverseq.worlds import World

_LEAST_SHOWN = 0.02
"""Cells visited less often than this per round stay unpainted."""


def draw_scores(rows: Sequence[Mapping[str, Any]], chosen: str) -> Figure:
    """Held-out scores: walkers without foresight hollow and grey, planners filled and blue."""
    return score_figure(
        (7.0, 0.9 + 0.23 * len(rows)),
        {row["name"]: (row["nats_per_decision"], row["error_over_people"]) for row in rows},
        [row["kind"] in ("yardstick", "table") for row in rows],
        chosen,
        unit="nats per held-out decision (right is better)",
    )


def draw_maps(
    demonstrations: Demonstrations,
    worlds: Mapping[str, World],
    solution: Solution,
    mdps: Mapping[str, MDP],
) -> Figure:
    """Decisions per round in each cell, and what was chosen there: people above, forecast below.

    Args:
        demonstrations: People in these mazes.
        worlds: The mazes, for drawing.
        solution: A reward fitted in other mazes.
        mdps: The mazes with history and features.
    """
    figure, _ = plot.canvas(2.35 * len(worlds), 4.9, columns=0)
    for column, (name, world) in enumerate(worlds.items()):
        walks = demonstrations.select(world=name)
        seen = np.zeros((world.mdp.num_states, world.mdp.num_actions))
        np.add.at(seen, (walks.states, walks.actions), 1.0 / walks.num_trajectories)
        forecast = forecast_moves(solution, mdps[name], walks)
        for row, (title, moves) in enumerate((("people", seen), ("forecast", forecast))):
            ax = figure.add_subplot(2, len(worlds), row * len(worlds) + column + 1)
            visits = moves.sum(1)
            plot.grid_map(
                np.asarray(world.mdp.coordinates),
                np.clip(visits, _LEAST_SHOWN, 1.0),
                ax=ax,
                policy=moves / np.where(visits > 0, visits, 1.0)[:, None],
                directions=np.asarray(world.drawing.directions),
                walls=np.argwhere(world.drawing.blocked)[:, ::-1],
                wins=world.drawing.marks["goal"],
                visits=visits * (visits >= _LEAST_SHOWN),
                label="decisions per round, up to 1" if column == len(worlds) - 1 else "",
            )
            ax.set_title(f"{name}: {title}", fontsize=8)
    return figure


def forecast_moves(solution: Solution, mdp: MDP, walks: Demonstrations) -> Float[np.ndarray, "S A"]:
    """Expected number of each move in each cell on one way to the goal, from where people began."""
    planned = replan(solution, mdp)
    begin = np.bincount(walks.states[walks.starts[:-1]], minlength=mdp.num_states)
    policy = planned.policy.per_state(planned.mdp)
    return expected_moves(replace(mdp, initial=begin / begin.sum()), policy)
