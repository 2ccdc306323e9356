import numpy as np

from inverseq.plot import canvas, intervals, learning_curve, reward_scatter, scores, to_png


def test_scores_are_sorted_with_the_best_on_top_and_chance_is_a_line():
    figure, (ax,) = canvas()
    scores(
        ax,
        ["two-step", "uniform", "IAVI"],
        np.array([-0.68, -0.92, -0.87]),
        np.array([0.01, 0.0, 0.01]),
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
    intervals(ax, ["a", "b", "c"], low, middle, high)
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [d.get_xdata()[0] for d in dots] == [0.4, 0.1, -2.0]
    assert [d.get_ydata()[0] for d in dots] == [2, 1, 0]
    assert [d.get_markerfacecolor() == "white" for d in dots] == [False, True, False]
    assert to_png(figure)


def test_a_learning_curve_shows_runs_their_mean_and_the_target():
    figure, (ax,) = canvas()
    curves = np.array([[0.0, 1.0], [2.0, 3.0]])
    learning_curve(ax, np.array([0, 10]), curves, target=2.5, unit="value")
    np.testing.assert_allclose(ax.lines[2].get_ydata(), [1.0, 2.0])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["mean of the runs", "exact"]
    assert to_png(figure)


def test_a_scatter_of_rewards_has_equal_axes():
    figure, (ax,) = canvas()
    reward_scatter(ax, np.array([0.0, 1.0]), np.array([0.5, -1.0]), names=("IAVI", "MaxEnt"))
    assert ax.get_xlim() == ax.get_ylim() == (-1.1, 1.1)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("IAVI", "MaxEnt")
    assert to_png(figure)
