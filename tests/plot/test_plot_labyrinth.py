import numpy as np
from matplotlib.collections import PatchCollection, PolyCollection

from inverseq.plot import canvas, labyrinth_map, to_png
from inverseq.plot.labyrinth import _CORRIDOR
from inverseq.plot.style import colours

# Home in the middle, an arm up and an arm down, two rooms at the upper arm.
PLACES = np.array([[2, 2], [2, 0], [2, 4], [0, 0], [4, 0]])
PARENTS = np.array([-1, 0, 0, 1, 1])


def floors(ax, number):
    return [p.get_extents() for p in ax.collections[number].get_paths()]


def test_corridors_cover_the_way_from_parent_to_child_and_touch_it():
    _, (ax,) = canvas()
    labyrinth_map(PLACES, PARENTS, np.arange(5.0), ax=ax)
    half = _CORRIDOR / 2
    boxes = floors(ax, 1)
    # Node 1 stands at (2, 0), its parent's floor ends at y = 2 - half.
    np.testing.assert_allclose(boxes[1].bounds, [2 - half, -half, _CORRIDOR, 2.0])
    np.testing.assert_allclose(boxes[2].bounds, [2 - half, 2 + half, _CORRIDOR, 2.0])
    np.testing.assert_allclose(boxes[3].bounds, [-half, -half, 2.0, _CORRIDOR])
    np.testing.assert_allclose(boxes[4].bounds, [2 + half, -half, 2.0, _CORRIDOR])
    np.testing.assert_allclose(boxes[0].bounds, [2 - half, 2 - half, _CORRIDOR, _CORRIDOR])


def test_nodes_have_the_colour_of_their_value_and_unvisited_ones_are_hatched():
    _, (ax,) = canvas()
    values = np.array([0.0, 1.0, -1.0, 2.0, 50.0])
    visits = np.array([3, 3, 3, 3, 0])
    labyrinth_map(PLACES, PARENTS, values, ax=ax, visits=visits, scale="signed", label="reward")
    painted, empty = [c for c in ax.collections if isinstance(c, PatchCollection)][1:]
    expected = colours(values[:4], "signed").to_rgba(values[:4])
    np.testing.assert_allclose(painted.get_facecolors(), expected)
    assert len(empty.get_paths()) == 1
    assert empty.get_hatch() == "////"


def test_moves_point_to_where_they_go_and_are_as_wide_as_probable():
    figure, (ax,) = canvas()
    moves, chance = np.array([[0, 1], [0, 2], [0, 0]]), np.array([0.75, 0.25, 0.5])
    labyrinth_map(
        PLACES, PARENTS, np.zeros(5), ax=ax, moves=moves, probabilities=chance, home=0, water=4
    )
    (wedges,) = [c for c in ax.collections if type(c) is PolyCollection]
    corners = np.array([path.vertices[:3] for path in wedges.get_paths()])
    widths = np.linalg.norm(corners[:, 0] - corners[:, 2], axis=1)
    assert len(corners) == 2  # staying is no arrow
    np.testing.assert_allclose(widths[0] / widths[1], 3.0)
    assert corners[0, 1, 1] < 2 < corners[1, 1, 1]  # tips up (towards y = 0) and down
    assert [t.get_text() for t in ax.texts] == ["home", "water"]
    assert to_png(figure)
