"""The smoothing that a table of counts chooses."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from test_count_table import rows_of, some_play

from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.tables.leave_out import (
    choose_smoothing,
    held_out_likelihood,
    leave_out,
    luce,
)


def test_the_slope_of_the_held_out_likelihood_equals_differences():
    mdp, _, demos = some_play(gaps=0.1)
    rows, levels = rows_of(demos, mdp, 3)
    data = leave_out(rows, levels[:, 1:], luce(rows, 0.5, left_out=True))
    logs = np.random.default_rng(1).normal(size=(3, 2))
    slope = held_out_likelihood(data, np.exp(logs))[1]
    for index in np.ndindex(3, 2):
        step = np.zeros((3, 2))
        step[index] = 1e-5
        rise = [held_out_likelihood(data, np.exp(logs + s * step))[0] for s in (1, -1)]
        assert_allclose(slope[index], (rise[0] - rise[1]) / 2e-5, rtol=1e-5, atol=1e-9)


def test_the_chosen_smoothing_is_the_best_of_a_grid():
    mdp, _, demos = some_play()
    rows, levels = rows_of(demos, mdp, 1)
    data = leave_out(rows, levels[:, 1:], luce(rows, 0.5, left_out=True))
    chosen, status, trace = choose_smoothing(data, backoff=True)
    best = held_out_likelihood(data, chosen)[0]
    assert status.ok
    assert_allclose(trace[-1], best)
    assert (np.diff(trace) >= 0).all()
    for shorter in np.geomspace(0.01, 100, 12):
        for even in np.geomspace(0.01, 100, 12):
            assert held_out_likelihood(data, np.array([[shorter, even]]))[0] <= best + 1e-7


def test_smoothing_chosen_without_back_off_is_the_best_of_a_line():
    mdp, _, demos = some_play(3)
    solution = fit(demos, CountTable(2, backoff=False), mdp)
    smoothing = solution.parameters["smoothing"]
    assert_array_equal(smoothing[:, 0], 0)
    assert smoothing[0, 1] == 0
    rows, levels = rows_of(demos, mdp, 2)
    data = leave_out(rows, levels[:, 2:], luce(rows, 0.5, left_out=True))
    best = held_out_likelihood(data, smoothing[1:])[0]
    for even in np.geomspace(0.01, 100, 50):
        assert held_out_likelihood(data, np.array([[0.0, even]]))[0] <= best + 1e-7


def test_the_marginal_expects_as_many_of_each_action_as_were_seen():
    """Where the likelihood of a Luce model peaks, expected and seen counts agree."""
    mdp, _, demos = some_play(23)
    solution = fit(demos, CountTable(0, smoothing=1e-9), mdp)
    expected = action_probabilities(solution, demos).sum(0)
    assert_allclose(expected, np.bincount(demos.actions, minlength=4), rtol=1e-5)
    forced = mdp.allowed[demos.states].sum(1) == 1
    weights = np.where(forced, 5.0, 1.0)
    heavy = fit(demos, CountTable(0, smoothing=1e-9), mdp, weights=weights)
    assert forced.any()
    assert_allclose(heavy.parameters["marginal"], solution.parameters["marginal"], rtol=1e-5)
