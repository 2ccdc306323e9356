"""Policies against their formulas, and what must hold of any policy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inverseq import InputError
from inverseq.mdp.backup import policy_value, soft_value
from inverseq.policies import boltzmann, greedy, log_boltzmann, uniform

ALLOWED = np.array([[1, 1, 1], [1, 0, 0], [0, 1, 1], [1, 1, 0]], dtype=bool)
VALUES = arrays(float, (4, 3), elements=st.floats(-1e5, 1e5))


@given(VALUES, st.floats(1e-2, 1e2))
def test_every_policy_is_a_distribution_over_what_exists(q, temperature):
    for policy in (boltzmann(q, ALLOWED, temperature), greedy(q, ALLOWED), uniform(ALLOWED)):
        assert (policy >= 0).all()
        assert (policy[~ALLOWED] == 0).all()
        np.testing.assert_allclose(policy.sum(1), 1.0, atol=1e-12)


def test_boltzmann_by_its_formula():
    q = np.array([[0.0, 1.0, 2.0], [5.0, 7.0, 7.0], [9.0, 0.0, np.log(3.0)], [1.0, 1.0, 40.0]])
    weights = np.where(ALLOWED, np.exp(q / 2.0), 0.0)
    expected = weights / weights.sum(1, keepdims=True)
    np.testing.assert_allclose(boltzmann(q, ALLOWED, 2.0), expected, atol=1e-15)
    logs = log_boltzmann(q, ALLOWED, 2.0)
    assert (logs[~ALLOWED] == -np.inf).all()
    np.testing.assert_allclose(logs[ALLOWED], np.log(expected[ALLOWED]), atol=1e-13)


@given(VALUES, st.floats(0.1, 10.0))
def test_soft_value_is_mean_value_plus_entropy(q, temperature):
    logs = log_boltzmann(q, ALLOWED, temperature)
    policy = np.exp(logs)
    entropy = -np.where(policy > 0, policy * np.maximum(logs, -1e300), 0.0).sum(1)
    value = policy_value(q, policy) + temperature * entropy
    np.testing.assert_allclose(value, soft_value(q, ALLOWED, temperature), rtol=1e-9, atol=1e-6)


def test_replicates_equal_one_call_each():
    q = np.random.default_rng(0).normal(size=(4, 3, 5))
    for make in (boltzmann, log_boltzmann, greedy):
        together = make(q, ALLOWED)
        for r in range(5):
            np.testing.assert_allclose(together[..., r], make(q[..., r], ALLOWED), atol=1e-13)


def test_ties_share_and_rounding_does_not_choose():
    q = np.array([[1.0, 1.0 + 1e-13, 0.0], [0.0, 9.0, 9.0], [9.0, 2.0, 1.0], [1e6, 1e6, 2e6]])
    q[3, 1] += 1e-6
    expected = [[0.5, 0.5, 0], [1, 0, 0], [0, 1, 0], [0.5, 0.5, 0]]
    np.testing.assert_array_equal(greedy(q, ALLOWED), expected)


def test_a_temperature_of_nought_is_refused():
    with pytest.raises(InputError, match="above 0"):
        boltzmann(np.zeros((4, 3)), ALLOWED, 0.0)
