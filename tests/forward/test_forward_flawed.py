"""Agents with flaws, each against what its flaw says."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import inverseq as iq
from inverseq import MDP, InputError
from inverseq.forward import Flawed, soft_policy_iteration
from strategies import random_mdp


@pytest.fixture(scope="module")
def mdp():
    return random_mdp(np.random.default_rng(0), 6, 3, discount=0.9)


def test_without_flaws_it_is_the_soft_planner(mdp):
    plan = soft_policy_iteration(mdp)
    assert_allclose(Flawed().policy(mdp), plan.policy)
    assert_allclose(Flawed(sweeps=400).policy(mdp), plan.policy, atol=1e-10)
    assert_allclose(Flawed(lapse=1.0).policy(mdp), mdp.allowed / mdp.allowed.sum(1, keepdims=True))


def test_myopic_agents_see_the_next_reward_alone(mdp):
    now = np.where(mdp.allowed, np.exp(mdp.reward), 0.0)
    for agent in (Flawed(discount=0.0), Flawed(sweeps=0)):
        assert_allclose(agent.policy(mdp), now / now.sum(1, keepdims=True))


@pytest.mark.parametrize("k", [0.5, 1.0, 3.0])
def test_what_comes_later_is_worth_less_by_a_hyperbola(k):
    # Left is paid at once, right after `wait` steps without a choice: log-odds are the difference.
    wait, sizes = 6, (1.0, 4.0)
    states = wait + 2
    ends = np.zeros((states, 2, 1), int)
    ends[:, :, 0] = np.minimum(np.arange(states) + 1, states - 1)[:, None]
    ends[0, 0, 0] = states - 1
    reward = np.zeros((states, 2))
    reward[0, 0], reward[wait, :] = sizes
    allowed = np.ones((states, 2), bool)
    allowed[1:, 1] = False
    world = iq.MDP(
        successors=ends, probabilities=np.ones(ends.shape), discount=0.9, allowed=allowed,
        terminal=np.arange(states) == states - 1, reward=reward * allowed,
    )  # fmt: skip
    policy = Flawed(hyperbola=k).policy(world)
    gap = np.log(policy[0, 1] / policy[0, 0])
    assert gap == pytest.approx(sizes[1] / (1 + k * wait) - sizes[0], abs=1e-3)


def test_who_believes_that_actions_do_nothing_does_what_pays_now(mdp):
    free = random_mdp(np.random.default_rng(1), 5, 3, masks=False, terminals=False)
    now = np.exp(free.reward)
    assert_allclose(Flawed(slip=1.0).policy(free), now / now.sum(1, keepdims=True))


def test_behaviour_is_that_of_the_policy_and_of_what_was_done_last():
    free = random_mdp(np.random.default_rng(2), 3, 3, masks=False, terminals=False)
    made = Flawed(perseveration=1.0).behave(free, trajectories=200, steps=50, seed=0)
    policy = Flawed().policy(free)
    last = np.append(-1, made.actions[:-1])
    for state in range(3):
        rows = (made.states == state) & (made.step > 0) & (last == 1)
        wanted = policy[state] * np.exp(np.arange(3) == 1)
        shares = np.bincount(made.actions[rows], minlength=3) / rows.sum()
        assert_allclose(shares, wanted / wanted.sum(), atol=4 * np.sqrt(0.25 / rows.sum()))
    ends = random_mdp(np.random.default_rng(3), 6, 3)
    walks = Flawed(lapse=0.2).behave(ends, trajectories=30, steps=9, seed=1)
    assert walks.terminated.any()
    assert ends.allowed[walks.states, walks.actions].all()


def test_bad_numbers_are_refused(mdp):
    for settings in ({"lapse": 2.0}, {"discount": -1.0}, {"hyperbola": -1.0}, {"sweeps": -1}):
        with pytest.raises(InputError):
            Flawed(**settings)
    with pytest.raises(InputError, match="hyperbola"):
        Flawed(sweeps=3, hyperbola=1.0)
    with pytest.raises(InputError, match="what is wanted"):
        Flawed().policy(random_mdp(np.random.default_rng(0), 3, 2, reward=False))
    with pytest.raises(InputError, match="1 or more"):
        Flawed().behave(mdp, trajectories=0, steps=1, seed=0)
    stay_or_end = MDP(
        successors=[[[0], [1]], [[1], [1]]],
        probabilities=np.ones((2, 2, 1)),
        discount=0.9,
        terminal=[False, True],
    )
    with pytest.raises(InputError, match="lower discount"):
        Flawed(discount=1.0).policy(stay_or_end, np.ones((2, 2)))
