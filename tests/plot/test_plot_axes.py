"""Every figure is drawn where it is told to, or on axes of its own, and says where."""

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pytest

from inverseq import plot

SQUARES = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
PARENTS = np.array([-1, 0, 1])
VALUES = np.array([0.1, 0.2, 0.7])
SHARES = np.array([[0.25, 0.75], [0.5, 0.5]])
NAMES = ["a", "b", "c"]

CALLS = {
    "animals": (NAMES, {"ko": np.stack([VALUES, VALUES]), "wt": VALUES[None]}),
    "act_times": ({"a": VALUES}, 0.1),
    "by_fold": (["a", "b"], SHARES),
    "choice_points": (NAMES, VALUES),
    "component_map": (SHARES, (np.arange(3.0), np.arange(3.0)), ("x", "y")),
    "curves": (np.array([1, 2]), SHARES, SHARES, ["a", "b"]),
    "dwell_histogram": (np.array([1, 2, 2, 5]), 2.5),
    "embedding": (SQUARES, VALUES),
    "grid_map": (SQUARES, VALUES),
    "intention_bands": (SHARES,),
    "intention_path": (SQUARES, np.array([0, 1, 1])),
    "intervals": (NAMES, VALUES - 1, VALUES, VALUES + 1),
    "labyrinth_floor": (SQUARES, PARENTS),
    "labyrinth_map": (SQUARES, PARENTS, VALUES),
    "learning_curve": (np.array([1, 2]), SHARES),
    "network_map": (SQUARES, np.stack([SQUARES[:-1], SQUARES[1:]], axis=1)),
    "occupancy": (SQUARES, np.array([1, 10, 0])),
    "occupancy_bars": (SHARES[:1],),
    "predictive_checks": (["a", "b"], np.array([0.2, 0.4]), SHARES),
    "raster": ([VALUES, VALUES + 1],),
    "relation_map": (SHARES, SHARES > 0.5, ["a", "b"], ["one", "two"]),
    "reliability": (VALUES, VALUES, VALUES - 0.05, VALUES + 0.05),
    "reward_scatter": (VALUES, VALUES + 1),
    "scores": (NAMES, VALUES, VALUES),
    "state_action_map": (SHARES, ["a", "b"], ["left", "right"]),
    "told_over_time": (np.array([0.1, 0.2]), SHARES, ["a", "b"]),
    "transition_matrix": (SHARES,),
    "walk": (np.arange(len(SHARES)), SHARES, 0.1 * SHARES),
}
NEEDED = {"intention_path": {"count": 2}}


def test_every_figure_is_here():
    drawing = {
        name for name in plot.__all__ if "ax" in inspect.signature(getattr(plot, name)).parameters
    }
    assert drawing == {*CALLS} == {*plot.__all__} - {"canvas", "to_pdf", "to_png", "to_svg"}


@pytest.mark.parametrize("name", CALLS)
def test_a_figure_is_drawn_on_the_axes_given_or_on_its_own(name):
    draw, how = getattr(plot, name), NEEDED.get(name, {})
    figure, (first, second) = plot.canvas(columns=2)
    assert draw(*CALLS[name], ax=second, **how) is second
    assert second.has_data()
    assert not first.has_data()
    assert not plt.get_fignums()
    own = draw(*CALLS[name], **how)
    try:
        # Known to pyplot, so that a notebook shows it without being asked.
        assert plt.gcf() is own.figure is not figure
        assert own.has_data()
        assert plot.to_png(own.figure)[:4] == b"\x89PNG"
    finally:
        plt.close("all")
