"""Where each decision stands in a world, found by looking for it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align, check_existing
from inverseq.demonstrations import Demonstrations, concatenate
from inverseq.inverse.fit import fit
from inverseq.inverse.values.iavi import IAVI
from inverseq.inverse.values.iql_transitions import next_states
from inverseq.mdp import MDP, unite
from inverseq.readers import read_table


@given(
    strategies.played(gaps=0.2, missing=0.2),
    st.integers(1, 3),
    st.sampled_from(["states", "actions"]),
)
def test_a_decision_stands_where_its_past_is_remembered(drawn, length, of):
    world, _, demos = drawn
    long = world.with_history(length, of=of)
    found = align(demos, long)
    assert (found >= 0).all()
    if length == 1:
        assert found.tolist() == demos.states.tolist()
        return
    history = long.history
    assert (history.base[found] == demos.states).all()
    for row in range(demos.num_decisions):
        symbols = demos.states if of == "states" else demos.actions
        expected, at = [], row
        while len(expected) < length - 1 and demos.continues[at] and symbols[at - 1] >= 0:
            at -= 1
            expected.append(int(symbols[at]))
        expected += [-1] * (length - 1 - len(expected))
        assert history.previous[found[row]].tolist() == expected


@given(strategies.seeds, st.lists(st.integers(2, 5), min_size=1, max_size=3), st.integers(1, 2))
def test_in_a_union_each_trajectory_stands_in_its_own_world(seed, sizes, length):
    rng = np.random.default_rng(seed)
    worlds, parts, alone, offset = {}, [], [], 0
    for number, size in enumerate(sizes):
        mdp = strategies.random_mdp(rng, size, 2)
        demos = strategies.play(rng, mdp, strategies.random_policy(rng, mdp), gaps=0.1)
        long = mdp.with_history(length)
        worlds[f"w{number}"] = long
        names = np.full(demos.num_trajectories, f"w{number}")
        parts.append(replace(demos, trajectories={"world": names}))
        alone.append(align(demos, long) + offset)
        offset += long.num_states
    together = concatenate(parts)
    assert align(together, unite(worlds)).tolist() == np.concatenate(alone).tolist()
    # The order in which trajectories come does not matter.
    order = rng.permutation(together.num_trajectories)
    moved = align(together.take(order), unite(worlds))
    assert sorted(moved.tolist()) == sorted(np.concatenate(alone).tolist())


LINE = MDP.from_dense(  # 0 -> 1 -> 2 -> 2, one way only
    np.array([[[0, 1, 0]], [[0, 0, 1]], [[0, 0, 1]]], float), discount=0.9
)


def test_a_past_that_cannot_happen_names_its_row():
    demos = Demonstrations.from_arrays([0, 1, 2, 0], [0, 0, 0, 0], rows=np.array([7, 8, 9, 10]))
    with pytest.raises(InputError, match=r"row 10: state 0 after \[2\] cannot happen .*doctor"):
        align(demos, LINE.with_history(2))
    assert align(demos, LINE).tolist() == [0, 1, 2, 0]  # without history nobody asks


def test_in_an_estimated_world_an_unseen_past_is_no_past():
    seen = Demonstrations.from_arrays([0, 1, 0, 1, 2], [0] * 5, trajectory=[0, 0, 1, 1, 1])
    world = MDP.estimate(seen, discount=0.9).with_history(2)
    new = Demonstrations.from_arrays([2, 0], [0, 0])
    found = align(new, world)
    assert world.history.base[found].tolist() == [2, 0]
    assert (world.history.previous[found] == -1).all()


def test_estimated_worlds_are_estimated_still_when_united():
    seen = Demonstrations.from_arrays([0, 1, 0, 1, 2], [0] * 5, trajectory=[0, 0, 1, 1, 1])
    one = MDP.estimate(seen, discount=0.9)
    other = MDP.estimate(seen, discount=0.9, smoothing=2.0)
    assert unite({"a": one, "b": other}).notes["smoothing"] == {"a": 0.0, "b": 2.0}
    new = Demonstrations.from_arrays([2, 0], [0, 0], trajectories={"world": np.array(["b"])})
    for world in (
        unite({"a": one, "b": other}).with_history(2),
        unite({"a": one.with_history(2), "b": other.with_history(2)}),
    ):
        found = align(new, world)
        assert world.history.base[found].tolist() == [5, 3]
        assert (world.history.previous[found] == -1).all()
    with pytest.raises(InputError, match="cannot happen"):  # where one world is known for sure
        align(new, unite({"a": LINE, "b": one}).with_history(2))


@pytest.mark.parametrize(
    ("states", "actions", "words"),
    [
        ([0, 3], [0, 0], r"row 2: state 3 is outside the world, which has 3 states .* 0 to 2"),
        ([0, 1], [0, 1], "row 2: action 1 is outside the world, which has 1 actions"),
    ],
)
def test_what_is_outside_the_world_names_its_row(states, actions, words):
    demos = Demonstrations.from_arrays(states, actions)
    for world in (LINE, LINE.with_history(2)):
        with pytest.raises(InputError, match=words):
            align(demos, world)


def test_worlds_must_be_named_and_known():
    union = unite({"a": LINE, "b": LINE})
    with pytest.raises(InputError, match="need the trajectory column 'world'"):
        align(Demonstrations.from_arrays([0], [0]), union)
    lost = Demonstrations.from_arrays([0], [0], trajectories={"world": np.array(["c"])})
    with pytest.raises(InputError, match="no MDP for world 'c'; there are"):
        align(lost, union)
    far = Demonstrations.from_arrays([3], [0], trajectories={"world": np.array(["a"])})
    with pytest.raises(InputError, match="row 1: state 3 is outside its world, which has 3"):
        align(far, union)


def test_names_that_stand_for_other_numbers_are_refused():
    world = MDP.from_dense(np.ones((1, 2, 1)), discount=0.9, action_names=("left", "right"))
    table = Demonstrations.from_arrays([0], [0], action_names=("right", "left"))
    with pytest.raises(InputError, match="actions are named"):
        align(table, world)
    third = Demonstrations.from_arrays([0], [0], action_names=("left", "right", "jump"))
    with pytest.raises(InputError, match=r"are named jump in the table and no more in the world, "):
        align(third, world)
    fewer = Demonstrations.from_arrays([0], [0], action_names=("left",))
    assert align(fewer, world).tolist() == [0]


def test_in_a_union_names_are_those_of_each_world():
    walk = np.eye(3)[:, None]
    here = MDP.from_dense(walk, discount=0.9, state_names=("door", "food", "home"))
    there = MDP.from_dense(walk[:2, :, :2], discount=0.9, state_names=("food", "door"))
    union = unite({"here": here, "there": there})
    assert union.state_names == ("door", "food", "home", "food", "door")

    def table(world, *names):
        column = {"world": np.array([world])}
        return Demonstrations.from_arrays([1], [0], trajectories=column, state_names=names)

    assert align(table("here", "door", "food", "home"), union).tolist() == [1]
    assert align(table("there", "food", "door", "home"), union).tolist() == [4]
    for wrong in (table("there", "door", "food"), table("here", "food", "door", "home")):
        with pytest.raises(InputError, match="states are named"):
            align(wrong, union)


def test_features_have_no_place_in_a_finite_world():
    with pytest.raises(InputError, match="states are features"):
        align(Demonstrations.from_arrays(np.zeros((2, 2)), [0, 0]), LINE)


def test_an_action_that_does_not_exist_names_its_row():
    world = MDP.from_dense(
        np.ones((2, 2, 2)) / 2, discount=0.9, allowed=np.array([[True, True], [True, False]])
    )
    demos = Demonstrations.from_arrays([0, 1, 1, 1], [1, -1, 1, 1])
    with pytest.raises(InputError, match=r"row 3: action 1 does not exist at state 1 \(2 such"):
        check_existing(demos, world, align(demos, world))


def test_a_table_that_leaves_states_out_stands_where_the_world_numbers_them():
    world = MDP.from_dense(np.full((6, 2, 6), 1 / 6), discount=0.9)
    columns = {"state": [4, 1, 4, 3], "action": [0, 1, 0, 1]}
    read, told = read_table(columns), read_table(columns, state_names=range(6))
    assert (read.num_states, told.num_states) == (3, 6)
    assert align(read, world).tolist() == align(told, world).tolist() == columns["state"]
    assert next_states(read, world, align(read, world)).tolist() == [1, 4, 3, -1]
    np.testing.assert_array_equal(fit(read, IAVI(), world).v, fit(told, IAVI(), world).v)
    with pytest.raises(InputError, match="row 1: state 4 is outside the world, which has 2 states"):
        align(read, MDP.from_dense(np.full((2, 2, 2), 0.5), discount=0.9))


def test_numbers_are_not_taken_for_places_in_a_list_of_other_numbers():
    read = read_table({"state": [4, 1, 4, 3], "action": [0, 1, 0, 1]})
    world = MDP.estimate(read, discount=0.9)
    numbered = Demonstrations.from_arrays([0, 1, 2], [0, 1, 0])
    with pytest.raises(InputError, match=r"are named 0, 1, 2 .* 1, 3, 4 .*state_names="):
        align(numbered, world)
    holes = read_table({"state": [0, 1, 5], "action": [0, 0, 0]})
    with pytest.raises(InputError, match="named 2 in the table and 5 in the world, from number 2"):
        align(numbered, MDP.estimate(holes, discount=0.9))
    again = read_table({"state": [3, 1], "action": [0, 0]}, state_names=world.state_names)
    assert align(again, world).tolist() == [1, 0]
    with pytest.raises(InputError, match="row 2, column 'state': '2' is not among the state names"):
        read_table({"state": [3, 2], "action": [0, 0]}, state_names=world.state_names)
