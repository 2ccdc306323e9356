import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.dwell import dwell_times, runs_of, survival_of
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov, Mixture
from inverseq.inverse.fit import fit
from wishes import fitted, ring


def test_runs_end_where_another_intention_follows_and_are_cut_off_elsewhere():
    path = np.array([0, 0, 1, 1, 1, 1, 0, 0, 0])
    begins = np.zeros(9, dtype=bool)
    begins[[0, 4]] = True
    runs = runs_of(path, begins)
    assert_array_equal(runs.intention, [0, 1, 1, 0])
    assert_array_equal(runs.length, [2, 2, 2, 3])
    assert_array_equal(runs.ended, [True, False, True, False])


def test_survival_counts_runs_that_were_cut_off_until_then():
    lengths, ended = np.array([1, 2, 2, 3]), np.array([True, True, False, True])
    # After 1: 3 of 4 go on. After 2: one of the two that could be seen to, as one was cut off.
    assert_allclose(survival_of(lengths, ended, 4), [3 / 4, 3 / 8, 0, 0])


def test_geometric_runs_pass_and_have_the_mean_of_the_law():
    solution, data = fitted(20, 120)
    found = dwell_times(solution, data, seed=0, repeats=24, draws=10)
    assert len(found) == 2
    for k, dwell in enumerate(found):
        stay = solution.numbers["transition"][k, k]
        assert_allclose(dwell.law_mean, 1 / (1 - stay))
        assert_allclose(dwell.sampled_mean, dwell.law_mean, rtol=0.15)
        assert_allclose(dwell.geometric[:3], stay ** np.arange(1, 4))
        assert dwell.p_value > 0.05
        assert (dwell.low <= dwell.expected).all()
        assert (dwell.expected <= dwell.high).all()
        chances = dwell.lengths.sum() - (~dwell.ended).sum()
        assert_allclose(dwell.mean, chances / dwell.ended.sum())
    # Intentions are in the order of their shares: the one that lasts longer is first.
    runs = runs_of(data.decisions["intention"], data.step == 0)
    truth = [runs.of(k)[0].sum() / runs.of(k)[1].sum() for k in range(2)]
    assert_allclose([d.law_mean for d in found], truth, rtol=0.25)


def test_runs_that_all_last_equally_long_fail():
    rng = np.random.default_rng(0)
    wish = np.tile(np.repeat([0, 1], 12), 10)
    actions = np.concatenate([np.where(rng.random(240) < 0.9, wish, 2) for _ in range(5)])
    mdp = ring(slip=0.0)
    states = np.zeros(actions.size, dtype=int)
    for n in range(1, actions.size):
        move = (-1, 1, 0)[actions[n - 1]]
        states[n] = 0 if n % 240 == 0 else (states[n - 1] + move) % 4
    data = Demonstrations.from_arrays(states, actions, trajectory=np.repeat(np.arange(5), 240))
    solution = fit(data, Intentions(2, restarts=2), mdp)
    for dwell in dwell_times(solution, data, seed=0, repeats=24, draws=2):
        assert_allclose(np.median(dwell.lengths), 12, atol=1)
        assert dwell.p_value == pytest.approx(1 / 25)


def test_a_law_that_depends_on_the_state_has_the_mean_of_its_simulations():
    _, data = fitted()
    law = DependentMarkov()
    solution = fit(data, Intentions(2, switching=law, restarts=1), ring())
    for dwell in dwell_times(solution, data, seed=0, repeats=20, draws=10):
        assert_allclose(dwell.law_mean, dwell.sampled_mean, rtol=0.4)


def test_one_intention_and_a_mixture_have_no_dwell_times():
    _, data = fitted()
    solution = fit(data, Intentions(2, switching=Mixture(), restarts=1), ring())
    with pytest.raises(InputError, match="switching=Markov"):
        dwell_times(solution, data, seed=0)
    with pytest.raises(InputError, match="one intention never gives way"):
        dwell_times(fit(data, Intentions(1), ring()), data, seed=0)
