import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.quiver import Quiver

from inverseq import InputError
from inverseq.plot import canvas, grid_map, occupancy, state_action_map, to_png
from inverseq.plot.style import UNVISITED, colours

SQUARE = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
DIRECTIONS = np.array([[0, 1], [1, 0], [0, 0]])


def of_kind(ax, kind):
    return [c for c in ax.collections if type(c) is kind]


def test_each_state_gets_the_colour_of_its_value():
    _, (ax,) = canvas()
    values = np.array([0.0, 1.0, 2.0, 3.0])
    grid_map(SQUARE, values, ax=ax)
    squares = of_kind(ax, PolyCollection)[0]
    np.testing.assert_allclose(squares.get_facecolors(), colours(values, "plain").to_rgba(values))
    middles = [path.vertices[:4].mean(0) for path in squares.get_paths()]
    np.testing.assert_allclose(middles, SQUARE)


def test_maps_can_share_a_scale():
    _, (ax,) = canvas()
    values = np.array([0.0, 1.0, 2.0, 3.0])
    grid_map(SQUARE, values, ax=ax, limits=(-3.0, 9.0))
    wanted = colours(np.array([-3.0, 9.0]), "plain").to_rgba(values)
    np.testing.assert_allclose(of_kind(ax, PolyCollection)[0].get_facecolors(), wanted)


def test_unvisited_states_are_hatched_and_do_not_stretch_the_colours():
    _, (ax,) = canvas()
    values = np.array([0.0, 1.0, 2.0, 1e9])
    grid_map(SQUARE, values, ax=ax, visits=np.array([1, 1, 1, 0]))
    painted, empty = of_kind(ax, PolyCollection)
    np.testing.assert_allclose(
        painted.get_facecolors(), colours(values[:3], "plain").to_rgba(values[:3])
    )
    assert empty.get_hatch() == "////"
    np.testing.assert_allclose(empty.get_facecolors(), [to_rgba(UNVISITED)])


def test_arrows_are_as_long_as_their_action_is_probable():
    _, (ax,) = canvas()
    policy = np.array([[1.0, 0, 0], [0.5, 0.5, 0], [0.98, 0.02, 0], [0, 0, 1.0]])
    grid_map(SQUARE, np.zeros(4), ax=ax, policy=policy, directions=DIRECTIONS)
    (arrows,) = of_kind(ax, Quiver)
    lengths = np.hypot(arrows.U, arrows.V)
    np.testing.assert_allclose(lengths / lengths[0], [1, 0.5, 0.5, 0.98])  # 0.02 gets none
    dots = [c for c in ax.collections if type(c).__name__ == "PathCollection"]
    np.testing.assert_allclose(dots[0].get_offsets(), [[1, 1]])  # staying


def test_a_policy_needs_directions():
    _, (ax,) = canvas()
    with pytest.raises(InputError, match="directions"):
        grid_map(SQUARE, np.zeros(4), ax=ax, policy=np.full((4, 3), 1 / 3))


def test_values_can_be_written_and_wins_and_walls_drawn():
    figure, (ax,) = canvas()
    grid_map(SQUARE, np.arange(4.0), ax=ax, walls=np.array([[2, 0]]), wins=[3], digits=3, label="v")
    assert [t.get_text() for t in ax.texts] == ["0.000", "1.000", "2.000", "3.000"]
    assert ax.get_xlim()[1] > 2.5  # the wall lies inside
    bottom, top = ax.get_ylim()
    assert bottom > top  # y counts from the top
    assert to_png(figure)


def test_occupancy_paints_what_was_visited():
    _, (ax,) = canvas()
    occupancy(SQUARE, np.array([10, 100, 0, 1000]), ax=ax)
    painted, empty = of_kind(ax, PolyCollection)
    assert len(painted.get_paths()) == 3
    assert len(empty.get_paths()) == 1


def test_a_table_of_states_and_actions_writes_its_numbers_where_they_belong():
    figure, (ax,) = canvas()
    values = np.array([[1.0, -2.0], [np.nan, 0.5], [0.0, 3.0]])
    state_action_map(values, ["a", "b", "c"], ["left", "right"], ax=ax, label="reward")
    shown = {(t.get_text(), *t.get_position()) for t in ax.texts}
    assert shown == {
        ("1.00", 0, 2),
        ("−2.00", 1, 2),
        ("0.50", 1, 1),
        ("0.00", 0, 0),
        ("3.00", 1, 0),
    }
    assert [t.get_text() for t in ax.get_yticklabels()] == ["c", "b", "a"]
    assert to_png(figure)
