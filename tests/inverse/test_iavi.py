"""IAVI: against the paper's equations state by state, against itself, and its laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inverseq
from inverseq import InputError
from inverseq.decisions.counts import Counts, count
from inverseq.inverse.fit import fit
from inverseq.inverse.values.iavi import IAVI, inverse_action_values, smoothed_policy
from inverseq.mdp import MDP
from inverseq.policies import boltzmann
from strategies import mdps, play, random_mdp, random_policy, seeds

BACKUPS = ("hard", "soft")


def paper(policy, mdp, backup, terminal_value=0.0):
    """Equations 5 to 7, one least-squares problem per state, swept until nothing changes."""
    dense = mdp.transition_matrix.toarray().reshape(mdp.num_states, mdp.num_actions, -1)
    v = np.where(mdp.terminal, terminal_value, 0.0)
    reward = np.zeros(policy.shape)
    for _ in range(5000):
        before = v.copy()
        for s in np.flatnonzero(~mdp.terminal):
            a = np.flatnonzero(mdp.allowed[s])
            n = len(a)
            eta = np.log(policy[s, a]) - mdp.discount * dense[s, a] @ v
            if n > 1:
                x = np.full((n, n), -1 / (n - 1))
                np.fill_diagonal(x, 1)
                y = eta - (eta.sum() - eta) / (n - 1)
                reward[s, a] = np.linalg.lstsq(x, y, rcond=None)[0]
            q = reward[s, a] + mdp.discount * dense[s, a] @ v
            v[s] = q.max() if backup == "hard" else np.log(np.exp(q).sum())
        if np.abs(v - before).max() < 1e-13:
            break
    return reward, v


@pytest.mark.parametrize("backup", BACKUPS)
@given(mdp=mdps(max_states=5), seed=seeds, terminal_value=st.sampled_from([0.0, -2.0, 3.0]))
def test_the_solution_is_the_fixed_point_of_the_paper(backup, mdp, seed, terminal_value):
    policy = random_policy(np.random.default_rng(seed), mdp)
    made = inverse_action_values(policy, mdp, backup=backup, terminal_value=terminal_value)
    reward, v = paper(policy, mdp, backup, terminal_value)
    live = ~mdp.terminal
    assert made.status.ok
    np.testing.assert_allclose(made.reward[live], reward[live], atol=1e-9)
    np.testing.assert_allclose(made.v, v, atol=1e-9)


@pytest.mark.parametrize("backup", BACKUPS)
@given(mdp=mdps(), seed=seeds)
def test_solve_and_iterate_agree(backup, mdp, seed):
    policy = random_policy(np.random.default_rng(seed), mdp)
    solved = inverse_action_values(policy, mdp, backup=backup)
    swept = inverse_action_values(policy, mdp, backup=backup, method="iterate")
    assert swept.status.ok
    assert swept.trace.size == swept.status.steps > 0
    for name in ("reward", "q", "v"):
        np.testing.assert_allclose(getattr(solved, name), getattr(swept, name), atol=1e-8)


@pytest.mark.parametrize("backup", BACKUPS)
@pytest.mark.parametrize("states", [200, 900])
def test_solve_and_iterate_agree_in_larger_worlds(backup, states):
    rng = np.random.default_rng(states)
    mdp = random_mdp(rng, states, 5, discount=0.97)
    policy = random_policy(rng, mdp)
    solved = inverse_action_values(policy, mdp, backup=backup)
    swept = inverse_action_values(policy, mdp, backup=backup, method="iterate")
    np.testing.assert_allclose(solved.reward, swept.reward, atol=1e-8)


@pytest.mark.parametrize("backup", BACKUPS)
@given(mdp=mdps(), seed=seeds)
def test_laws_of_the_result(backup, mdp, seed):
    policy = random_policy(np.random.default_rng(seed), mdp)
    made = inverse_action_values(policy, mdp, backup=backup, terminal_value=-1.5)
    # Its Boltzmann policy is the policy, everywhere.
    np.testing.assert_allclose(boltzmann(made.q, mdp.allowed), policy, atol=1e-10)
    # Rewards average to zero over the actions that exist; an only action has none.
    mean = (made.reward * mdp.allowed).sum(1) / mdp.allowed.sum(1)
    np.testing.assert_allclose(mean[~mdp.terminal], 0, atol=1e-9)
    only = (mdp.allowed.sum(1) == 1) & ~mdp.terminal
    np.testing.assert_allclose(made.reward[only], 0, atol=1e-9)
    # The Bellman equations hold, and terminal states have the value given.
    exists = mdp.allowed
    ahead = made.reward + mdp.discount * mdp.expected(made.v)
    np.testing.assert_allclose(made.q[exists], ahead[exists], atol=1e-9)
    masked = np.where(exists, made.q, -np.inf)
    value = masked.max(1) if backup == "hard" else np.log(np.exp(masked).sum(1))
    np.testing.assert_allclose(made.v, value, atol=1e-9)
    np.testing.assert_allclose(made.v[mdp.terminal], -1.5, atol=1e-9)
    # Nothing is said of actions that do not exist.
    assert (made.reward[~exists] == 0).all()
    assert (made.q[~exists] == 0).all()


@given(mdp=mdps(), seed=seeds)
def test_many_policies_at_once_are_each_alone(mdp, seed):
    rng = np.random.default_rng(seed)
    several = np.stack([random_policy(rng, mdp) for _ in range(4)], axis=-1)
    for method in ("solve", "iterate"):
        together = inverse_action_values(several, mdp, method=method)
        for r in range(4):
            alone = inverse_action_values(several[..., r], mdp, method=method)
            for name in ("reward", "q", "v"):
                np.testing.assert_allclose(
                    getattr(together, name)[..., r], getattr(alone, name), atol=1e-8
                )


@given(mdp=mdps(), seed=seeds)
def test_renaming_the_states_renames_the_reward(mdp, seed):
    rng = np.random.default_rng(seed)
    policy = random_policy(rng, mdp)
    new_name = rng.permutation(mdp.num_states)
    old_name = np.argsort(new_name)
    renamed = MDP(
        successors=new_name[mdp.successors[old_name]],
        probabilities=mdp.probabilities[old_name],
        discount=mdp.discount,
        terminal=mdp.terminal[old_name],
        allowed=mdp.allowed[old_name],
    )
    reward = inverse_action_values(policy, mdp).reward
    again = inverse_action_values(policy[old_name], renamed).reward
    np.testing.assert_allclose(again, reward[old_name], atol=1e-9)


def test_a_true_reward_of_zero_mean_comes_back():
    rng = np.random.default_rng(3)
    mdp = random_mdp(rng, 12, 3, masks=False, terminals=False, discount=0.9)
    true = rng.normal(size=(12, 3))
    true -= true.mean(1, keepdims=True)
    q = np.zeros_like(true)
    for _ in range(600):
        q = true + mdp.discount * mdp.expected(q.max(1))
    made = inverse_action_values(boltzmann(q, mdp.allowed), mdp)
    np.testing.assert_allclose(made.reward, true, atol=1e-10)


def test_a_discount_of_one_with_an_end():
    rng = np.random.default_rng(4)
    made = random_mdp(rng, 8, 3, masks=False, discount=0.5)
    successors = made.successors.copy()
    successors[:, :, 0] = 7  # every action may lead to the end
    mdp = MDP(successors, made.probabilities, discount=1.0, terminal=np.arange(8) == 7)
    policy = random_policy(rng, mdp)
    solved = inverse_action_values(policy, mdp, terminal_value=5.0)
    swept = inverse_action_values(policy, mdp, terminal_value=5.0, method="iterate")
    np.testing.assert_allclose(solved.reward, swept.reward, atol=1e-8)
    assert solved.v[7] == pytest.approx(5.0)


def test_fit_gives_the_smoothed_table_and_a_reward():
    rng = np.random.default_rng(5)
    mdp = random_mdp(rng, 9, 3, terminals=False)
    demos = play(rng, mdp, random_policy(rng, mdp), trajectories=4, length=10)
    made = fit(demos, IAVI(smoothing=0.25), mdp)
    counts = count(demos, mdp)
    k = mdp.allowed.sum(1, keepdims=True)
    table = (counts.state_action + 0.25) / (counts.visits[:, None] + 0.25 * k) * mdp.allowed
    np.testing.assert_allclose(made.policy, table, atol=1e-12)
    np.testing.assert_allclose(boltzmann(made.q, mdp.allowed), table, atol=1e-10)
    seen = counts.visits > 0
    assert made.num_parameters == (k[seen] - 1).sum()
    np.testing.assert_array_equal(made.visits == 0, ~seen)
    assert made.settings["smoothing"] == 0.25
    # Counts alone give the same.
    same = fit(counts, IAVI(smoothing=0.25), mdp)
    np.testing.assert_array_equal(same.reward, made.reward)


def test_an_unvisited_state_is_uniform_and_marked():
    mdp = MDP(np.zeros((2, 3, 1), int), np.ones((2, 3, 1)), discount=0.9)
    made = fit(Counts(np.array([[3.0, 1.0, 0.0], [0, 0, 0]])), IAVI(), mdp)
    np.testing.assert_allclose(made.policy[1], 1 / 3)
    np.testing.assert_allclose(made.reward[1], 0, atol=1e-12)
    np.testing.assert_array_equal(made.visits, [4, 0])
    assert made.num_parameters == 2


def test_without_smoothing_terminal_states_need_no_behaviour():
    mdp = MDP(
        np.ones((2, 2, 1), int), np.ones((2, 2, 1)), discount=1.0, terminal=np.array([False, True])
    )
    made = fit(Counts(np.array([[3.0, 1.0], [0, 0]])), IAVI(smoothing=0.0), mdp)
    np.testing.assert_allclose(made.policy, [[0.75, 0.25], [0.5, 0.5]])
    policy = np.array([[0.75, 0.25], [0.0, 0.0]])
    np.testing.assert_array_equal(inverse_action_values(policy, mdp).reward, made.reward)


def test_the_factorisation_is_made_once_per_world():
    rng = np.random.default_rng(6)
    mdp = random_mdp(rng, 20, 3)
    inverse_action_values(random_policy(rng, mdp), mdp)
    factor = mdp.uniform_system.factor
    inverse_action_values(random_policy(rng, mdp), mdp, backup="soft")
    assert mdp.uniform_system.factor is factor


def test_a_fit_that_does_not_converge_is_refused_by_fit():
    rng = np.random.default_rng(7)
    mdp = random_mdp(rng, 20, 3, discount=0.99)
    counts = Counts(mdp.allowed * 3.0 * rng.random((20, 3)))
    with pytest.raises(inverseq.FitError, match="max_steps"):
        fit(counts, IAVI(method="iterate", max_steps=3), mdp)
    made = fit(counts, IAVI(method="iterate", max_steps=3), mdp, accept_failure=True)
    assert len(made.trace) == 3


def test_bad_input_says_what_to_do():
    rng = np.random.default_rng(8)
    mdp = random_mdp(rng, 6, 3, terminals=False)
    policy = random_policy(rng, mdp)
    s = int(np.argmax(mdp.allowed.sum(1) > 1))
    a, b = np.flatnonzero(mdp.allowed[s])[:2]
    zero = policy.copy()
    zero[s, b] += zero[s, a]
    zero[s, a] = 0
    missing = policy.copy()
    ghost = np.argwhere(~mdp.allowed)[0]
    missing[ghost[0]] *= 0.5
    missing[tuple(ghost)] = 0.5
    nan = policy.copy()
    nan[0] = np.nan
    for bad, match in (
        (zero, rf"policy\[{s}, {a}\] is 0.*[Ss]mooth"),
        (missing, "does not exist"),
        (policy * 2, "sum to 1"),
        (nan, "sum to 1"),
        (policy[:3], "shape"),
    ):
        with pytest.raises(InputError, match=match):
            inverse_action_values(bad, mdp)
    for settings, match in (
        ({"backup": "medium"}, "backup"),
        ({"method": "guess"}, "method"),
        ({"gauge": "gold"}, "zero-mean, anchor, state-only, minimum-norm"),
        ({"terminal_value": float("nan")}, "terminal_value"),
        ({"method": "iterate", "gauge": "state-only"}, "method='solve'"),
    ):
        with pytest.raises(InputError, match=match):
            inverse_action_values(policy, mdp, **settings)
    counts = np.zeros((6, 3))
    with pytest.raises(InputError, match=r"never visited.*smoothing"):
        smoothed_policy(counts, mdp, 0.0)
    with pytest.raises(InputError, match="smoothing must"):
        smoothed_policy(counts, mdp, -1.0)
