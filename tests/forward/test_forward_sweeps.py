"""Values swept in place: they stop early, below the exact ones."""

import numpy as np

from inverseq.forward import policy_evaluation, value_iteration
from inverseq.forward.sweeps import swept_values
from inverseq.worlds import goal_abandon


def test_sweeps_stop_near_the_exact_values():
    world, reward = goal_abandon(), np.eye(25)[:, :1] * np.ones(5)
    policy = world.mdp.allowed / 5.0
    exact = policy_evaluation(world.mdp, policy, reward).values
    found = swept_values(world.mdp, reward, policy, stop=0.01)
    assert (found <= exact).all()
    assert (exact - found).max() < 0.01 / (1 - world.mdp.discount)
    assert (exact - found).max() > 1e-4  # it does stop early


def test_without_a_policy_they_are_those_of_the_best_actions():
    world, reward = goal_abandon(), np.eye(25)[:, :1] * np.ones(5)
    exact = value_iteration(world.mdp, reward).values
    np.testing.assert_allclose(swept_values(world.mdp, reward, stop=1e-12), exact, atol=1e-9)
