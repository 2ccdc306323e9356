"""Switching intentions: frequencies of the chain, geometric dwell times, which state decides."""

import numpy as np
import pytest
from hypothesis import given

from inverseq import Ending, InputError, align, worlds
from inverseq.forward import simulate, simulate_switching
from inverseq.policies import uniform
from strategies import mdps, random_policy, seeds

STICKY = np.array([[0.9, 0.1], [0.3, 0.7]])


def within(seen, wanted, counts):
    """Every share is within 5 standard errors of its probability."""
    error = 5 * np.sqrt(np.maximum(wanted * (1 - wanted), 1e-12) / counts)
    return (np.abs(seen - wanted) <= error + 1e-12).all()


def moves(demos, by):
    """Counts `[S, K, K]` of intentions before and after, by the state of the row `by`."""
    now = np.flatnonzero(demos.continues)
    count = np.zeros((demos.num_states, 2, 2))
    state = demos.states[now if by == "state" else now - 1]
    chosen = demos.decisions["intention"]
    np.add.at(count, (state, chosen[now - 1], chosen[now]), 1)
    return count


@given(mdps(), seeds)
def test_every_decision_is_one_of_its_intention(mdp, seed):
    rng = np.random.default_rng(seed)
    policies = np.stack([random_policy(rng, mdp) for _ in range(3)])
    ring = np.roll(np.eye(3), 1, axis=1)
    seen = simulate_switching(
        policies, [0.0, 1.0, 0.0], ring, mdp, trajectories=4, length=6, seed=seed
    )
    chosen = seen.decisions["intention"]
    np.testing.assert_array_equal(chosen, (seen.step + 1) % 3)
    assert (policies[chosen, seen.states, seen.actions] > 0).all()
    np.testing.assert_array_equal(seen.terminated, mdp.terminal[seen.next_states])
    assert seen.num_trajectories == 4
    last = seen.starts[1:] - 1
    assert (seen.terminated[last] | (np.diff(seen.starts) == 6)).all()


def test_the_intentions_follow_their_matrix_and_the_actions_their_policy():
    mdp = worlds.gridworld(3, 3, wind=0.3, stay=True).mdp
    rng = np.random.default_rng(0)
    policies = np.stack([random_policy(rng, mdp) for _ in range(2)])
    seen = simulate_switching(
        policies, [0.2, 0.8], STICKY, mdp, trajectories=2000, length=60, seed=1
    )
    chosen = seen.decisions["intention"]
    first = np.bincount(chosen[seen.starts[:-1]], minlength=2) / 2000
    assert within(first, np.array([0.2, 0.8]), 2000)
    count = moves(seen, "state").sum(0)
    assert within(count / count.sum(1, keepdims=True), STICKY, count.sum(1, keepdims=True))
    acts = np.zeros(policies.shape)
    np.add.at(acts, (chosen, seen.states, seen.actions), 1)
    visits = acts.sum(2, keepdims=True)
    assert within(acts / visits, policies, visits)


def test_dwell_times_are_geometric():
    mdp = worlds.gridworld(2, 1).mdp
    both = np.stack([uniform(mdp.allowed)] * 2)
    seen = simulate_switching(both, [1.0, 0.0], STICKY, mdp, trajectories=20, length=5000, seed=2)
    for k, stay in enumerate(np.diag(STICKY)):
        lengths = []
        for row in seen.decisions["intention"].reshape(20, 5000):
            edges = np.flatnonzero(np.diff(row)) + 1
            runs = np.diff(edges)  # first and last runs are cut off
            lengths += runs[row[edges[:-1]] == k].tolist()
        lengths = np.array(lengths)
        assert within((lengths > 1).mean(), stay, lengths.size)
        assert within((lengths > 4).mean(), stay**4, lengths.size)
        sd = np.sqrt(stay) / (1 - stay)
        assert abs(lengths.mean() - 1 / (1 - stay)) < 5 * sd / np.sqrt(lengths.size)


@pytest.mark.parametrize("by", ["state", "previous state"])
def test_switching_can_depend_on_the_state_now_or_before(by):
    mdp = worlds.gridworld(3, 2, wind=0.5, stay=True).mdp
    rng = np.random.default_rng(5)
    law = rng.dirichlet(np.ones(2), size=(mdp.num_states, 2))
    policies = np.stack([random_policy(rng, mdp) for _ in range(2)])
    seen = simulate_switching(
        policies, [0.5, 0.5], law, mdp, trajectories=1000, length=50, seed=3, depends_on=by
    )
    count = moves(seen, by)
    total = count.sum(2, keepdims=True)
    assert within(count / total, law, total)
    other = moves(seen, "previous state" if by == "state" else "state")
    assert not within(other / other.sum(2, keepdims=True), law, other.sum(2, keepdims=True))


def test_one_intention_is_plain_simulation_in_distribution():
    mdp = worlds.four_by_three().mdp
    policy = uniform(mdp.allowed)
    one = simulate_switching([policy], [1.0], [[1.0]], mdp, trajectories=3000, length=40, seed=0)
    plain = simulate(mdp, policy, trajectories=3000, steps=40, seed=1)
    spread = np.hypot(*(np.diff(d.starts).std() for d in (one, plain))) / np.sqrt(3000)
    assert abs(np.diff(one.starts).mean() - np.diff(plain.starts).mean()) < 5 * spread
    assert (one.endings == Ending.TERMINATED).sum() > 2000


def test_states_with_history_are_written_without_it():
    mdp = worlds.labyrinth().mdp.with_history(2)
    policies = np.stack([uniform(mdp.allowed)] * 2)
    seen = simulate_switching(policies, [0.5, 0.5], STICKY, mdp, trajectories=5, length=30, seed=0)
    assert seen.states.max() < 127
    assert (policies[0][align(seen, mdp), seen.actions] > 0).all()


def test_one_seed_one_behaviour():
    mdp = worlds.gridworld(3, 3).mdp
    both = np.stack([uniform(mdp.allowed)] * 2)
    draw = lambda s: simulate_switching(  # noqa: E731
        both, [0.5, 0.5], STICKY, mdp, trajectories=3, length=30, seed=s
    )
    np.testing.assert_array_equal(draw(1).decisions["intention"], draw(1).decisions["intention"])
    assert (draw(1).actions != draw(2).actions).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trajectories": 0}, "1 or more trajectories"),
        ({"depends_on": "action"}, '"state" or "previous state"'),
        ({"initial": [0.5, 0.6]}, r"initial = \[0.5, 0.6\] must be probabilities"),
        ({"initial": [1.0]}, "initial"),
        ({"transitions": [[1.0, 0.0], [0.5, 0.4]]}, r"transitions\[0, 1\] = \[0.5, 0.4\]"),
        ({"transitions": np.ones((3, 2, 2)) / 2}, "transitions"),
        ({"policies": np.ones((2, 4, 4))}, r"policy\[0\]"),
    ],
)
def test_what_is_no_model_is_refused(change, message):
    mdp = worlds.gridworld(2, 2).mdp
    given = {
        "policies": np.stack([uniform(mdp.allowed)] * 2),
        "initial": [0.5, 0.5],
        "transitions": STICKY,
        "mdp": mdp,
        "trajectories": 2,
        "length": 3,
        "seed": 0,
    } | change
    with pytest.raises(InputError, match=message):
        simulate_switching(**given)
