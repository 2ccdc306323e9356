"""Counts of decisions: against a loop, and additive."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from inverseq._core.errors import InputError
from inverseq.decisions.counts import Counts, count
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP


@given(strategies.played(gaps=0.1, missing=0.2), st.booleans(), strategies.seeds)
def test_counts_are_those_of_a_loop(drawn, weighted, seed):
    mdp, _, demos = drawn
    weights = np.random.default_rng(seed).random(demos.num_decisions) if weighted else None
    found = count(demos, mdp, weights=weights)
    expected = np.zeros((demos.num_trajectories, mdp.num_states, mdp.num_actions))
    for i in range(demos.num_decisions):
        if demos.actions[i] >= 0:
            cell = demos.trajectory_of[i], demos.states[i], demos.actions[i]
            expected[cell] += 1 if weights is None else weights[i]
    np.testing.assert_allclose(found.state_action, expected.sum(0), atol=1e-12)
    np.testing.assert_allclose(found.visits, expected.sum((0, 2)), atol=1e-12)
    assert found.units is not None
    np.testing.assert_allclose(
        found.units.toarray(), expected.reshape(len(expected), -1), atol=1e-12
    )


@given(strategies.played(), st.sampled_from(["trajectory", "session", "subject"]))
def test_units_add_up_to_the_whole(drawn, by):
    mdp, _, demos = drawn
    found = count(demos, mdp, by=by)
    assert found.units is not None
    assert found.units.shape[0] == len(set(demos.units(by).tolist()))
    np.testing.assert_allclose(found.units.sum(0), found.state_action.ravel())


@given(strategies.played(), st.data())
def test_counts_of_parts_add_up_to_those_of_the_whole(drawn, data):
    mdp, _, demos = drawn
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=1))).repeat(8)
    mask = np.resize(mask, demos.num_trajectories)
    if mask.all() or not mask.any():
        return
    one, two = count(demos.take(mask), mdp), count(demos.take(~mask), mdp)
    whole = count(demos, mdp)
    np.testing.assert_array_equal((one + two).state_action, whole.state_action)
    joined = (one + two).units
    assert joined is not None
    order = np.argsort(np.concatenate([np.flatnonzero(mask), np.flatnonzero(~mask)]))
    np.testing.assert_array_equal(joined.toarray()[order], whole.units.toarray())
    assert (one + Counts(two.state_action)).units is None


@given(strategies.played(gaps=0.1), st.sampled_from([2, 3]))
def test_counts_with_history_are_finer_counts_of_the_same(drawn, length):
    mdp, _, demos = drawn
    long = mdp.with_history(length)
    fine = count(demos, long).state_action
    coarse = np.zeros((mdp.num_states, mdp.num_actions))
    np.add.at(coarse, long.history.base, fine)
    np.testing.assert_array_equal(coarse, count(demos, mdp).state_action)


def test_weights_that_are_none_are_refused():
    mdp = MDP.from_dense(np.ones((1, 1, 1)), discount=0.9)
    demos = Demonstrations.from_arrays([0, 0], [0, 0])
    with pytest.raises(InputError, match="weights must not be negative"):
        count(demos, mdp, weights=np.array([1.0, -1.0]))
    with pytest.raises(InputError, match=r"weights\[0\] is nan"):
        count(demos, mdp, weights=np.array([np.nan, 1.0]))
    with pytest.raises(InputError, match="weights must have shape"):
        count(demos, mdp, weights=np.ones(3))
    with pytest.raises(InputError, match="counts must not be negative"):
        Counts(np.array([[-1.0]]))


def test_an_action_that_does_not_exist_is_refused():
    mdp = MDP.from_dense(np.ones((1, 2, 1)), discount=0.9, allowed=np.array([[True, False]]))
    with pytest.raises(InputError, match="row 1: action 1 does not exist at state 0"):
        count(Demonstrations.from_arrays([0], [1]), mdp)
