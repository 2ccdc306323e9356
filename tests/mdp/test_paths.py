"""Ways to the goal of a maze, by hand."""

from dataclasses import replace

import numpy as np
import pytest

import inverseq as iq
from inverseq.mdp import unite
from inverseq.mdp.paths import nearer_by, path_lengths
from inverseq.worlds import maze, maze_features

RING = maze(("..G", ".#.", "S..")).mdp


def test_ways_to_the_goal_by_hand():
    start = 5  # row by row: 0 1 2, 3 4, 5 6 7
    for way in ("path", "line"):
        np.testing.assert_array_equal(nearer_by(RING, way)[start], [1, 1, 0, 0])
    np.testing.assert_array_equal(nearer_by(RING, "path")[0], [0, 1, -1, 0])
    np.testing.assert_array_equal(nearer_by(RING, "path")[2], np.zeros(4))  # the goal


def test_a_wall_makes_the_way_longer_than_the_line():
    mdp = maze(("S#G", "...")).mdp
    assert path_lengths(mdp).tolist() == [4, 0, 3, 2, 1]
    assert nearer_by(mdp, "path")[0].tolist() == [0, 0, 1, 0]
    assert nearer_by(mdp, "line")[0].tolist() == [0, 0, -1, 0]


def test_each_world_of_a_union_has_ends_of_its_own():
    worlds = {"a": maze(("S..G",)), "b": maze(("G..S",))}
    plain = {name: world.mdp for name, world in worlds.items()}
    steps = {name: maze_features(world, ["step"]) for name, world in worlds.items()}
    for members in (plain, steps):
        for way in ("path", "line"):
            each = [nearer_by(mdp, way) for mdp in members.values()]
            np.testing.assert_array_equal(nearer_by(unite(members), way), np.concatenate(each))


def test_a_move_that_does_not_exist_leads_nowhere():
    allowed = np.ones((8, 4), dtype=bool)
    allowed[5, 1] = False
    assert nearer_by(replace(RING, allowed=allowed), "path")[5].tolist() == [1, 0, 0, 0]


def test_ends_certain_moves_and_places_are_needed():
    with pytest.raises(iq.InputError, match="this world has none"):
        nearer_by(replace(RING, terminal=np.zeros(8, dtype=bool)), "path")
    with pytest.raises(iq.InputError, match="of certain moves"):
        nearer_by(maze(("S.G",), slip=0.2).mdp, "path")
    with pytest.raises(iq.InputError, match="lie nowhere"):
        nearer_by(replace(RING, coordinates=None), "line")
