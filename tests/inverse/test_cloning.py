"""Behaviour cloning: the likelihood it maximises, and games held out."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from inverseq._core.errors import InputError
from inverseq.decisions.counts import Counts
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.inverse.deep.cloning import BehaviourCloning
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.networks import FullyConnected
from inverseq.training.lessons import Lessons
from strategies import random_mdp


def test_a_table_without_a_prior_is_counting():
    mdp = random_mdp(np.random.default_rng(0), 6, 3)
    counts = np.random.default_rng(1).integers(1, 30, (6, 3)) * mdp.allowed * 1.0
    solution = fit(Counts(counts), BehaviourCloning(0, strength=0.0), mdp)
    assert_allclose(solution.policy, counts / counts.sum(1, keepdims=True), atol=1e-5)
    shy = fit(Counts(counts), BehaviourCloning(0, strength=1e6), mdp)
    assert_allclose(shy.policy, mdp.allowed / mdp.allowed.sum(1, keepdims=True), atol=1e-3)


def noise(trajectories: int = 40) -> Demonstrations:
    """Features that say nothing about the actions."""
    rng = np.random.default_rng(2)
    size = trajectories * 5
    return Demonstrations.from_arrays(
        rng.normal(size=(size, 8)),
        rng.integers(0, 3, size),
        trajectory=np.repeat(np.arange(trajectories), 5),
        terminated=np.tile([0, 0, 0, 0, 1], trajectories).astype(bool),
    )


def test_games_held_out_stop_the_learning_of_noise():
    network, lessons = FullyConnected((64,)), Lessons(1000, 32, 0.01)
    solver = BehaviourCloning(0, network, lessons)
    demos, other = noise(), noise(80).take(np.arange(40, 80))
    to_the_end, stopped, penalised = (
        log_likelihood(fit(demos, s), other).mean
        for s in (
            solver,
            replace(solver, held_out=0.25),
            replace(solver, lessons=replace(lessons, decay=0.05)),
        )
    )
    assert stopped > to_the_end + 0.3
    assert penalised > to_the_end + 0.3
    assert stopped > -1.3  # log 3 = 1.0986 is chance


def test_a_linear_network_finds_the_weights_of_a_logistic_regression():
    rng = np.random.default_rng(3)
    weights, states = rng.normal(size=(3, 4)), rng.normal(size=(4000, 4))
    gumbel = rng.gumbel(size=(4000, 3))
    demos = Demonstrations.from_arrays(
        states, (states @ weights.T + gumbel).argmax(1), terminated=np.ones(4000, bool)
    )
    solver = BehaviourCloning(0, FullyConnected(()), Lessons(600, 128, 0.03))
    found = action_probabilities(fit(demos, solver), demos)
    logits = states @ weights.T
    expected = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert np.abs(found - expected).mean() < 0.025


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match="held_out must be a share"):
        BehaviourCloning(0, held_out=1.0)
    with pytest.raises(InputError, match="strength must be 0 or more"):
        BehaviourCloning(0, strength=-1.0)
    demos = noise(4)
    with pytest.raises(InputError, match="leave mdp out"):
        fit(demos, BehaviourCloning(0), random_mdp(np.random.default_rng(0), 3, 3))
