"""Backups against dense sums, and the laws that tie them together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inverseq import MDP, InputError
from inverseq.mdp.backup import action_values, hard_value, policy_value, soft_value


def random_world(seed: int, states: int = 6, actions: int = 3) -> tuple[MDP, np.ndarray]:
    """A dense random world with forbidden actions and a terminal state, and its transitions."""
    rng = np.random.default_rng(seed)
    dense = rng.dirichlet(np.ones(states), (states, actions))
    allowed = rng.random((states, actions)) < 0.7
    allowed[np.arange(states), rng.integers(actions, size=states)] = True
    terminal = np.arange(states) == states - 1
    world = MDP.from_dense(dense, discount=0.9, allowed=allowed, terminal=terminal)
    return world, dense


@given(st.integers(0, 10_000))
def test_action_values_are_dense_sums(seed):
    world, dense = random_world(seed)
    rng = np.random.default_rng(seed + 1)
    reward, values = rng.normal(size=(6, 3)), rng.normal(size=6)
    got = action_values(world, reward, values)
    for s in range(6):
        for a in range(3):
            if world.allowed[s, a]:
                follow = 0.0 if world.terminal[s] else 0.9 * dense[s, a] @ values
                assert got[s, a] == pytest.approx(reward[s, a] + follow, abs=1e-12)


@given(st.integers(0, 10_000))
def test_replicates_equal_one_call_each(seed):
    world, _ = random_world(seed)
    rng = np.random.default_rng(seed)
    reward, values = rng.normal(size=(6, 3, 4)), rng.normal(size=(6, 4))
    q = action_values(world, reward, values)
    for back in (hard_value, soft_value):
        together = back(q, world.allowed)
        for r in range(4):
            alone = action_values(world, reward[..., r].copy(), values[:, r].copy())
            np.testing.assert_allclose(back(alone, world.allowed), together[:, r], atol=1e-12)


def test_values_of_states_by_hand():
    q = np.array([[1.0, 3.0, 9.0], [0.0, np.log(3.0), 0.0]])
    allowed = np.array([[True, True, False], [True, True, False]])
    np.testing.assert_allclose(hard_value(q, allowed), [3.0, np.log(3.0)])
    np.testing.assert_allclose(soft_value(q, allowed)[1], np.log(4.0))
    twice = soft_value(2 * q, allowed, temperature=2.0)
    np.testing.assert_allclose(twice, 2 * soft_value(q, allowed))
    half = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(policy_value(q, half), [2.0, 0.0])


@given(
    arrays(float, (4, 3), elements=st.floats(-1e6, 1e6)),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e3),
)
def test_soft_lies_above_hard_by_the_logarithm_of_the_choices(q, shift, temperature):
    allowed = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 1], [1, 1, 0]], dtype=bool)
    hard = hard_value(q, allowed)
    soft = soft_value(q, allowed, temperature)
    slack = 1e-9 * (1 + np.abs(q).max())
    assert (soft >= hard - slack).all()
    assert (soft <= hard + temperature * np.log(allowed.sum(1)) + slack).all()
    moved = soft_value(q + shift, allowed, temperature)
    np.testing.assert_allclose(moved, soft + shift, atol=1e-9 * (1 + np.abs(shift)) + slack)


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("nan"), float("inf")])
def test_a_temperature_that_is_none_is_refused(temperature):
    with pytest.raises(InputError, match="above 0"):
        soft_value(np.zeros((1, 2)), np.ones((1, 2), bool), temperature)
