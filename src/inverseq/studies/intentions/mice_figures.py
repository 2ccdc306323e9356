"""Figures of the part "mice": scores by k, rewards on the maze, and one session."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.predict import posterior
from inverseq.intentions.solution import IntentionSolution
from inverseq.studies.intentions.mice_fits import Scored
from inverseq.studies.intentions.mice_models import Cell
from inverseq.studies.intentions.mice_readable import Reading
from inverseq.studies.shapes import score_figure
from inverseq.worlds.record import World

_SHOWN = 250
"""Decisions of a session that are drawn."""


def draw_scores(found: Sequence[Scored]) -> Figure:
    """Yardsticks hollow and grey, models with intentions filled and blue.

    Tables of one node are far below everything, and left out.
    """
    found = [one for one in found if "1 node," not in one.name and not one.name.endswith("1 node")]
    return score_figure(
        (7.0, 0.9 + 0.2 * len(found)),
        {one.name: (one.score.mean, one.score.standard_error) for one in found},
        [one.kind in ("table", "tied table", "habit") for one in found],
        unit="nats per test decision (right is better)",
    )


def draw_grid(cells: Sequence[Cell], found: Sequence[Scored]) -> Figure:
    """Scores by k, one panel per history, one curve per law of switching."""
    score = {(c.law, c.history, c.k): one.score for c, one in zip(cells, found, strict=True)}
    histories = sorted({cell.history for cell in cells})
    laws = list(dict.fromkeys(cell.law for cell in cells))
    ks = sorted({cell.k for cell in cells})
    figure, axes = plot.canvas(7.0, 2.9, columns=len(histories))
    for ax, history in zip(axes, histories, strict=True):
        # One intention needs no law: all curves begin at the same point.
        line = [[(laws[0] if k == 1 else law, history, k) for k in ks] for law in laws]
        means = np.array([[score[key].mean if key in score else np.nan for key in r] for r in line])
        errors = np.zeros_like(means)
        plot.curves(np.array(ks), means, errors, laws, ax=ax, x_name="intentions", unit="")
        ax.set_title(f"history {history}")
    axes[0].set_ylabel("nats per decision, test")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(laws))
    return figure


def draw_rewards(reading: Reading, world: World) -> Figure:
    """What arriving at each node is worth to each intention, beside what all want."""
    assert world.mdp.coordinates is not None
    assert world.drawing.parents is not None
    count = len(reading.names)
    figure, axes = plot.canvas(3.4 * count, 3.2, columns=count)
    for k, (ax, name) in enumerate(zip(axes, reading.names, strict=True)):
        plot.labyrinth_map(
            world.mdp.coordinates,
            world.drawing.parents,
            reading.places[:, k],
            ax=ax,
            home=0,
            water=world.drawing.marks["water"][0],
            scale="signed",
            label="worth of arriving (nats)",
        )
        ax.set_title(f"{name} ({reading.rows[k]['share']:.0%} of decisions)")
    return figure


def draw_session(
    solution: IntentionSolution, session: Demonstrations, names: Sequence[str], world: World
) -> Figure:
    """The path of one session in the colours of its intentions, and what is believed over time."""
    assert world.mdp.coordinates is not None
    assert world.drawing.parents is not None
    water = world.drawing.marks["water"][0]
    shown = slice(0, min(_SHOWN, session.num_decisions))
    beliefs = posterior(solution, session)
    states = session.states[shown]
    figure, (floor, bands) = plot.canvas(7.0, 7.2, rows=2)
    plot.labyrinth_floor(
        world.mdp.coordinates, world.drawing.parents, ax=floor, home=0, water=water
    )
    places = np.asarray(world.mdp.coordinates)[states]
    # Beliefs of the moment: the most likely path as a whole hides short changes.
    likely = beliefs.smoothed[shown].argmax(axis=1)
    plot.intention_path(places, likely, ax=floor, count=len(names))
    ends = states >= world.mdp.num_states // 2
    plot.intention_bands(
        beliefs.smoothed[shown],
        ax=bands,
        names=names,
        events={
            "water": np.flatnonzero(states == water),
            "home": np.flatnonzero(states == 0),
            "ends": np.flatnonzero(ends),
        },
    )
    bands.set_box_aspect(0.25)
    return figure
