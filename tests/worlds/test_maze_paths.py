"""Ways to the goal of a maze, by hand."""

import numpy as np

from inverseq.worlds import maze, maze_features
from inverseq.worlds.maze_paths import path_lengths, with_paths


def test_ways_to_the_goal_by_hand():
    mdp = with_paths(maze_features(maze(("..G", ".#.", "S..")), ["step"]))
    assert mdp.feature_names == ("step", "nearer by path", "nearer by line")
    start = 5  # row by row: 0 1 2, 3 4, 5 6 7
    np.testing.assert_array_equal(mdp.features[start, :, 1], [1, 1, 0, 0])
    np.testing.assert_array_equal(mdp.features[start, :, 2], [1, 1, 0, 0])
    np.testing.assert_array_equal(mdp.features[0, :, 1], [0, 1, -1, 0])


def test_a_wall_makes_the_way_longer_than_the_line():
    mdp = maze(("S#G", "...")).mdp
    assert path_lengths(mdp).tolist() == [4, 0, 3, 2, 1]
