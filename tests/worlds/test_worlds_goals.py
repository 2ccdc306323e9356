"""Boards on which each trajectory goes to a place of its own."""

import numpy as np
import pytest

import inverseq as iq
from inverseq import InputError, worlds

ONE = worlds.maze(["S.A", ".#.", "B.G"], name="one")
TWO = worlds.maze(["S..G"], name="two")
BOARDS = {"one": ONE, "two": TWO}


def trips(goals, names=("one", "one", "two")):
    return iq.Demonstrations.from_arrays(
        [0, 0, 0],
        [1, 2, 1],
        trajectory=[1, 2, 3],
        trajectories={"world": list(names), "goal": list(goals)},
        rows=[1, 2, 3],
    )


def test_each_goal_is_a_world_of_its_board():
    walks, made = worlds.boards_towards(trips(["A", "5", "3"]), BOARDS, "goal")
    assert walks.trajectories["world"].tolist() == ["one, A", "one, 5", "two"]
    assert [*made] == ["one, A", "one, 5", "two"]
    assert [np.flatnonzero(made[n].mdp.terminal).tolist() for n in made] == [[2], [5], [3]]
    assert made["one, A"].drawing.marks["goal"] == (2,)
    assert made["one, A"].mdp.reward is None
    alone, there = worlds.boards_towards(trips(["A", "A", "A"]), ONE, "goal")
    assert ([*there], {*alone.trajectories["world"]}) == (["one"], {"one"})


def test_a_goal_at_the_start_leaves_a_beginning():
    _, made = worlds.boards_towards(trips([0, 0, 3]), BOARDS, "goal")
    assert made["one"].mdp.initial[0] == 0
    assert made["one"].mdp.initial.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    ("goals", "names", "words"),
    [
        (["A", "X", "3"], ("one", "one", "two"), "row 2: goal=.goal. names 'X', which is no place"),
        (["A", "9", "3"], ("one", "one", "two"), "give the number of a state, 0 to 7"),
        (["A", "A", "3"], ("one", "one", "six"), "row 3: there is no board 'six'"),
    ],
)
def test_a_goal_that_is_no_place_is_named_by_its_row(goals, names, words):
    with pytest.raises(InputError, match=words):
        worlds.boards_towards(trips(goals, names), BOARDS, "goal")
    with pytest.raises(InputError, match="there is no such column"):
        worlds.boards_towards(trips(goals), BOARDS, "where")
