"""Value differences against simulation and enumeration; correlations up to an equivalence."""

import numpy as np
import pytest
from hypothesis import given

from inverseq import InputError
from inverseq.datasets import switching_grid
from inverseq.evaluate.rewards import (
    EQUIVALENCES,
    expected_value_difference,
    nearest_equivalent,
    reward_correlation,
    reward_error,
    squared_value_difference,
)
from inverseq.forward import policy_iteration, soft_policy_iteration
from inverseq.inverse.values.iavi import inverse_action_values
from inverseq.policies import boltzmann, uniform
from inverseq.rewards.gauges import shaping
from strategies import mdps, random_mdp, random_policy, seeds


def dense_values(mdp, policy):
    """V of a policy under the world's reward, by dense NumPy."""
    p = mdp.transition_matrix.toarray().reshape(mdp.num_states, mdp.num_actions, -1)
    mean = np.einsum("sa,sat->st", policy, p)
    return np.linalg.solve(
        np.eye(mdp.num_states) - mdp.discount * mean, (policy * mdp.reward).sum(1)
    )


@given(mdp=mdps(), seed=seeds)
def test_value_differences_are_those_of_dense_numpy(mdp, seed):
    policy = random_policy(np.random.default_rng(seed), mdp)
    plan = policy_iteration(mdp)
    lost = dense_values(mdp, plan.policy) - dense_values(mdp, policy)
    assert expected_value_difference(mdp, policy) == pytest.approx(mdp.initial @ lost, abs=1e-7)
    soft = boltzmann(plan.q, mdp.allowed)
    squares = (dense_values(mdp, soft) - dense_values(mdp, policy)) ** 2
    assert squared_value_difference(mdp, policy) == pytest.approx(squares.mean(), abs=1e-7)
    assert expected_value_difference(mdp, policy) >= -1e-9
    # An expert may be given; nothing is lost against oneself.
    assert expected_value_difference(mdp, policy, expert=policy) == 0
    assert squared_value_difference(mdp, policy, expert=policy) == 0


@given(mdp=mdps(terminals=False), seed=seeds)
def test_a_correlation_sees_neither_unit_nor_level(mdp, seed):
    rng = np.random.default_rng(seed)
    estimate = rng.normal(size=mdp.allowed.shape)
    for equivalence in EQUIVALENCES:
        for kind in ("pearson", "spearman"):
            one = reward_correlation(mdp, estimate, equivalence=equivalence, kind=kind)
            two = reward_correlation(mdp, 3 * estimate + 2, equivalence=equivalence, kind=kind)
            assert np.isnan(one) or -1 <= one <= 1
            if equivalence != "shaping":  # a level is shaping already
                np.testing.assert_allclose(one, two, atol=1e-6)
            same = reward_correlation(mdp, 2 * mdp.reward, equivalence=equivalence, kind=kind)
            assert np.isnan(same) or same == pytest.approx(1)


def test_shaping_is_seen_by_all_but_the_shaping_correlation():
    rng = np.random.default_rng(0)
    mdp = random_mdp(rng, 20, 4, discount=0.9)
    shaped = mdp.reward + (shaping(mdp) @ rng.normal(size=20) * 3).reshape(20, 4)
    assert reward_correlation(mdp, shaped) == pytest.approx(1)
    for equivalence in ("constant", "within-state", "state"):
        assert reward_correlation(mdp, shaped, equivalence=equivalence) < 0.95


def test_a_reward_found_from_behaviour_correlates_perfectly_up_to_shaping():
    rng = np.random.default_rng(1)
    mdp = random_mdp(rng, 15, 4, terminals=False, discount=0.9)
    policy = soft_policy_iteration(mdp).policy
    for gauge in ("zero-mean", "state-only", "minimum-norm"):
        found = inverse_action_values(policy, mdp, backup="soft", gauge=gauge).reward
        assert reward_correlation(mdp, found) == pytest.approx(1, abs=1e-6)
    assert reward_correlation(mdp, found, equivalence="constant") < 0.99


def test_pearson_and_spearman_are_those_of_numpy():
    rng = np.random.default_rng(2)
    mdp = random_mdp(rng, 8, 3, discount=0.5)
    estimate = rng.normal(size=(8, 3))
    visits = np.array([0, 1, 1, 1, 1, 0, 1, 1.0])
    use = mdp.allowed & (~mdp.terminal & (visits > 0))[:, None]
    x, y = estimate[use], mdp.reward[use]
    options = {"equivalence": "constant", "visits": visits}
    got = reward_correlation(mdp, estimate, **options)
    assert got == pytest.approx(np.corrcoef(x, y)[0, 1])
    ranks = np.corrcoef(x.argsort().argsort(), y.argsort().argsort())[0, 1]
    assert reward_correlation(mdp, estimate, kind="spearman", **options) == pytest.approx(ranks)


def test_what_does_not_vary_has_no_correlation():
    rng = np.random.default_rng(3)
    mdp = random_mdp(rng, 8, 3, terminals=False)
    assert np.isnan(reward_correlation(mdp, np.ones(8), equivalence="constant"))
    # A reward of states has nothing within states.
    assert np.isnan(reward_correlation(mdp, rng.normal(size=8), equivalence="within-state"))


def test_bad_settings_say_what_to_do():
    mdp = random_mdp(np.random.default_rng(4), 5, 3)
    bare = random_mdp(np.random.default_rng(4), 5, 3, reward=False)
    with pytest.raises(InputError, match="equivalence"):
        reward_correlation(mdp, mdp.reward, equivalence="close")
    with pytest.raises(InputError, match="kind"):
        reward_correlation(mdp, mdp.reward, kind="kendall")
    with pytest.raises(InputError, match="visits"):
        reward_correlation(mdp, mdp.reward, visits=np.ones(3))
    with pytest.raises(InputError, match="reward"):
        expected_value_difference(bare, uniform(bare.allowed))


@given(mdp=mdps(), seed=seeds)
def test_the_error_of_a_reward_sees_its_unit_but_no_shaping(mdp, seed):
    rng = np.random.default_rng(seed)
    level = 0.0 if mdp.terminal.any() else 5.0
    shaped = mdp.reward + (shaping(mdp) @ rng.normal(size=mdp.num_states)).reshape(mdp.reward.shape)
    found = reward_error(mdp, shaped + level)
    if np.isnan(found):
        return  # all of this reward is shaping
    assert found == pytest.approx(0, abs=1e-6)
    assert reward_error(mdp, 3 * mdp.reward) == pytest.approx(2)
    assert reward_error(mdp, 0 * mdp.reward) == pytest.approx(1)


def test_the_error_is_that_of_numpy():
    rng = np.random.default_rng(6)
    mdp = random_mdp(rng, 8, 3, discount=0.5)
    estimate, visits = rng.normal(size=(8, 3)), np.array([0, 1, 1, 1, 1, 0, 1, 1.0])
    use = mdp.allowed & (~mdp.terminal & (visits > 0))[:, None]
    x, y = estimate[use], mdp.reward[use]
    wanted = np.std(x - y) / np.std(y)
    got = reward_error(mdp, estimate, equivalence="constant", visits=visits)
    assert got == pytest.approx(wanted)
    nowhere = reward_error(mdp, estimate, visits=np.zeros(8))
    assert np.isnan(nowhere)
    assert np.isnan(reward_error(mdp, estimate, np.ones(8), equivalence="constant"))


def test_the_nearest_reward_undoes_shaping_and_nothing_else():
    mdp, rng = switching_grid().worlds["grid"].mdp, np.random.default_rng(0)
    truth, v = rng.normal(size=(25, 5)), rng.normal(size=25)
    shaped = truth + v[:, None] - mdp.discount * v[mdp.successors[:, :, 0]]
    np.testing.assert_allclose(nearest_equivalent(mdp, shaped, truth), truth, atol=1e-8)
    other = rng.normal(size=(25, 5))
    moved = nearest_equivalent(mdp, other, truth)
    policies = [soft_policy_iteration(mdp, reward).policy for reward in (other, moved)]
    np.testing.assert_allclose(*policies, atol=1e-6)
    assert np.linalg.norm(moved - truth) < np.linalg.norm(other - truth)
