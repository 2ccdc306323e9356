import numpy as np
import pytest

from inverseq.plot import canvas, curves, intervals, learning_curve, reward_scatter, scores, to_png


def test_scores_are_sorted_with_the_best_on_top_and_chance_is_a_line():
    figure, (ax,) = canvas()
    scores(
        ["two-step", "uniform", "IAVI"],
        np.array([-0.68, -0.92, -0.87]),
        np.array([0.01, 0.0, 0.01]),
        ax=ax,
        yardsticks=np.array([True, True, False]),
        chance=-0.92,
        chosen=2,
    )
    assert [t.get_text() for t in ax.get_yticklabels()] == ["uniform", "IAVI", "two-step"]
    places = {float(c[0].get_xdata()[0]): float(c[0].get_ydata()[0]) for c in ax.containers}
    assert places == {-0.92: 0.0, -0.87: 1.0, -0.68: 2.0}
    faces = [c[0].get_markerfacecolor() for c in ax.containers]
    assert [f == "white" for f in faces] == [True, False, True]
    rings = [line for line in ax.lines if line.get_markersize() == 11]
    np.testing.assert_allclose(rings[0].get_data(), [[-0.87], [1]])
    assert to_png(figure)


def test_intervals_are_filled_only_where_they_leave_out_zero():
    figure, (ax,) = canvas()
    low, middle, high = np.array([[0.1, 0.4, 0.8], [-0.2, 0.1, 0.3], [-3.0, -2.0, -1.0]]).T
    intervals(["a", "b", "c"], low, middle, high, ax=ax)
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [d.get_xdata()[0] for d in dots] == [0.4, 0.1, -2.0]
    assert [d.get_ydata()[0] for d in dots] == [2, 1, 0]
    assert [d.get_markerfacecolor() == "white" for d in dots] == [False, True, False]
    assert to_png(figure)


def test_a_learning_curve_shows_runs_their_mean_and_the_target():
    figure, (ax,) = canvas()
    curves = np.array([[0.0, 1.0], [2.0, 3.0]])
    learning_curve(np.array([0, 10]), curves, ax=ax, target=2.5, unit="value")
    np.testing.assert_allclose(ax.lines[2].get_ydata(), [1.0, 2.0])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["mean of the runs", "exact"]
    assert to_png(figure)


def test_a_scatter_of_rewards_has_equal_axes():
    figure, (ax,) = canvas()
    reward_scatter(np.array([0.0, 1.0]), np.array([0.5, -1.0]), ax=ax, names=("IAVI", "MaxEnt"))
    assert ax.get_xlim() == ax.get_ylim() == (-1.1, 1.1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("IAVI", "MaxEnt")
    assert to_png(figure)


def test_curves_have_bars_and_what_was_published_is_hollow():
    figure, axes = canvas(columns=2, rows=2)
    assert [ax.get_subplotspec().rowspan.start for ax in axes] == [0, 0, 1, 1]
    means, errors = np.array([[1.0, 0.5], [2.0, np.nan]]), np.full((2, 2), 0.1)
    known = {"IQL": {4: 1.5}}
    curves(np.array([4, 32]), means, errors, ["IAVI", "IQL"], ax=axes[0], published=known)
    _, labels = axes[0].get_legend_handles_labels()
    assert set(labels) == {"IAVI", "IQL", "IQL (published)"}
    (hollow,) = [line for line in axes[0].lines if line.get_markerfacecolor() == "white"]
    np.testing.assert_allclose(hollow.get_data(), [[4], [1.5]])
    solid = axes[0].containers[1][0]
    assert hollow.get_color() == solid.get_color()
    assert hollow.get_marker() == solid.get_marker()
    assert [t.get_text() for t in axes[0].get_xticklabels()] == ["4", "32"]
    curves(np.array([4, 32]), means, errors, ["a", "b"], ax=axes[1], logarithmic=True)
    assert axes[1].get_yscale() == "log"
    assert to_png(figure)


def test_in_a_narrow_figure_long_names_leave_the_width_to_what_they_name():
    long = ["MaxEnt on state-actions, memory of 2 states", "one-step table, plus 0.5"]
    widths = []
    for names in (long, ["a", "b"]):
        figure, (ax,) = canvas(3.3, 1.5)
        scores(names, np.array([-0.4, -0.5]), np.array([0.1, 0.1]), ax=ax)
        figure.draw_without_rendering()
        shown = {t.get_text() for t in (*ax.texts, *ax.get_yticklabels())}
        assert set(names) <= shown
        widths.append(ax.get_window_extent().width / figure.bbox.width)
    assert min(widths) > 0.85


@pytest.mark.parametrize("rows", [3, 9])
def test_in_a_narrow_figure_names_and_marks_keep_apart(rows):
    names = [f"node {i}: water's side and back − other side" for i in range(rows)]
    figure, (ax,) = canvas(3.3, 0.9 + 0.28 * rows)  # as the report draws them
    ends = np.full(rows, 0.5)
    intervals(names, ends - 0.5, ends, ends + 0.5, ax=ax)
    figure.draw_without_rendering()
    point = figure.dpi / 72
    marks = [ax.transData.transform((0.5, place))[1] for place in range(rows)]
    texts = [text.get_window_extent() for text in ax.texts]
    for mark, text in zip(marks, texts, strict=True):
        assert text.y0 > mark + 3.4 * point  # half a dot and its rim
    for mark, text in zip(marks[1:], texts, strict=False):
        assert text.y1 < mark - 3.4 * point
