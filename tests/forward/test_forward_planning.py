"""Planning against dense enumeration, each method against the other, and laws of optimality."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from inverseq import MDP, InputError, Outcome, worlds
from inverseq.forward import (
    policy_evaluation,
    policy_iteration,
    soft_policy_iteration,
    soft_value_iteration,
    value_iteration,
)
from strategies import mdps, random_policy, seeds


def dense(mdp: MDP) -> np.ndarray:
    """`[S, A, S]` transitions, 0 where the process ends or an action does not exist."""
    table = np.zeros((mdp.num_states, mdp.num_actions, mdp.num_states))
    for s, a, b in np.ndindex(*mdp.successors.shape):
        if mdp.allowed[s, a] and not mdp.terminal[s]:
            table[s, a, mdp.successors[s, a, b]] += mdp.probabilities[s, a, b]
    return table


def worth(mdp: MDP, policy: np.ndarray) -> np.ndarray:
    """Values of a policy by a dense solve."""
    followed = np.einsum("sa,sat->st", policy, dense(mdp))
    return np.linalg.solve(
        np.eye(mdp.num_states) - mdp.discount * followed, (policy * mdp.reward).sum(1)
    )


@given(mdps(max_states=4, max_actions=3))
def test_no_deterministic_policy_is_better(mdp):
    options = [np.flatnonzero(row) for row in mdp.allowed]
    every = [worth(mdp, np.eye(mdp.num_actions)[list(pick)]) for pick in product(*options)]
    best = np.max(every, axis=0)
    for solve in (value_iteration, policy_iteration):
        plan = solve(mdp)
        assert plan.status.ok
        np.testing.assert_allclose(plan.values, best, atol=1e-7)
        np.testing.assert_allclose(worth(mdp, plan.policy), best, atol=1e-7)


@given(mdps(), st.sampled_from([0.05, 1.0, 20.0]))
def test_soft_optimum_both_ways(mdp, temperature):
    slow = soft_value_iteration(mdp, temperature=temperature)
    fast = soft_policy_iteration(mdp, temperature=temperature)
    assert slow.status.ok
    assert fast.status.ok
    np.testing.assert_allclose(fast.values, slow.values, atol=1e-8 * (1 + temperature))
    # The definition, with dense sums: V = T log sum exp(Q / T), pi = exp((Q - V) / T).
    q = mdp.reward + mdp.discount * dense(mdp) @ fast.values
    q = np.where(mdp.allowed, q, -np.inf)
    top = q.max(1)
    soft = top + temperature * np.log(np.exp((q - top[:, None]) / temperature).sum(1))
    np.testing.assert_allclose(fast.values, soft, atol=1e-9 * (1 + temperature))
    np.testing.assert_allclose(
        fast.policy, np.exp((q - fast.values[:, None]) / temperature), atol=1e-8
    )


@given(mdps(), seeds)
def test_the_soft_optimum_beats_every_policy_with_its_entropy(mdp, seed):
    policy = random_policy(np.random.default_rng(seed), mdp)
    logs = np.log(policy, out=np.zeros_like(policy), where=policy > 0)
    with_entropy = replace(mdp, reward=mdp.reward - logs)
    assert (soft_policy_iteration(mdp).values >= worth(with_entropy, policy) - 1e-9).all()


@given(mdps(terminals=False), seeds)
def test_shaping_leaves_the_policies(mdp, seed):
    potential = np.random.default_rng(seed).normal(size=mdp.num_states)
    shift = mdp.discount * mdp.expected(potential) - potential[:, None]
    shaped = replace(mdp, reward=mdp.reward + shift)
    for solve in (value_iteration, soft_policy_iteration):
        plain, moved = solve(mdp), solve(shaped)
        np.testing.assert_allclose(moved.values, plain.values - potential, atol=1e-8)
    np.testing.assert_allclose(moved.policy, plain.policy, atol=1e-8)


@given(mdps())
def test_a_cold_soft_optimum_is_the_hard_one(mdp):
    hard = value_iteration(mdp)
    cold = soft_policy_iteration(mdp, temperature=1e-3)
    assume(cold.status.ok)
    slack = 1e-3 * np.log(mdp.num_actions) / (1 - mdp.discount) + 1e-8
    assert (cold.values >= hard.values - 1e-8).all()
    assert (cold.values <= hard.values + slack).all()


@given(mdps(), seeds)
def test_numbering_does_not_matter(mdp, seed):
    order = np.random.default_rng(seed).permutation(mdp.num_states)
    place = np.argsort(order)
    moved = MDP(
        place[mdp.successors][order],
        mdp.probabilities[order],
        mdp.discount,
        mdp.initial[order],
        mdp.terminal[order],
        mdp.allowed[order],
        mdp.reward[order],
    )
    for solve in (value_iteration, policy_iteration, soft_policy_iteration):
        np.testing.assert_allclose(solve(moved).values, solve(mdp).values[order], atol=1e-8)


@given(mdps(), seeds)
def test_evaluation_is_the_dense_solve(mdp, seed):
    policy = random_policy(np.random.default_rng(seed), mdp)
    plan = policy_evaluation(mdp, policy)
    np.testing.assert_allclose(plan.values, worth(mdp, policy), atol=1e-9)
    assert plan.status.ok
    states = np.arange(mdp.num_states, dtype=float)
    by_state = policy_evaluation(mdp, policy, states)
    by_pair = policy_evaluation(mdp, policy, np.repeat(states[:, None], mdp.num_actions, axis=1))
    np.testing.assert_array_equal(by_state.values, by_pair.values)


def test_equally_good_actions_share():
    plan = value_iteration(worlds.gridworld(3, 3, wins=[(2, 2)], discount=0.99).mdp)
    np.testing.assert_array_equal(plan.policy[0], [0, 0.5, 0.5, 0])


def test_without_discount_the_soft_optimum_needs_costly_steps():
    dear = worlds.gridworld(3, 3, wins=[(2, 2)], discount=1.0, step_reward=-2.0).mdp
    plan, other = soft_policy_iteration(dear), soft_value_iteration(dear)
    assert plan.status.ok
    np.testing.assert_allclose(plan.values, other.values, atol=1e-7)
    cheap = worlds.gridworld(3, 3, wins=[(2, 2)], discount=1.0, step_reward=-0.1).mdp
    assert not soft_value_iteration(cheap, max_steps=2000).status.ok
    lost = soft_policy_iteration(cheap)
    assert lost.status.outcome is Outcome.DIVERGED
    assert "lower the discount" in lost.status.message


def test_a_limit_is_said():
    mdp = worlds.gridworld(5, 5, wins=[(4, 4)], wind=0.5).mdp
    for solve, steps in ((value_iteration, 3), (soft_policy_iteration, 1), (policy_iteration, 1)):
        plan = solve(mdp, max_steps=steps)
        assert plan.status.outcome is Outcome.LIMIT
        assert "max_steps" in plan.status.message


def test_what_cannot_be_planned_with_is_refused():
    mdp = worlds.labyrinth().mdp
    with pytest.raises(InputError, match="no reward of its own"):
        value_iteration(mdp)
    with pytest.raises(InputError, match=r"reward must have shape \[S\] = 127"):
        value_iteration(mdp, np.zeros(5))
    with pytest.raises(InputError, match="not finite"):
        policy_iteration(mdp, np.full(127, np.nan))
    with pytest.raises(InputError, match="temperature"):
        soft_value_iteration(mdp, np.zeros(127), temperature=0.0)
    with pytest.raises(InputError, match=r"policy\[0\] = .*allowed: \[True, True, False, True\]"):
        policy_evaluation(mdp, np.full((127, 4), 0.25), np.zeros(127))
    with pytest.raises(InputError, match="never reaches an end"):
        # Walking into the wall for ever never ends.
        policy_evaluation(worlds.four_by_three().mdp, np.eye(4)[np.full(11, 3)])
