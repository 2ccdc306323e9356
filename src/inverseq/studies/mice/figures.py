"""Figures of the study of mice: scores with their yardsticks, habits, and the reward of places."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.studies.mice.models import Fitted
from inverseq.studies.shapes import score_figure
from inverseq.worlds import World


def draw_scores(fitted: Sequence[Fitted], chosen: str) -> Figure:
    """Scores on test trajectories: tables hollow and grey, rewards filled and blue."""
    shown = [f for f in fitted if f.model.kind != "ablation"]
    return score_figure(
        (7.0, 0.9 + 0.2 * len(shown)),
        {f.model.name: (f.score.mean, f.score.standard_error) for f in shown},
        [f.model.kind in ("table", "tied table") for f in shown],
        chosen,
        unit="nats per test decision (right is better)",
    )


def draw_habits(weights: Mapping[str, Float[np.ndarray, " 3"]]) -> Figure:
    """The weights of the readable features, with intervals."""
    low, weight, high = np.array([*weights.values()]).T
    figure, (ax,) = plot.canvas(4.6, 0.7 + 0.21 * len(weights))
    plot.intervals([*weights], low, weight, high, ax=ax, unit="worth of one such move (nats)")
    return figure


def draw_places(places: Float[np.ndarray, " nodes"], world: World) -> Figure:
    """What arriving at each node is worth beyond what the tied features say."""
    assert world.mdp.coordinates is not None
    assert world.drawing.parents is not None
    figure, (ax,) = plot.canvas(5.6, 4.6)
    plot.labyrinth_map(
        world.mdp.coordinates,
        world.drawing.parents,
        places,
        ax=ax,
        home=0,
        water=world.drawing.marks["water"][0],
        scale="signed",
        label="reward for arriving, beside habits (nats)",
    )
    return figure
