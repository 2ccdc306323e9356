"""Equivalent rewards: one policy, many rewards, each the one its rule asks for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from inverseq import InputError
from inverseq.inverse.values.iavi import IAVI, inverse_action_values
from inverseq.mdp import MDP
from inverseq.policies import boltzmann
from inverseq.rewards import gauges
from inverseq.rewards.gauges import GAUGES, Gauge, least_squares, shaping, within_state
from strategies import mdps, random_mdp, random_policy, seeds

BACKUPS = ("hard", "soft")


def first_allowed(mdp):
    return mdp.allowed.argmax(1)


def gauge_named(name, mdp):
    return Gauge(name, first_allowed(mdp)) if name == "anchor" else Gauge(name)


def dense(mdp):
    """`[S, A, S]`."""
    flat = mdp.transition_matrix.toarray()
    return flat.reshape(mdp.num_states, mdp.num_actions, mdp.num_states)


@pytest.mark.parametrize("backup", BACKUPS)
@pytest.mark.parametrize("name", GAUGES)
@given(mdp=mdps(), seed=seeds)
def test_every_gauge_explains_the_same_policy(name, backup, mdp, seed):
    policy = random_policy(np.random.default_rng(seed), mdp)
    made = inverse_action_values(
        policy, mdp, backup=backup, gauge=gauge_named(name, mdp), terminal_value=0.7
    )
    assert made.status.ok
    np.testing.assert_allclose(boltzmann(made.q, mdp.allowed), policy, atol=1e-10)
    # And it is optimal: q and v solve the Bellman equation of the reward.
    exists = mdp.allowed
    ahead = made.reward + mdp.discount * mdp.expected(made.v)
    np.testing.assert_allclose(made.q[exists], ahead[exists], atol=1e-9)
    masked = np.where(exists, made.q, -np.inf)
    value = masked.max(1) if backup == "hard" else np.log(np.exp(masked).sum(1))
    np.testing.assert_allclose(made.v, value, atol=1e-9)
    np.testing.assert_allclose(made.v[mdp.terminal], 0.7, atol=1e-9)


@pytest.mark.parametrize("backup", BACKUPS)
@given(mdp=mdps(), seed=seeds)
def test_gauges_differ_by_shaping_alone(backup, mdp, seed):
    policy = random_policy(np.random.default_rng(seed), mdp)
    made = [
        inverse_action_values(policy, mdp, backup=backup, gauge=gauge_named(name, mdp))
        for name in GAUGES
    ]
    for other in made[1:]:
        difference = (other.reward - made[0].reward).ravel()
        shaped = shaping(mdp) @ (other.v - made[0].v)
        np.testing.assert_allclose(difference, shaped, atol=1e-8)


@given(mdp=mdps(terminals=False), seed=seeds)
def test_a_known_anchor_recovers_any_reward(mdp, seed):
    # Geng and others: one action's reward known in each state, soft values.
    rng = np.random.default_rng(seed)
    true = rng.normal(size=mdp.allowed.shape) * mdp.allowed
    v = np.zeros(mdp.num_states)
    for _ in range(700):
        q = np.where(mdp.allowed, true + mdp.discount * mdp.expected(v), -np.inf)
        v = np.log(np.exp(q).sum(1))
    anchor = first_allowed(mdp)
    known = true[np.arange(mdp.num_states), anchor]
    for method in ("solve", "iterate"):
        made = inverse_action_values(
            boltzmann(q, mdp.allowed),
            mdp,
            backup="soft",
            gauge=Gauge("anchor", anchor, known),
            method=method,
        )
        np.testing.assert_allclose(made.reward, true, atol=1e-7)


@given(seed=seeds, discount=st.sampled_from([0.5, 0.9]))
def test_a_reward_on_states_comes_back_up_to_a_constant(seed, discount):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 8, 3, masks=False, terminals=False, discount=discount)
    true = np.repeat(rng.normal(size=(8, 1)), 3, axis=1)
    v = np.zeros(8)
    for _ in range(400):
        q = true + discount * mdp.expected(v)
        v = np.log(np.exp(q).sum(1))
    made = inverse_action_values(boltzmann(q, mdp.allowed), mdp, backup="soft", gauge="state-only")
    assert made.misfit == pytest.approx(0, abs=1e-8)
    difference = made.reward - true
    # The null space is the constants alone when the actions differ enough.
    centred = (within_state(mdp) @ shaping(mdp)).toarray()
    if np.linalg.matrix_rank(centred, tol=1e-6) == 7:
        np.testing.assert_allclose(difference, difference.mean(), atol=1e-6)


def test_the_misfit_is_what_no_reward_on_states_explains():
    rng = np.random.default_rng(0)
    mdp = random_mdp(rng, 6, 4, masks=False, discount=0.8)
    policy = random_policy(rng, mdp)
    made = inverse_action_values(policy, mdp, gauge="state-only")
    live = mdp.allowed & ~mdp.terminal[:, None]
    p, open_states = dense(mdp), np.flatnonzero(~mdp.terminal)

    def rest(free):
        v = np.zeros(6)
        v[open_states] = free
        reward = np.where(mdp.allowed, np.log(np.where(mdp.allowed, policy, 1)), 0)
        reward = reward + v[:, None] - mdp.discount * p @ v
        mean = np.where(live, reward, 0).sum(1) / mdp.allowed.sum(1)
        return ((reward - mean[:, None])[live] ** 2).mean()

    found = minimize(rest, np.zeros(open_states.size), method="BFGS", options={"gtol": 1e-10})
    assert made.misfit == pytest.approx(np.sqrt(found.fun), abs=1e-6)
    assert made.misfit > 0.01


def test_the_minimum_norm_is_the_minimum():
    rng = np.random.default_rng(1)
    mdp = random_mdp(rng, 6, 3, discount=0.8)
    policy = random_policy(rng, mdp)
    for backup in BACKUPS:
        made = inverse_action_values(policy, mdp, backup=backup, gauge="minimum-norm")
        live = (mdp.allowed & ~mdp.terminal[:, None]).ravel()
        size = (made.reward.ravel()[live] ** 2).sum()
        for _ in range(20):
            v = np.where(mdp.terminal, 0.0, rng.normal(size=6) * 0.1)
            other = made.reward.ravel() + shaping(mdp) @ v
            assert (other[live] ** 2).sum() > size


def test_large_problems_go_to_lsmr_and_agree(monkeypatch):
    rng = np.random.default_rng(2)
    mdp = random_mdp(rng, 60, 3, discount=0.9)
    policy = np.stack([random_policy(rng, mdp) for _ in range(2)], -1)
    small = [inverse_action_values(policy, mdp, gauge=g) for g in ("state-only", "minimum-norm")]
    monkeypatch.setattr(gauges, "_DENSE_WORK", 0.0)
    large = [inverse_action_values(policy, mdp, gauge=g) for g in ("state-only", "minimum-norm")]
    for a, b in zip(small, large, strict=True):
        assert b.status.steps > 0
        assert b.status.ok
        np.testing.assert_allclose(a.reward, b.reward, atol=1e-7)


def test_directions_that_only_rounding_tells_apart_are_left_alone():
    # Both states send their actions to the same places: a constant is open, and nearly all of the
    # matrix has cancelled.
    first = np.array([[0.34583533, 0.63122038], [0.37632591, 0.63743328]])
    mdp = MDP(
        successors=np.array([[[1, 0], [0, 1]]] * 2),
        probabilities=np.stack([first, 1 - first], axis=-1),
        discount=0.5,
    )
    policy = np.array([[0.3, 0.7], [0.6, 0.4]])
    made = inverse_action_values(policy, mdp, backup="soft", gauge="state-only")
    assert np.abs(made.reward).max() < 1e3
    free = np.linalg.svd(shaping(mdp).toarray())[0][:, 2:]
    other = inverse_action_values(policy, mdp, backup="soft")
    np.testing.assert_allclose(free.T @ made.reward.ravel(), free.T @ other.reward.ravel())


def test_least_squares_takes_the_smallest_of_many():
    matrix = within_state(MDP(np.zeros((1, 2, 1), int), np.ones((1, 2, 1)), discount=0.5))
    x, status = least_squares(matrix, np.array([[1.0], [-1.0]]))
    np.testing.assert_allclose(x, [[1.0], [-1.0]])
    assert status.ok


def test_the_state_only_misfit_is_kept_in_the_solution():
    rng = np.random.default_rng(3)
    mdp = random_mdp(rng, 6, 3)
    made = IAVI(gauge="state-only").explain(random_policy(rng, mdp), mdp)
    assert made.misfit.shape == ()
    assert IAVI().explain(random_policy(rng, mdp), mdp).misfit is None


def test_bad_gauges_say_what_to_do():
    mdp = MDP(
        np.zeros((2, 2, 1), int),
        np.ones((2, 2, 1)),
        discount=0.5,
        allowed=np.array([[True, True], [True, False]]),
    )
    policy = np.array([[0.5, 0.5], [1.0, 0.0]])
    with pytest.raises(InputError, match="anchor=0"):
        Gauge("anchor")
    with pytest.raises(InputError, match="belongs"):
        IAVI(anchor=1).explain(policy, mdp)
    for anchor, match in ((1, "does not exist in state 1"), (7, "does not exist"), ((0,) * 3, "2")):
        with pytest.raises(InputError, match=match):
            inverse_action_values(policy, mdp, gauge=Gauge("anchor", anchor))
    with pytest.raises(InputError, match="whole"):
        inverse_action_values(policy, mdp, gauge=Gauge("anchor", np.array([0.5, 0.0])))
    made = inverse_action_values(policy, mdp, gauge=Gauge("anchor", (1, 0), 2.0))
    np.testing.assert_allclose(made.reward[[0, 1], [1, 0]], 2.0)
