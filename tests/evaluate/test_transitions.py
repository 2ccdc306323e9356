from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from inverseq._core.errors import InputError
from inverseq.evaluate.transitions import switching_intervals, switching_shares
from inverseq.intentions.predict import sample_intentions
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from wishes import SETTINGS, fitted, ring


def test_intervals_surround_the_estimate_and_are_as_wide_as_counting_would_have_them():
    solution, data = fitted()
    found = switching_intervals(solution, SETTINGS, data, seed=0, replicates=40)
    estimate = found.transition.estimate
    assert_allclose(estimate.sum(axis=1), 1)
    assert_allclose(estimate, solution.numbers["transition"], atol=0.02)
    assert (found.transition.low <= estimate).all()
    assert (estimate <= found.transition.high).all()
    # Counts of the paths that the intentions may have taken.
    paths = sample_intentions(solution, data, 200, seed=0)
    follows = data.continues[1:]
    pairs = np.zeros((2, 2))
    np.add.at(pairs, (paths[:, :-1][:, follows], paths[:, 1:][:, follows]), 1)
    assert_allclose(estimate, pairs / pairs.sum(axis=1, keepdims=True), atol=0.01)
    # Of intentions that could be seen, the standard error would be that of a share. Theirs is
    # larger, as they are not, but not by much, as they are easy to tell apart.
    left = solution.occupancy * data.num_decisions
    error = np.sqrt(estimate[:, 0] * estimate[:, 1] / left)
    width = (found.transition.high - found.transition.low)[:, 0] / (2 * 1.96)
    assert (width > 0.7 * error).all()
    assert (width < 2.5 * error).all()
    assert (found.occupancy.low <= solution.occupancy).all()
    assert (solution.occupancy <= found.occupancy.high).all()
    assert found.converged.all()
    assert (found.agreement > 0.9).all()
    assert (found.by, found.units) == ("trajectory", 12)


def test_a_solver_that_searches_and_a_law_of_states_have_them_too():
    _, data = fitted()
    settings = Intentions(2, MaxEnt(strength=1.0), DependentMarkov(), restarts=1, polished=1)
    solution = fit(data.take(range(9)), settings, ring())
    subjects = replace(data, trajectories={"subject": np.arange(12) // 3})
    found = switching_intervals(
        solution, settings, subjects.take(range(9)), seed=1, by="subject", replicates=3, max_steps=2
    )
    assert found.units == 3
    assert_allclose(found.transition.estimate.sum(axis=1), 1)
    shares = switching_shares(solution, settings, data.take(range(9)))
    assert_allclose(found.transition.estimate, shares)
    assert found.transition.low.shape == (2, 2)
    assert (found.transition.low < found.transition.high).all()


def test_what_cannot_be_resampled_is_refused():
    solution, data = fitted()
    with pytest.raises(InputError, match="only one trajectory"):
        switching_intervals(solution, SETTINGS, data.take([0]), seed=0)
    with pytest.raises(InputError, match="settings with which"):
        switching_intervals(solution, Intentions(3), data, seed=0)
    with pytest.raises(InputError, match="level"):
        switching_intervals(solution, SETTINGS, data, seed=0, level=95)
