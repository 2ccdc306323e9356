"""Soft optima by Newton's method: extreme rewards, and what a neighbour's plan is worth."""

import numpy as np
import pytest

from inverseq import MDP, Outcome, worlds
from inverseq.forward import soft_policy_iteration, soft_value_iteration, value_iteration
from inverseq.forward.soft import soft_plan


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6, 1e12])
def test_the_unit_of_the_reward_does_not_matter(scale):
    mdp = worlds.gridworld(4, 4, wins=[(3, 3)], wind=0.2, discount=0.99).mdp
    reward = np.random.default_rng(0).normal(size=(16, 5))[:, : mdp.num_actions]
    plain = soft_policy_iteration(mdp, reward)
    scaled = soft_policy_iteration(mdp, scale * reward, temperature=scale)
    assert scaled.status.ok
    np.testing.assert_allclose(scaled.values, scale * plain.values, rtol=1e-9)
    np.testing.assert_allclose(scaled.policy, plain.policy, atol=1e-9)


def test_next_to_no_temperature_is_no_divergence():
    mdp = worlds.gridworld(4, 4, wins=[(3, 3)], wind=0.2, discount=0.999).mdp
    cold = soft_policy_iteration(mdp, 1e3 * mdp.reward, temperature=1e-6)
    assert cold.status.ok
    np.testing.assert_allclose(
        cold.values, value_iteration(mdp, 1e3 * mdp.reward).values, atol=1e-2
    )


def test_a_neighbours_plan_saves_steps_and_changes_nothing():
    mdp = worlds.gridworld(6, 6, wins=[(5, 5)], discount=0.95).mdp
    rng = np.random.default_rng(1)
    reward = rng.normal(size=mdp.allowed.shape)
    moved = reward + 1e-3 * rng.normal(size=reward.shape)
    near = soft_plan(mdp, reward)
    warm, fresh = soft_plan(mdp, moved, near), soft_plan(mdp, moved)
    assert warm.system is near.system
    assert warm.trace.size == warm.status.steps
    np.testing.assert_allclose(warm.v, fresh.v, atol=1e-10)
    np.testing.assert_allclose(warm.v, soft_value_iteration(mdp, moved).values, atol=1e-7)


def test_at_discount_one_a_policy_that_wanders_for_ever_is_a_divergence():
    # Standing still for ever costs nothing, and choosing freely is worth something.
    stay, leave = [0.0, 1.0], [1.0, 0.0]
    mdp = MDP.from_dense(
        np.array([[leave, leave, stay], [stay, stay, stay]]),
        discount=1.0,
        terminal=np.array([False, True]),
    )
    plan = soft_policy_iteration(mdp, np.zeros((2, 3)))
    assert plan.status.outcome is Outcome.DIVERGED
    assert "lower the discount" in plan.status.message
    assert (plan.policy == 0).all()
