"""Occupancy: the adjoint of evaluation, and the sum over time that it stands for."""

import numpy as np
import pytest
from hypothesis import given

from inverseq import InputError, worlds
from inverseq.forward import occupancy, policy_evaluation, simulate, value_iteration
from strategies import mdps, random_policy, seeds


@given(mdps(), seeds)
def test_rewards_where_one_goes_are_the_value_of_where_one_starts(mdp, seed):
    policy = random_policy(np.random.default_rng(seed), mdp)
    visits = occupancy(mdp, policy)
    assert (visits >= -1e-12).all()
    earned = visits @ (policy * mdp.reward).sum(1)
    assert earned == pytest.approx(mdp.initial @ policy_evaluation(mdp, policy).values, abs=1e-8)


@given(mdps(terminals=False), seeds)
def test_it_is_the_sum_over_time(mdp, seed):
    policy = random_policy(np.random.default_rng(seed), mdp)
    step = mdp.under_policy(policy).toarray()
    place, total, weight = np.array(mdp.initial), np.zeros(mdp.num_states), 1.0
    for _ in range(700):
        total += weight * place
        place, weight = place @ step, weight * mdp.discount
    visits = occupancy(mdp, policy)
    np.testing.assert_allclose(visits, total, atol=1e-8)
    assert visits.sum() * (1 - mdp.discount) == pytest.approx(1)


def test_without_discount_it_counts_visits():
    mdp = worlds.four_by_three().mdp
    policy = value_iteration(mdp).policy
    visits = occupancy(mdp, policy)
    assert visits[mdp.terminal].sum() == pytest.approx(1), "every walk ends once"
    walks = simulate(mdp, policy, trajectories=20_000, steps=1000, seed=1)
    assert walks.terminated.sum() == 20_000
    counted = np.bincount(walks.states, minlength=mdp.num_states) / 20_000
    np.testing.assert_allclose(counted[~mdp.terminal], visits[~mdp.terminal], atol=0.03)


def test_a_policy_that_never_ends_is_refused():
    with pytest.raises(InputError, match="never reaches an end"):
        occupancy(worlds.four_by_three().mdp, np.eye(4)[np.full(11, 3)])
