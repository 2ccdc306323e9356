"""MaxEntIRL: against the enumeration of all paths, and where it parts from causal entropy."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inverseq import FitError, InputError
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.paths import MaxEntIRL, path_likelihood, path_sums, pieces_of
from inverseq.inverse.problem import Problem
from inverseq.mdp import MDP
from inverseq.worlds import gridworld
from strategies import mdps, play, random_mdp, random_policy, seeds


def all_paths(mdp, state, length):
    """Every path of at most `length` decisions from a state: (state, action, next) triples, and
    its probability in the world were all actions given."""
    if mdp.terminal[state] or length == 0:
        yield (), 1.0, state
        return
    for a, b in product(range(mdp.num_actions), range(mdp.successors.shape[2])):
        chance = mdp.probabilities[state, a, b]
        if mdp.allowed[state, a] and chance > 0:
            following = int(mdp.successors[state, a, b])
            for rest, probability, last in all_paths(mdp, following, length - 1):
                yield ((state, a, following), *rest), chance * probability, last


def weight_of(mdp, reward, path, last):
    """exp of what a path earns; in a terminal state, the sum over what may be done there."""
    earned = np.exp(sum(reward[s, a] for s, a, _ in path))
    return earned * np.exp(reward[last])[mdp.allowed[last]].sum() if mdp.terminal[last] else earned


@given(
    mdp=mdps(max_states=4, max_actions=3, max_successors=2), seed=seeds, length=st.integers(1, 3)
)
def test_sums_and_choices_are_those_of_all_paths(mdp, seed, length):
    reward = np.random.default_rng(seed).normal(size=mdp.allowed.shape)
    sums = path_sums(mdp, reward, length)
    start = int(np.argmax(~mdp.terminal))
    weights = np.zeros(mdp.num_actions)
    for path, probability, last in all_paths(mdp, start, length):
        weights[path[0][1]] += probability * weight_of(mdp, reward, path, last)
    np.testing.assert_allclose(sums.v[length, start], np.log(weights.sum()), atol=1e-10)
    np.testing.assert_allclose(sums.policy[-1, start], weights / weights.sum(), atol=1e-10)


def log_share(mdp, reward, path, start, length):
    """Logarithm of the share of a path among all of its length, P(path) of Equation 4."""
    shares = {}
    for other, probability, last in all_paths(mdp, start, length):
        shares[other] = shares.get(other, 0.0) + probability * weight_of(mdp, reward, other, last)
    return np.log(shares[path] / sum(shares.values()))


@given(mdp=mdps(max_states=4, max_actions=2, max_successors=2), seed=seeds)
def test_the_likelihood_is_that_of_whole_paths(mdp, seed):
    rng = np.random.default_rng(seed)
    demos = play(rng, mdp, random_policy(rng, mdp), trajectories=4, length=3)
    pieces = pieces_of(Problem(demos, mdp), None)

    def by_enumeration(reward):
        total = 0.0
        for first, end in zip(demos.starts[:-1], demos.starts[1:], strict=True):
            rows = range(first, end)
            path = tuple(
                (int(demos.states[i]), int(demos.actions[i]), int(demos.next_states[i]))
                for i in rows
            )
            total += log_share(mdp, reward, path, path[0][0], len(path))
        return total

    one, two = rng.normal(size=(2, *mdp.allowed.shape))
    # The value leaves out what does not depend on the reward.
    found = path_likelihood(mdp, one, pieces)[0] - path_likelihood(mdp, two, pieces)[0]
    np.testing.assert_allclose(found, by_enumeration(one) - by_enumeration(two), atol=1e-9)


@pytest.mark.parametrize("horizon", [None, 1, 2, 5])
@given(mdp=mdps(max_states=5), seed=seeds)
def test_the_gradient_is_that_of_finite_differences(horizon, mdp, seed):
    rng = np.random.default_rng(seed)
    demos = play(rng, mdp, random_policy(rng, mdp), trajectories=3, length=6, missing=0.1, gaps=0.1)
    weights = rng.random(demos.num_decisions) + 0.1
    if not (demos.actions >= 0).any():
        return
    pieces = pieces_of(Problem(demos, mdp, weights=weights), horizon)
    reward = rng.normal(size=mdp.allowed.shape)
    _, slope = path_likelihood(mdp, reward, pieces)
    towards = rng.normal(size=mdp.allowed.shape) * mdp.allowed
    up, down = (path_likelihood(mdp, reward + e * towards, pieces)[0] for e in (1e-5, -1e-5))
    np.testing.assert_allclose((slope * towards).sum(), (up - down) / 2e-5, atol=1e-5)


def gamble() -> MDP:
    """From state 0: action 0 surely leads to 1, action 1 to 2 or 3 with even chances."""
    transitions = np.zeros((4, 2, 4))
    transitions[0, 0, 1] = 1
    transitions[0, 1, [2, 3]] = 0.5
    transitions[[1, 2, 3], :, [1, 2, 3]] = 1
    return MDP.from_dense(transitions, discount=0.5, initial=np.eye(4)[0])


def test_a_gamble_is_worth_its_luck():
    mdp = gamble()
    reward = np.zeros((4, 2))
    reward[1], reward[2], reward[3] = 0.0, -2.0, 2.0
    policy = path_sums(mdp, reward, 2).policy[-1][0]
    # Causal entropy is indifferent, as both actions earn 0 in the mean.
    assert policy[1] == pytest.approx(np.cosh(2) / (1 + np.cosh(2)))


@given(seed=seeds, length=st.integers(1, 5))
def test_with_certain_outcomes_it_is_causal_entropy(seed, length):
    mdp = random_mdp(np.random.default_rng(seed), 6, 3, successors=1, terminals=False)
    reward = np.random.default_rng(seed).normal(size=(6, 3))
    v = np.zeros(6)
    for _ in range(length):
        q = np.where(mdp.allowed, reward + mdp.expected(v), -np.inf)
        v = np.log(np.exp(q).sum(1))
    np.testing.assert_allclose(path_sums(mdp, reward, length).v[-1], v, atol=1e-9)


@given(mdp=mdps(terminals=False), seed=seeds)
def test_a_constant_reward_explains_nothing(mdp, seed):
    reward = np.random.default_rng(seed).normal(size=mdp.allowed.shape)
    once, more = path_sums(mdp, reward, 4), path_sums(mdp, reward + 3.0, 4)
    np.testing.assert_allclose(more.policy, once.policy, atol=1e-9)
    np.testing.assert_allclose(more.v[-1], once.v[-1] + 12.0, atol=1e-9)


def test_large_rewards_do_not_overflow():
    mdp = random_mdp(np.random.default_rng(0), 6, 3)
    reward = 1e4 * np.random.default_rng(1).normal(size=(6, 3))
    sums = path_sums(mdp, reward, 50)
    np.testing.assert_allclose(sums.policy.sum(2), 1)
    assert np.isfinite(sums.v).all()


def drawn_paths(mdp, reward, length, trajectories, rng):
    """Paths from the distribution over paths itself, in which outcomes are chosen as well."""
    sums = path_sums(mdp, reward, length)
    states, actions, following = [], [], []
    for _ in range(trajectories):
        s = int(rng.choice(mdp.num_states, p=mdp.initial))
        for k in range(length, 0, -1):
            a = int(rng.choice(mdp.num_actions, p=sums.policy[k - 1, s]))
            b = int(rng.choice(mdp.successors.shape[2], p=sums.leads[k - 1, s, a]))
            states.append(s)
            actions.append(a)
            s = int(mdp.successors[s, a, b])
            following.append(s)
    label = np.repeat(np.arange(trajectories), length)
    return Demonstrations.from_arrays(states, actions, next_states=following, trajectory=label)


def test_a_known_reward_comes_back():
    rng = np.random.default_rng(5)
    mdp = random_mdp(rng, 10, 3, features=2, masks=False, terminals=False)
    weights = np.array([1.0, -0.7])
    demos = drawn_paths(mdp, mdp.features @ weights, 6, 1500, rng)
    solution = fit(demos, MaxEntIRL(strength=1e-6, tolerance=1e-8), mdp)
    np.testing.assert_allclose(solution.parameters["weights"], weights, atol=0.05)
    assert solution.settings["planned"] == 6
    assert solution.q.shape == (10, 3)


def test_pieces_of_a_given_length():
    board = gridworld(5, 1, start=(0, 0)).mdp
    walk = Demonstrations.from_arrays([0, 1, 2, 3, 4], [1] * 5, next_states=[1, 2, 3, 4, 4])
    assert pieces_of(Problem(walk, board), None).to_go.tolist() == [5, 4, 3, 2, 1]
    cut = pieces_of(Problem(walk, board), 2)
    assert cut.to_go.tolist() == [2, 1, 2, 1, 1]
    assert cut.next_states.tolist() == [1, -1, 3, -1, -1]


def test_arriving_at_an_end_counts():
    board = gridworld(3, 1, wins=[(2, 0)], start=(0, 0)).mdp
    walk = Demonstrations.from_arrays([0, 1], [1, 1], next_states=[1, 2], terminated=[False, True])
    assert pieces_of(Problem(walk, board), None).next_states.tolist() == [1, 2]
    solution = fit(walk, MaxEntIRL("states", strength=0.1), board)
    assert solution.reward[2, 0] > solution.reward[1, 0] + 1, "the end is what is wanted"


def test_counts_are_not_enough():
    rng = np.random.default_rng(0)
    mdp = random_mdp(rng, 5, 2)
    demos = play(rng, mdp, random_policy(rng, mdp))
    with pytest.raises(InputError, match="the demonstrations themselves"):
        fit(count(demos, mdp), MaxEntIRL("states"), mdp)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"horizon": 0}, "horizon must be"), ({"strength": -1.0}, "strength must be")],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        MaxEntIRL(**settings)


def test_nothing_to_fit_is_said():
    mdp = gridworld(3, 1).mdp
    with pytest.raises(InputError, match="no path to fit"):
        fit(Demonstrations.from_arrays([0, 1], [-1, -1]), MaxEntIRL("states"), mdp)


def test_a_search_cut_short_is_said():
    rng = np.random.default_rng(0)
    mdp = random_mdp(rng, 8, 3, terminals=False)
    demos = play(rng, mdp, random_policy(rng, mdp), trajectories=20)
    with pytest.raises(FitError, match="stopped at the limit"):
        fit(demos, MaxEntIRL("states", max_steps=3), mdp)


def test_progress_is_reported():
    rng = np.random.default_rng(0)
    mdp = replace(random_mdp(rng, 5, 2), reward=None)
    demos = play(rng, mdp, random_policy(rng, mdp))
    seen = []
    fit(demos, MaxEntIRL("states"), mdp, progress=lambda *made: seen.append(made))
    assert seen[0] == ("paths", 2, 2000)
