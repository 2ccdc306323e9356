"""Intentions above a habit: the search rises, and habits while fitting are those of others."""

import numpy as np
import pytest

from inverseq import MDP, ColumnLogit, CountTable, Demonstrations, Intentions, Steered, fit
from inverseq.datasets import mice
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.problem import Problem
from inverseq.worlds import labyrinth, labyrinth_features

HABIT = CountTable(2, smoothing=1.0)


@pytest.fixture(scope="module")
def problem():
    few = mice().demonstrations.take(range(8))
    return Problem(few, labyrinth_features(labyrinth(0.0), ["depth", "turn"], history=2))


def test_objective_never_falls(problem):
    settings = Intentions(
        2, Steered(HABIT, folds=4, max_steps=5), restarts=2, polished=1, max_steps=8
    )
    found = fit(problem.demonstrations, settings, problem.mdp, accept_failure=True)
    assert len(found.trace) > 3
    assert (np.diff(found.trace) > -1e-6).all()


def test_habits_while_fitting_are_those_of_other_trajectories(problem):
    data = problem.demonstrations
    steering = Steered(HABIT, strength=1e9, folds=8).settle(problem)
    found = steering.fitted_probabilities(steering.solve(problem))  # so strong a prior: the habit
    for unit in (0, 5):
        others = HABIT.solve(Problem(data.take(np.arange(8) != unit), problem.mdp))
        expected = action_probabilities(others, data.take([unit]))
        np.testing.assert_allclose(found[data.trajectory_of == unit], expected, atol=1e-5)


def habits_that_change(seed: int) -> Demonstrations:
    """Two habits over six contexts, in turns by trajectory."""
    rng = np.random.default_rng(seed)
    trajectory = np.repeat(np.arange(10), 20)
    here = rng.integers(0, 6, 200)
    likely = np.exp(rng.normal(size=(2, 6, 3)))[trajectory % 2, here]
    shares = np.cumsum(likely / likely.sum(axis=1, keepdims=True), axis=1)
    actions = (rng.random(200)[:, None] > shares).sum(axis=1)
    columns = {"all": np.zeros(200, int), "here": here}
    return Demonstrations.from_arrays(here, actions, trajectory=trajectory, decisions=columns)


@pytest.mark.parametrize("seed", range(11))
def test_a_regression_counts_its_prior_into_what_the_search_raises(seed):
    data = habits_that_change(seed)
    habit = ColumnLogit(("all", "here"), (1.0, 8.0), tolerance=1e-7)
    settings = Intentions(2, habit, restarts=2, polished=1, seed=seed, max_steps=10)
    world = MDP.estimate(data, discount=0.9, smoothing=1.0)
    found = fit(data, settings, world, accept_failure=True)
    assert "would have fallen" not in found.status.message
    assert (np.diff(found.trace) > -1e-6).all()
    prior = sum(habit.log_prior(part) for part in found.intentions)
    prior += float(found.switching.log_prior({k: v[None] for k, v in found.numbers.items()})[0])
    assert prior < -1
    np.testing.assert_allclose(found.trace[-1], found.log_likelihood + prior, atol=1e-6)
