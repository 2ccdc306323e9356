"""Measured values in tables: features, bins, continuous actions, and never names by accident."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inverseq import IAVI, MDP, InputError, fit
from inverseq.demonstrations import Box, Ending, Finite
from inverseq.readers import read_table

WALK = {
    "x": [0.1, 0.6, 1.9, 1.0],
    "y": [5.5, 2.5, 2.5, 0.5],
    "next_x": [0.6, 1.9, 1.0, 0.2],
    "next_y": [2.5, 2.5, 0.5, 5.0],
    "action": ["go", "go", "stay", "go"],
    "steer": [0.25, None, -1.0, 0.5],
    "throttle": [1, 2, 3, 4],
}


def test_two_columns_of_fractions_are_not_a_name_for_every_row():
    for states in (("x", "y"), "x"):
        with pytest.raises(InputError, match=r"0.1 is a measured value.*bins=.*features="):
            read_table(WALK, state=states)
    with pytest.raises(InputError, match=r"column 'next_x'.*measured"):
        read_table(WALK | {"x": [0, 1, 1, 1]}, state="x", next_state="next_x")
    with pytest.raises(InputError, match=r"column 'steer'.*measured.*continuous=True"):
        read_table(WALK, features="x", action="steer")
    with pytest.raises(InputError, match="measured value"):
        read_table(WALK, state_from_previous=("action", "x"))
    named = read_table(WALK, state=("x", "y"), named=("x", "y"))
    assert named.state_names == ("0.1|5.5", "0.6|2.5", "1.9|2.5", "1|0.5")
    whole = read_table(WALK | {"x": [1.0, 2.0, 0.0, 1.0]}, state="x")
    assert whole.states.tolist() == [1, 2, 0, 1]


def test_features_are_the_columns_side_by_side():
    demos = read_table(WALK, features=("x", "y"))
    assert demos.state_space == Box((2,), "float64", ("x", "y"))
    np.testing.assert_array_equal(demos.states, np.array([WALK["x"], WALK["y"]]).T)
    assert demos.next_known.tolist() == [True, True, True, False]
    assert demos.action_names == ("go", "stay")
    assert demos.source == "the table (features from 'x,y')"
    assert demos.decisions["y"].tolist() == WALK["y"]
    other = WALK | {"next_x": [0.6, 1.5, 1.0, 0.2]}
    demos = read_table(other, features=("x", "y"), next_state=("next_x", "next_y"))
    after = np.array([other["next_x"], other["next_y"]]).T
    np.testing.assert_array_equal(demos.next_states, after)
    assert demos.endings.tolist() == [0, Ending.GAP, 0, Ending.TRUNCATED]


def test_times_too_far_apart_leave_features_unknown():
    demos = read_table(WALK | {"t": [0, 1, 5, 6]}, features="x", longest_step=2)
    assert demos.next_known.tolist() == [True, False, True, False]
    assert demos.endings.tolist() == [0, Ending.GAP, 0, Ending.TRUNCATED]


def test_continuous_actions_are_a_box_with_nan_for_missing():
    demos = read_table(WALK, features="x", action=("steer", "throttle"), continuous=True)
    assert demos.action_space == Box((2,), "float64", ("steer", "throttle"))
    np.testing.assert_array_equal(demos.actions, [[0.25, 1], [np.nan, 2], [-1, 3], [0.5, 4]])
    assert demos.acted.tolist() == [True, False, True, True]
    dropped = read_table(WALK, features="x", action="throttle", continuous=True, missing=3)
    assert dropped.acted.tolist() == [True, True, False, True]


def test_several_columns_of_actions_are_joined_like_states():
    table = {"state": [0, 0, 0], "hand": ["l", "r", "l"], "press": [1, 0, None]}
    demos = read_table(table, action=("hand", "press"))
    assert demos.action_names == ("l|1", "r|0")
    assert demos.actions.tolist() == [0, 1, -1]


def test_bins_number_intervals_in_rising_order_and_name_them():
    demos = read_table(WALK, state="x", bins={"x": [0, 0.5, 1, 2]})
    assert demos.state_names == ("x 0–0.5", "x 0.5–1", "x 1–2")
    assert demos.states.tolist() == [0, 1, 2, 2]
    assert demos.decisions["x"].tolist() == WALK["x"]
    assert demos.state_space == Finite(3, demos.state_names)
    wide = {"state": [0.0, 25.0, 110.0, 12.0], "action": [0, 1, 0, 1]}
    demos = read_table(wide, bins={"state": 11})
    assert demos.state_names == ("state 0–10", "state 10–20", "state 20–30", "state 100–110")
    assert demos.states.tolist() == [0, 2, 3, 1]
    assert demos.next_states.tolist() == [2, 3, 1, -1]


def test_bins_of_several_columns_and_of_the_states_after():
    demos = read_table(
        WALK,
        state=("x", "y"),
        next_state=("next_x", "next_y"),
        bins={"x": [0, 1, 2], "y": [0, 3, 10]},
    )
    names = ("x 0–1, y 0–3", "x 0–1, y 3–10", "x 1–2, y 0–3")
    assert demos.state_names == names
    assert [names[s] for s in demos.states] == [names[1], names[0], names[2], names[2]]
    assert demos.next_states.tolist() == [0, 2, 2, 1]
    mixed = read_table(WALK | {"arm": list("abab")}, state=("arm", "x"), bins={"x": [0, 1, 2]})
    assert mixed.state_names == ("a, x 0–1", "a, x 1–2", "b, x 0–1", "b, x 1–2")
    turned = read_table(WALK, state="throttle", action="steer", bins={"steer": [-1, 0, 1]})
    assert turned.action_names == ("steer -1–0", "steer 0–1")
    # -1 means that nothing was done only where actions are numbers; here it was measured.
    assert turned.actions.tolist() == [1, -1, 0, 1]
    world = MDP.estimate(demos, discount=0.9)
    assert fit(demos, IAVI(smoothing=1.0), world).reward.shape == (3, 2)


@given(
    st.lists(st.floats(-50, 50), min_size=2, max_size=20).filter(lambda v: max(v) - min(v) > 1e-3),
    st.integers(1, 8),
)
def test_every_value_lies_in_its_bin(values, count):
    demos = read_table({"state": values, "action": [0] * len(values)}, bins={"state": count})
    edges = np.linspace(min(values), max(values), count + 1)
    place = [min(max(i for i in range(count) if edges[i] <= v), count - 1) for v in values]
    used = sorted(set(place))
    assert demos.states.tolist() == [used.index(p) for p in place]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"features": "x", "state": "y"}, "features are the state: drop state"),
        ({"features": "x", "state_from_previous": "action"}, "features are the state"),
        ({"features": "z"}, "there is no column 'z'.*features="),
        ({"features": ("x", "action"), "action": "throttle"}, "'go' is no number"),
        ({"features": "action"}, r"no column 'action' left; .* Name the right one with action="),
        ({"features": "steer"}, "row 2, column 'steer': a feature is empty"),
        ({"features": ("x", "y"), "next_state": "next_x"}, "give both alike"),
        ({"features": "x", "action": "action", "continuous": True}, "'go' is no number"),
        ({"state": "x", "bins": {"y": 3}}, r"bins are for columns .*\['x', 'action'\]; got 'y'"),
        ({"state": "x", "bins": {"x": 0}}, "must be a whole number from 1; got 0"),
        ({"state": "x", "bins": {"x": [0, 0]}}, "two or more rising edges"),
        ({"state": "x", "bins": {"x": [0, 1]}}, r"row 3, column 'x': 1.9 lies outside .*Widen"),
        ({"state": "x", "bins": {"x": 2, "action": 2}}, "'go' is no number"),
    ],
)
def test_what_is_neither_measured_nor_binned_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        read_table(WALK, **options)


def test_a_column_with_one_value_has_no_bins_of_its_own():
    with pytest.raises(InputError, match="no two different numbers"):
        read_table({"state": [0.5, 0.5], "action": [0, 1]}, bins={"state": 2})
