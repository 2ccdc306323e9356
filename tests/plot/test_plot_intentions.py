import numpy as np
import pytest

from inverseq import InputError
from inverseq.plot import (
    canvas,
    choice_points,
    dwell_histogram,
    intention_bands,
    intention_path,
    labyrinth_floor,
    occupancy_bars,
    predictive_checks,
    to_png,
    transition_matrix,
)
from inverseq.plot.intentions import HATCHES, HUES
from inverseq.plot.style import VERMILION


def heights(band, x):
    """Lowest and highest y of a band at x."""
    corners = band.get_paths()[0].vertices
    at = corners[np.isclose(corners[:, 0], x)][:, 1]
    return at.min(), at.max()


def test_bands_stack_to_one_in_the_order_of_the_intentions():
    figure, (ax,) = canvas()
    beliefs = np.array([[0.2, 0.5, 0.3], [0.6, 0.1, 0.3], [1.0, 0.0, 0.0]])
    intention_bands(beliefs, ax=ax, events={"water": np.array([1])})
    bands = ax.collections[:3]
    assert heights(bands[0], 0) == pytest.approx((0, 0.2))
    assert heights(bands[1], 0) == pytest.approx((0.2, 0.7))
    assert heights(bands[2], 0) == pytest.approx((0.7, 1))
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["1", "2", "3"]
    ticks = ax.collections[3].get_segments()
    assert len(ticks) == 1
    assert ticks[0][0][0] == 1
    assert ticks[0][0][1] > 1
    assert to_png(figure)


def test_neighbouring_intentions_differ_in_more_than_hue():
    # Lightness (CIE Y) or hatching: grey print keeps all pairs of the first six apart.
    rgb = np.array([[int(h[i : i + 2], 16) / 255 for i in (1, 3, 5)] for h in HUES[:6]])
    light = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    light = light @ np.array([0.2126, 0.7152, 0.0722])
    for i in range(6):
        for j in range(i):
            assert abs(light[i] - light[j]) > 0.1 or HATCHES[i] != HATCHES[j]


def test_a_path_has_each_step_once_and_a_lane_per_intention():
    figure, (ax,) = canvas()
    places = np.array([[0, 0], [1, 0], [1, 1], [1, 2]])
    intention_path(places, np.array([0, 1, 1, 0]), ax=ax, count=2, floor=places)
    first, second = [c.get_segments() for c in ax.collections[1:3]]
    assert (len(first), len(second)) == (1, 2)
    lanes = first[0][0] - places[0], second[0][0] - places[1]
    assert lanes[0][0] < 0 < lanes[1][0]
    assert to_png(figure)


def test_a_path_lies_on_the_floor_of_a_labyrinth():
    figure, (ax,) = canvas()
    places, parents = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0]]), np.array([-1, 0, 1])
    labyrinth_floor(places, parents, ax=ax, home=0)
    intention_path(places, np.array([0, 0, 0]), ax=ax, count=1)
    assert [t.get_text() for t in ax.texts] == ["home"]
    assert len(ax.collections[-1].get_segments()) == 2
    assert to_png(figure)


def test_occupancy_is_written_on_the_bars():
    figure, (ax,) = canvas()
    shares = np.array([[0.7, 0.3], [0.5, 0.5]])
    errors = np.array([[0.1, 0.1], [0, 0]])
    occupancy_bars(shares, ax=ax, parts=("fitted", "held out"), errors=errors)
    assert sorted(p.get_height() for p in ax.patches) == [0.3, 0.5, 0.5, 0.7]
    assert {t.get_text() for t in ax.texts} == {"70%", "30%", "50%"}
    assert to_png(figure)


def test_stays_lie_on_the_geometric_law_where_they_follow_it():
    figure, (ax,) = canvas()
    lengths = np.random.default_rng(0).geometric(0.25, 4000)
    after = 0.75 ** np.arange(1, 60)
    dwell_histogram(lengths, 4.0, ax=ax, expected=after, intention=1)
    law, alike = [line.get_ydata() for line in ax.lines]
    np.testing.assert_allclose(law[:3], 0.25 * 0.75 ** np.arange(3))
    np.testing.assert_allclose(alike, law, atol=1e-12)
    np.testing.assert_allclose([p.get_height() for p in ax.patches], law, atol=0.03)
    assert to_png(figure)


def test_no_stay_at_all_can_be_drawn():
    figure, (ax,) = canvas()
    dwell_histogram(np.zeros(0, dtype=np.int64), 4.0, ax=ax)
    assert all(p.get_height() == 0 for p in ax.patches)
    assert to_png(figure)


def test_a_transition_matrix_writes_numbers_and_intervals():
    figure, (ax,) = canvas()
    chances = np.array([[0.9, 0.1], [np.nan, np.nan]])
    transition_matrix(chances, ax=ax, low=chances - 0.05, high=chances + 0.05)
    assert [t.get_text() for t in ax.texts] == ["0.900\n0.850–0.950", "0.100\n0.050–0.150"]
    assert to_png(figure)


def test_the_chosen_number_is_ringed_and_the_best_filled():
    figure, (ax,) = canvas()
    values = np.array([3.0, np.nan, 1.0, 1.5])
    choice_points(
        list("1234"), values, ax=ax, chosen=3, better="lower", references=[("chance", 3.2)]
    )
    ring = next(line for line in ax.lines if line.get_markersize() == 12)
    np.testing.assert_allclose(ring.get_data(), [[3], [1.5]])
    full = [line for line in ax.lines if line.get_zorder() == 4]
    np.testing.assert_allclose(full[0].get_data(), [[2], [1.0]])
    assert "lower is better" in ax.get_ylabel()
    with pytest.raises(InputError, match="better must be"):
        choice_points(list("1234"), values, ax=ax, better="less")
    assert to_png(figure)


def test_checks_fill_what_lies_outside_and_point_at_what_lies_far_out():
    figure, (ax,) = canvas()
    simulated = np.tile(np.linspace(-1, 1, 41), (3, 1))
    predictive_checks(["in", "out", "far"], np.array([0.0, 1.2, -90.0]), simulated, ax=ax)
    dots = [line for line in ax.lines if line.get_zorder() == 4]
    assert [d.get_marker() for d in dots] == ["o", "o", "<"]
    assert [d.get_markerfacecolor() == VERMILION for d in dots] == [False, True, True]
    assert [d.get_ydata()[0] for d in dots] == [2, 1, 0]
    assert to_png(figure)
