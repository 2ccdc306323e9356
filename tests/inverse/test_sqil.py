"""SQIL: its reward is the share of the demonstrated, and it comes back to what was demonstrated."""

from dataclasses import replace

import jax
import numpy as np
import pytest

import inverseq as iq
from inverseq.forward import simulator_of
from inverseq.networks import FullyConnected
from inverseq.policies.network import network_q
from inverseq.training.batch import Batch
from inverseq.training.rule import Learner

LEFT, STAY, RIGHT = range(3)
PLACES = 6


@pytest.fixture(scope="module")
def circle():
    """Six places in a circle; the expert goes from 0 to 3 and stays. Nobody is seen in 4 and 5."""
    places, steps = np.arange(PLACES), np.array([-1, 0, 1])
    following = (places[:, None] + steps) % PLACES
    mdp = iq.MDP(following[:, :, None], np.ones((PLACES, 3, 1)), 0.8)
    states, actions = np.array([0, 1, 2, 3, 3, 3]), np.array([RIGHT] * 3 + [STAY] * 3)
    eye = np.eye(PLACES)
    data = iq.Demonstrations.from_arrays(
        eye[states], actions, next_states=eye[following[states, actions]]
    )
    solver = iq.SQIL(
        0,
        0.8,
        simulator_of(mdp, np.zeros((PLACES, 3)), max_moves=10),
        FullyConnected(()),
        temperature=0.5,  # so that all is tried
        follow=0.05,
        lessons=iq.Lessons(2000, 64, 0.03),
    )
    return iq.fit(data, solver), data, solver


def test_its_reward_is_the_share_of_the_demonstrated(circle):
    solution, data, _ = circle
    q = network_q(solution.policy, np.eye(PLACES))
    v = np.log(np.exp(q).sum(axis=1))
    following = (np.arange(PLACES)[:, None] + [-1, 0, 1]) % PLACES
    reward = 0.5 * (q - 0.8 * v[following])
    shown = np.zeros((PLACES, 3), dtype=bool)
    shown[data.states.argmax(axis=1), data.actions] = True
    assert reward[shown].min() > 0.3
    assert reward[shown].max() < 1.1
    assert np.abs(reward[~shown]).max() < 0.1
    read = 0.5 * iq.transition_rewards(solution, data)
    np.testing.assert_allclose(read, reward[data.states.argmax(1), data.actions], rtol=1e-4)


def test_where_nobody_was_seen_it_comes_back_and_a_clone_does_not(circle):
    solution, data, _ = circle
    everywhere = iq.Demonstrations.from_arrays(np.eye(PLACES), np.zeros(PLACES, dtype=int))
    chances = solution.probabilities(everywhere)
    assert chances.argmax(axis=1).tolist() == [RIGHT, RIGHT, RIGHT, STAY, LEFT, RIGHT]
    clone = iq.fit(data, iq.BehaviourCloning(0, FullyConnected(()), iq.Lessons(300), num_actions=3))
    assert chances[4, LEFT] > clone.probabilities(everywhere)[4, LEFT] + 0.2


def test_a_seed_decides_everything_and_a_file_holds_it(circle, tmp_path):
    _, data, solver = circle
    quick = replace(solver, lessons=iq.Lessons(30, 8))
    one, again, other = (iq.fit(data, replace(quick, seed=s)) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.probabilities(data), again.probabilities(data))
    assert np.abs(one.probabilities(data) - other.probabilities(data)).max() > 1e-4
    read = iq.load(iq.save(one, tmp_path / "it.npz"), iq.Solution)
    np.testing.assert_array_equal(read.probabilities(data), one.probabilities(data))
    assert "a world of 6 states" in read.settings["simulator"]
    assert one.status.steps == 30


def test_what_the_world_ends_is_worth_what_was_said(circle):
    """One loss by hand: a move that ends the game, of the expert and of the learner."""
    _, _, solver = circle
    solver = replace(solver, terminal_value=5.0, own=0.5)
    network = FullyConnected(()).build(jax.random.key(0), (2,), 3)
    seen = jax.numpy.eye(2)[:1]
    none = jax.numpy.zeros(1)
    ended = Batch(seen, none.astype(int), none, seen, none, none == 0)
    learner = Learner({"q": network}, {"q": network}, {}, jax.numpy.int32(0))
    made = float(network(seen[0])[0])
    expected = (made - 1 - 0.8 * 5) ** 2 + 0.5 * (made - 0.8 * 5) ** 2
    found = solver.loss(network, learner, jax.random.key(0), ended, ended)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_what_cannot_be_learned_is_refused(circle):
    _, data, solver = circle
    numbers = iq.Demonstrations.from_arrays([0, 1, 0], [0, 1, 0])
    with pytest.raises(iq.InputError, match="simulator_of"):
        iq.fit(numbers, solver)
    with pytest.raises(iq.InputError, match=r"of shape \(2,\), the simulator shows \(6,\)"):
        iq.fit(iq.Demonstrations.from_arrays(data.states[:, :2], data.actions), solver)
    for change, words in (
        ({"discount": 1.0}, "below 1"),
        ({"own": 0.0}, "above 0"),
        ({"every": 0}, "1 or more"),
        ({"follow": 0.0}, "share above 0"),
    ):
        with pytest.raises(iq.InputError, match=words):
            replace(solver, **change)
