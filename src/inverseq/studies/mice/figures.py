"""Figures of the study of mice: scores with their yardsticks, habits, and the reward of places."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.studies.mice.record import Mice, Row
from inverseq.worlds import World


def draw_scores(rows: Sequence[Row], chosen: str) -> Figure:
    """Scores on test trajectories: tables hollow and grey, rewards filled and blue."""
    shown = [row for row in rows if row.kind != "ablation"]
    names = [row.name for row in shown]
    figure, (ax,) = plot.canvas(7.0, 0.9 + 0.2 * len(shown))
    plot.scores(
        names,
        np.array([row.score for row in shown]),
        np.array([row.error for row in shown]),
        ax=ax,
        yardsticks=np.array([row.kind in ("table", "tied table") for row in shown]),
        chosen=names.index(chosen),
        unit="nats per decision, test trajectories (further right is better)",
    )
    return figure


def draw_habits(made: Mice) -> Figure:
    """The weights of the readable features, with intervals."""
    low, weight, high = made.weights
    figure, (ax,) = plot.canvas(4.6, 0.7 + 0.21 * len(made.habits))
    plot.intervals(made.habits, low, weight, high, ax=ax, unit="worth of one such move (nats)")
    return figure


def draw_places(made: Mice, world: World) -> Figure:
    """What arriving at each node is worth beyond what the tied features say."""
    assert world.mdp.coordinates is not None
    assert world.drawing.parents is not None
    figure, (ax,) = plot.canvas(5.6, 4.6)
    plot.labyrinth_map(
        world.mdp.coordinates,
        world.drawing.parents,
        made.places,
        ax=ax,
        home=0,
        water=world.drawing.marks["water"][0],
        scale="signed",
        label="reward for arriving, beside habits (nats)",
    )
    return figure
