"""Intentions above a habit: the search rises, and habits while fitting are those of others."""

import numpy as np
import pytest

from inverseq import CountTable, Intentions, Steered, fit
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
