"""Maze features: by hand on a small maze, and the same in mirrored mazes."""

import numpy as np
import pytest

from inverseq import InputError
from inverseq.worlds import MAZE_FEATURES, four_by_three, gridworld, labyrinth, maze, maze_features

UP, RIGHT, DOWN, LEFT = range(4)

LAYOUT = (
    "...G",
    ".#..",
    "S...",
)


def value(mdp, name, cell, before, action):
    """A feature of one move from `cell` (x, y) after the action `before`."""
    at = np.flatnonzero((mdp.coordinates == cell).all(1) & (mdp.history.previous[:, 0] == before))
    assert at.size == 1
    return mdp.features[at[0], action, mdp.feature_names.index(name)]


def test_turns_reversals_and_blocked_moves_by_hand():
    mdp = maze_features(maze(LAYOUT))
    for name, cell, before, action, wanted in (
        ("step", (0, 2), -1, UP, 1),
        ("turn", (1, 2), RIGHT, UP, 1),
        ("turn", (1, 2), RIGHT, RIGHT, 0),
        ("turn", (0, 2), -1, UP, 0),
        ("reversal", (1, 2), RIGHT, LEFT, 1),
        ("reversal", (1, 2), RIGHT, DOWN, 0),
        ("blocked", (1, 2), RIGHT, UP, 1),  # the obstacle
        ("blocked", (1, 2), RIGHT, DOWN, 1),  # the border
        ("blocked", (1, 2), RIGHT, RIGHT, 0),
        ("blocked turn", (1, 2), RIGHT, UP, 1),
        ("blocked at first", (0, 2), -1, LEFT, 1),
        ("blocked reversal", (1, 2), UP, DOWN, 1),  # between obstacle and border
        # Going right along the bottom, the obstacle had been in the way of going up before.
        ("turn at corner", (2, 2), RIGHT, UP, 1),
        ("turn unforced", (2, 2), RIGHT, UP, 0),
        ("turn unforced", (2, 1), UP, RIGHT, 1),
        ("turn unforced", (3, 2), RIGHT, UP, 0),  # the border is ahead
        ("turn at corner", (3, 2), RIGHT, UP, 0),
        ("obstacle beside", (0, 2), -1, RIGHT, 0.25),
        ("obstacle diagonal", (1, 2), RIGHT, LEFT, 0.25),
        ("border beside", (0, 2), -1, UP, 0.25),
        ("border beside", (2, 2), RIGHT, RIGHT, 0.5),
        ("border beside", (2, 2), RIGHT, DOWN, 0),  # blocked moves go nowhere
        ("first horizontal", (0, 2), -1, RIGHT, 1),
        ("first horizontal", (0, 2), -1, UP, 0),
        ("first horizontal", (1, 2), RIGHT, RIGHT, 0),
        ("along wall", (0, 2), -1, RIGHT, 1),  # obstacle above, border below
        ("along wall", (2, 1), UP, UP, 0),
        ("along wall", (2, 2), RIGHT, UP, 1),  # the obstacle is to the left of (2, 1)
        ("along wall", (1, 2), RIGHT, UP, 0),  # blocked moves go nowhere
        ("goal in view", (0, 0), UP, RIGHT, 1),
        ("goal in view", (3, 2), RIGHT, UP, 1),
        ("goal in view", (2, 2), RIGHT, RIGHT, 0),
        ("goal in view", (1, 0), RIGHT, DOWN, 0),
    ):
        assert value(mdp, name, cell, before, action) == wanted, (name, cell, before, action)
    assert not mdp.features[mdp.terminal].any()
    assert mdp.reward is None


def test_blocked_moves_are_those_that_stay():
    world = maze(LAYOUT)
    mdp = maze_features(world, ["blocked"])
    base = mdp.history.base
    stays = world.mdp.successors[base, :, 0] == base[:, None]
    np.testing.assert_array_equal(mdp.features[..., 0] == 1, stays & ~mdp.terminal[:, None])


def test_a_mirrored_maze_has_the_mirrored_features():
    names = [n for group in MAZE_FEATURES.values() for n in group]
    mirrored = maze_features(maze([row[::-1] for row in LAYOUT]))
    mdp = maze_features(maze(LAYOUT))
    flip = {UP: UP, RIGHT: LEFT, DOWN: DOWN, LEFT: RIGHT, -1: -1}
    for s in range(mdp.num_states):
        (x, y), before = mdp.coordinates[s], int(mdp.history.previous[s, 0])
        for action in range(4):
            for i, name in enumerate(names):
                found = value(mirrored, name, (3 - x, y), flip[before], flip[action])
                assert found == mdp.features[s, action, i], name


def test_features_are_chosen_by_name_in_order():
    world = gridworld(3, 3, wins=[(2, 2)])
    mdp = maze_features(world, ["turn", "step"])
    assert mdp.feature_names == ("turn", "step")
    np.testing.assert_array_equal(mdp.features[..., 1], 1.0 * ~mdp.terminal[:, None] * np.ones(4))


def test_what_is_no_maze_or_no_feature_is_refused():
    with pytest.raises(InputError, match="no maze feature 'smell'"):
        maze_features(four_by_three(), ["smell"])
    with pytest.raises(InputError, match="without stay"):
        maze_features(gridworld(3, 3, stay=True))
    with pytest.raises(InputError, match="labyrinth"):
        maze_features(labyrinth())
