"""CIQL: against Algorithm 1 with a constrained Q written out, the paper's three paths, its laws."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from inverseq import InputError
from inverseq._core.store import load, save
from inverseq.demonstrations import Demonstrations
from inverseq.forward.evaluation import policy_evaluation
from inverseq.forward.planning import policy_iteration
from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.ciql import CIQL, Constraint, constrained_plan
from inverseq.inverse.values.iql import IQL
from inverseq.inverse.values.iql_transitions import observed_transitions
from inverseq.mdp import MDP
from inverseq.policies import boltzmann, greedy
from oracles.iql_reference import inverse_q_learning
from strategies import mdps, play, played, random_mdp, random_policy, seeds

QUICK = IQL(reward_step=0.05, q_step=0.3, shifted_step=0.2, epochs=3)
EXACT = IQL(method="exact")


def some_safe(rng, mdp):
    """A random mask of safe actions, one in each state at least."""
    safe = mdp.allowed & (rng.random(mdp.allowed.shape) < 0.6)
    lost = ~safe.any(1)
    safe[lost, mdp.allowed[lost].argmax(1)] = True
    return safe


def seen_rows(demonstrations, mdp):
    """The transitions learned from, or None."""
    try:
        return observed_transitions(Problem(demonstrations, mdp), None)
    except InputError:
        return None


@given(case=played(), seed=seeds)
def test_it_is_algorithm_1_with_a_constrained_q(case, seed):
    mdp, _, demonstrations = case
    if (rows := seen_rows(demonstrations, mdp)) is None:
        return
    safe = some_safe(np.random.default_rng(seed), mdp)
    found = fit(demonstrations, CIQL(safe, QUICK, constrained_step=0.4), mdp)
    columns = (rows.states, rows.actions, rows.next_states, ~rows.goes_on, rows.weights)
    reward, q, _, safe_q = inverse_q_learning(
        list(zip(*(c.tolist() for c in columns), strict=True)),
        mdp.allowed.tolist(),
        discount=mdp.discount,
        reward_step=0.05,
        q_step=0.3,
        shifted_step=0.2,
        smoothing=1e-6,
        epochs=3,
        safe=safe.tolist(),
        safe_step=0.4,
    )
    np.testing.assert_allclose(found.reward, reward, atol=1e-9)
    np.testing.assert_allclose(found.parameters["unconstrained_q"], q, atol=1e-9)
    np.testing.assert_allclose(found.q, safe_q, atol=1e-9)


@given(case=played(), seed=seeds)
def test_the_exact_point_stands_still(case, seed):
    mdp, _, demonstrations = case
    if (rows := seen_rows(demonstrations, mdp)) is None:
        return
    safe = some_safe(np.random.default_rng(seed), mdp)
    found = fit(demonstrations, CIQL(safe, EXACT), mdp)
    ahead, count = np.zeros(found.q.shape), np.zeros(found.q.shape)
    for s, a, following, on in zip(
        rows.states, rows.actions, rows.next_states, rows.goes_on, strict=True
    ):
        count[s, a] += 1
        ahead[s, a] += mdp.discount * found.q[following][safe[following]].max() if on else 0.0
    expected = np.where(count > 0, found.reward + ahead / np.maximum(count, 1), 0)
    np.testing.assert_allclose(found.q, expected, atol=1e-8)
    np.testing.assert_array_equal(found.reward, fit(demonstrations, EXACT, mdp).reward)


@settings(max_examples=15)
@given(
    case=played(),
    seed=seeds,
    learner=st.sampled_from([QUICK, EXACT]),
    behaviour=st.sampled_from(["greedy", "boltzmann"]),
)
def test_nothing_forbidden_is_ever_done(case, seed, learner, behaviour):
    mdp, _, demonstrations = case
    if seen_rows(demonstrations, mdp) is None:
        return
    safe = some_safe(np.random.default_rng(seed), mdp)
    found = fit(demonstrations, CIQL(safe, learner, behaviour=behaviour), mdp)
    assert (found.policy[~safe] == 0).all()
    np.testing.assert_allclose(found.policy.table.sum(1), 1)
    if behaviour == "greedy":
        best = np.where(safe, found.q, -np.inf).argmax(1)
        assert (found.policy[np.arange(mdp.num_states), best] > 0).all()
    else:
        np.testing.assert_array_equal(found.policy, boltzmann(found.q, safe))


def test_constraints_in_advance_are_worth_no_less_than_afterwards():
    """In every state, under the recovered reward, in the world that the transitions show."""
    gains = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        world = random_mdp(rng, 6, 4, masks=False, terminals=False)
        policy = 0.5 * random_policy(rng, world) + 0.5 / 4  # every action is seen everywhere
        demonstrations = play(rng, world, policy, trajectories=60, length=40)
        safe = some_safe(rng, world)
        learner = replace(EXACT, discount=0.9)
        found = fit(demonstrations, CIQL(safe, learner))
        assert (seen_rows(demonstrations, found.mdp).counts > 0).all()
        afterwards = greedy(found.parameters["unconstrained_q"], safe)
        ours = policy_evaluation(found.mdp, found.policy, found.reward).values
        theirs = policy_evaluation(found.mdp, afterwards, found.reward).values
        assert (ours >= theirs - 1e-9).all()
        np.testing.assert_allclose(ours, found.v, atol=1e-8)
        gains.append(float((ours - theirs).max()))
    assert sum(gain > 0.01 for gain in gains) >= 5


def three_paths():
    """The paper's example. From 0 action 0 leads to 1, where +2 is forbidden (action 0) and +0.5 is
    not (action 1); action 1 leads to 2, where there is +1. State 3 ends it.

    In 1 and 2 there is a bad action too, of a reward such that inverse Q-learning finds the rewards
    as they are and not shifted by a constant: sum_a r / n = 0 with visits n ~ exp(Q).
    """
    anchor = lambda others: brentq(  # noqa: E731
        lambda x: x * np.exp(-x) + sum(r * np.exp(-r) for r in others), -5, 0
    )
    reward = np.array([[0, 0, 0], [2, 0.5, anchor([2, 0.5])], [1, anchor([1]), 0], [0, 0, 0]])
    transitions = np.zeros((4, 3, 4))
    transitions[0, [0, 1], [1, 2]] = 1
    transitions[[1, 2], :, 3] = 1
    allowed = np.array([[1, 1, 0], [1, 1, 1], [1, 1, 0], [1, 0, 0]], bool)
    terminal = np.arange(4) == 3
    world = MDP.from_dense(
        transitions, discount=1.0, terminal=terminal, allowed=allowed, reward=reward
    )
    safe = np.ones((4, 3), bool)
    safe[1, 0] = False
    return world, safe


def returns(world, policy):
    return policy_evaluation(world, policy).values[0]


def test_three_paths_with_the_reward_known():
    world, safe = three_paths()
    free = policy_iteration(world)
    assert returns(world, free.policy) == pytest.approx(2.0)
    assert free.policy[1, 0] == 1  # and unsafe
    assert returns(world, greedy(free.q, safe & world.allowed)) == pytest.approx(0.5)
    assert returns(world, constrained_plan(world, world.reward, safe).policy) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("learner", "close"),
    [(EXACT, 1e-4), (IQL(reward_step=0.01, q_step=0.01, shifted_step=0.01, epochs=20_000), 0.1)],
    ids=["exact", "sample"],
)
def test_three_paths_with_the_reward_learned(learner, close):
    world, safe = three_paths()
    expert = boltzmann(policy_iteration(world).q, world.allowed)
    states, actions = np.nonzero(world.allowed & ~world.terminal[:, None])
    demonstrations = Demonstrations.from_arrays(
        states,
        actions,
        next_states=world.transition_matrix.toarray().argmax(1)[states * 3 + actions],
        trajectory=np.arange(states.size),
        terminated=states > 0,
    )
    found = fit(demonstrations, CIQL(safe, learner), world, weights=expert[states, actions])
    np.testing.assert_allclose(found.reward, world.reward, atol=close)
    unconstrained = found.parameters["unconstrained_q"]
    assert returns(world, greedy(unconstrained, world.allowed)) == pytest.approx(2.0)
    assert returns(world, greedy(unconstrained, safe & world.allowed)) == pytest.approx(0.5)
    assert returns(world, found.policy) == pytest.approx(1.0)


def test_without_constraints_it_is_iql():
    rng = np.random.default_rng(2)
    mdp = random_mdp(rng, 6, 3)
    demonstrations = play(rng, mdp, random_policy(rng, mdp), trajectories=20)
    for learner in (QUICK, EXACT):
        free = fit(demonstrations, learner, mdp)
        step = learner.q_step
        bound = CIQL((), learner, constrained_step=step, behaviour="boltzmann")
        found = fit(demonstrations, bound, mdp)
        np.testing.assert_allclose(found.q, free.q, atol=1e-9)
        np.testing.assert_allclose(found.policy, free.policy, atol=1e-9)


@given(mdp=mdps(), seed=seeds)
def test_planning_with_constraints_is_planning_without_the_actions(mdp, seed):
    safe = some_safe(np.random.default_rng(seed), mdp)
    plan = constrained_plan(mdp, mdp.reward, safe)
    fewer = policy_iteration(replace(mdp, allowed=safe))
    np.testing.assert_allclose(plan.values, fewer.values, atol=1e-9)
    assert (plan.policy[~safe] == 0).all()


def line():
    mdp = MDP.from_dense(np.full((3, 2, 3), 1 / 3), discount=0.9, state_names=("a", "b", "c"))
    return mdp, Demonstrations.from_arrays([0, 1, 2, 0, 1], [0, 1, 0, 1, 0])


def test_constraints_as_functions_masks_and_arrays_agree():
    mdp, demonstrations = line()
    costs = np.array([[0.0, 2.0], [1.0, 3.0], [0.5, 0.5]])
    mask = np.array([[1, 0], [1, 0], [1, 1]], bool)
    speed = Constraint(lambda s, a: costs[s, a], bound=1.0, name="speed")
    asked = Constraint(lambda s, a: float(s == 2 and a == 1), name="right")
    found = [
        fit(demonstrations, CIQL(constraints, QUICK), mdp)
        for constraints in (mask, [speed], (Constraint(costs, 1.0),))
    ]
    for other in found[1:]:
        np.testing.assert_array_equal(found[0].policy, other.policy)
    both = fit(demonstrations, CIQL([speed, asked], QUICK), mdp)
    assert both.parameters["safe"].tolist() == [[True, False], [True, False], [True, False]]
    assert both.settings["constraints"] == [
        {"name": "speed", "bound": 1.0},
        {"name": "right", "bound": 0.0},
    ]


def test_the_solution_is_saved_and_read(tmp_path):
    mdp, demonstrations = line()
    constraint = Constraint(lambda s, a: float(a), bound=0.5, name="never right")
    found = fit(demonstrations, CIQL([constraint], QUICK), mdp)
    save(found, tmp_path / "s.npz")
    again = load(tmp_path / "s.npz", Solution)
    np.testing.assert_array_equal(again.policy, found.policy)
    np.testing.assert_array_equal(again.parameters["safe"], found.parameters["safe"])


def test_what_makes_no_sense_is_refused():
    mdp, demonstrations = line()
    mask = np.array([[1, 1], [0, 0], [1, 1]], bool)
    with pytest.raises(InputError, match=r"state 1 \(b\) has no safe action \(1 such states of 3"):
        fit(demonstrations, CIQL(mask, QUICK), mdp)
    with pytest.raises(InputError, match=r"constraints must have shape \[S, A\] = 3x2"):
        fit(demonstrations, CIQL(mask[:2], QUICK), mdp)
    with pytest.raises(InputError, match="speed gives no number for state 0, action 0"):
        fit(demonstrations, CIQL([Constraint(lambda s, a: np.nan, name="speed")], QUICK), mdp)
    with pytest.raises(InputError, match="constrained_step must lie above 0"):
        CIQL((), constrained_step=0.0)
    with pytest.raises(InputError, match='"greedy" or "boltzmann"'):
        CIQL((), behaviour="bold")
