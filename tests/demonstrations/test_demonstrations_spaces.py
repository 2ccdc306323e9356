"""What states and actions are, and arrays that are neither."""

import numpy as np
import pytest

from inverseq import IAVI, MDP, InputError, fit, load, save
from inverseq.demonstrations import Box, Demonstrations, Finite, concatenate
from inverseq.demonstrations.spaces import numbers_meant


def test_numbers_are_finite_and_features_a_box_in_the_type_given():
    cells = Demonstrations.from_arrays([0, 3], [1, 0], next_states=[3, 4])
    assert cells.state_space == Finite(5)
    assert cells.action_space == Finite(2)
    named = Demonstrations.from_arrays([0], [0], state_names="abc", action_names=["x", "y"])
    assert named.state_space == Finite(3, ("a", "b", "c"))
    assert named.action_space == Finite(2, ("x", "y"))
    for kind in ("uint8", "int8", "float32", "float64"):
        seen = Demonstrations.from_arrays(np.ones((2, 4, 3), kind), [0, 0])
        assert seen.state_space == Box((4, 3), kind)
        assert seen.states.dtype == seen.next_states.dtype == kind
    walk = Demonstrations.from_arrays(
        np.zeros((2, 2), np.float32),
        np.array([[0.5], [np.nan]]),
        feature_names=("x", "y"),
        action_feature_names=("turn",),
    )
    assert walk.state_space == Box((2,), "float32", ("x", "y"))
    assert walk.action_space == Box((1,), "float64", ("turn",))
    assert walk.acted.tolist() == [True, False]
    assert cells.acted.all()


def test_what_cannot_be_counted_says_so():
    walk = Demonstrations.from_arrays(np.zeros((2, 3)), np.zeros((2, 2)))
    with pytest.raises(InputError, match=r"states are features \(float64 of shape \[3\]\).*bin"):
        walk.num_states  # noqa: B018
    with pytest.raises(InputError, match=r"actions are continuous \(float64 of shape \[2\]\)"):
        walk.num_actions  # noqa: B018


def test_a_world_with_numbers_refuses_features_and_continuous_actions():
    world = MDP.from_dense(np.full((2, 2, 2), 0.5), discount=0.9)
    features = Demonstrations.from_arrays(np.zeros((2, 3)), [0, 1])
    steering = Demonstrations.from_arrays([0, 1], np.zeros((2, 2)))
    with pytest.raises(InputError, match="or use a solver over features such as IQLearn"):
        fit(features, IAVI(), world)
    with pytest.raises(InputError, match="actions are continuous"):
        fit(steering, IAVI(), world)
    with pytest.raises(InputError, match="actions are continuous"):
        MDP.estimate(steering, discount=0.9)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"starts": [0, 2]}, "from_arrays takes no starts; give trajectory="),
        ({"endings": [0, 2]}, "takes no endings; give terminated="),
        ({"trajectories": np.array([0, 0])}, r"trajectories are columns.*goes into trajectory="),
        ({"decisions": np.array([0, 0])}, "decisions are columns"),
        ({"states": [[0, 1], [0, 1, 2]]}, r"different lengths \(2, 3\).*trajectory=np.repeat"),
        ({"states": [np.zeros(2), np.zeros(3)]}, r"states hold parts of different lengths"),
        ({"actions": [[0], [0, 1]]}, r"actions hold parts of different lengths \(1, 2\)"),
        ({"trajectory": [[0], [0, 1]]}, "trajectory hold parts of different lengths"),
        ({"decisions": {"x": [[0], [0, 1]]}}, "x hold parts of different lengths"),
        ({"states": [[0, 1], [0, 1]], "actions": [[0, 1], [1, 0]]}, "numbered actions as .N."),
        ({"states": [0.5, 1]}, r"states must hold whole numbers.*reshape\(states"),
        ({"actions": [0.5, np.nan]}, r"actions must hold whole numbers.*reshape\(actions"),
        ({"actions": [[0.5], [np.inf]]}, "row 2.*continuous actions are finite"),
        ({"actions": np.zeros((3, 1))}, r"actions must have shape \[N, D\] = 2x1; got 3x1"),
        ({"feature_names": ["x"]}, "feature_names the columns of"),
        ({"states": np.zeros((2, 2)), "state_names": ["x"]}, "state_names name numbers"),
        ({"states": np.zeros((2, 2)), "feature_names": ["x"]}, r"names \['x'\] do not fit"),
        ({"states": np.zeros((2, 2)), "next_states": np.zeros((2, 3))}, "next_states must have"),
        ({"states": np.zeros((2, 2), np.uint8), "next_states": np.full((2, 2), 0.5)}, "whole"),
        ({"states": np.zeros((2, 2), np.uint8), "next_states": np.full((2, 2), 256)}, "to 255"),
    ],
)
def test_arrays_that_are_neither_are_refused_with_what_to_do(arrays, words):
    with pytest.raises(InputError, match=words):
        Demonstrations.from_arrays(**{"states": [0, 1], "actions": [0, 0]} | arrays)


def test_a_file_keeps_types_and_names(tmp_path):
    demos = Demonstrations.from_arrays(
        np.arange(12, dtype=np.uint8).reshape(3, 2, 2),
        np.array([[0.5, 1], [np.nan, 2], [0, 0]], np.float32),
        next_states=np.full((3, 2, 2), 7, np.uint8),
        action_feature_names=("turn", "throttle"),
    )
    again = load(save(demos, tmp_path / "walk.npz"), Demonstrations)
    assert again.state_space == demos.state_space
    assert again.action_space == demos.action_space
    np.testing.assert_array_equal(again.actions, demos.actions)
    np.testing.assert_array_equal(again.next_states, demos.next_states)
    assert again.fingerprint == demos.fingerprint


def test_parts_of_different_spaces_are_not_joined():
    walk = lambda actions, **names: Demonstrations.from_arrays(  # noqa: E731
        np.zeros((2, 2)), actions, **names
    )
    with pytest.raises(InputError, match="numbered and continuous actions"):
        concatenate([walk([0, 0]), walk(np.zeros((2, 1)))])
    with pytest.raises(InputError, match="name their states or actions differently"):
        concatenate([walk([0, 0]), walk([0, 0], feature_names=("x", "y"))])
    both = concatenate([walk(np.zeros((2, 1)), feature_names=("x", "y"))] * 2)
    assert both.state_space == Box((2,), "float64", ("x", "y"))


@pytest.mark.parametrize("name", ["9" * 19, "9" * 5000, "01", "-1", "٣", ""])
def test_what_is_no_number_of_a_state_is_its_name(name):
    assert numbers_meant(("0", name)) is None
    np.testing.assert_array_equal(numbers_meant(("0", "9" * 18)), [0, 10**18 - 1])
