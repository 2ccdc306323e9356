"""Probabilities that are right lie on the line; others do not, by as much as they are off."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import inverseq as iq
from inverseq.policies import TabularPolicy
from strategies import random_mdp


def behaviour(policy: np.ndarray, seed: int = 0) -> tuple[iq.Solution, iq.Demonstrations]:
    """A solution with this policy `[S, A]`, and decisions by another, the first one's square."""
    states, actions = policy.shape
    mdp = random_mdp(np.random.default_rng(seed), states, actions, terminals=False, masks=False)
    solution = iq.Solution("it", {}, TabularPolicy(policy), iq.Status(iq.Outcome.CONVERGED), mdp)
    rng = np.random.default_rng(seed)
    seen = rng.integers(states, size=8000)
    drawn = np.array([rng.choice(actions, p=policy[s]) for s in seen])
    return solution, iq.Demonstrations.from_arrays(seen, drawn, trajectory=np.arange(8000) // 10)


POLICY = np.array([[0.7, 0.2, 0.1], [0.05, 0.05, 0.9], [0.4, 0.3, 0.3]])


def test_true_probabilities_lie_on_the_line():
    made = iq.calibration(*behaviour(POLICY))
    assert made.counts.sum() == 3 * 8000
    assert made.error < 0.01
    assert (np.diff(made.expected) > 0).all()
    inside = (made.low <= made.expected) & (made.expected <= made.high)
    assert inside.mean() > 0.7
    assert made.to_pandas().shape == (len(made.counts), 5)


def test_the_error_is_the_mean_distance():
    _, data = behaviour(POLICY)
    sharp = POLICY**2 / (POLICY**2).sum(axis=1, keepdims=True)
    solution, _ = behaviour(sharp)
    made = iq.calibration(solution, data, bins=1000)  # as many as there are probabilities
    share = np.bincount(data.states) / 8000
    expected = (share[:, None] * np.abs(sharp - POLICY)).sum() / 3
    assert_allclose(made.error, expected, atol=0.005)


def test_what_cannot_be_calibrated():
    solution, data = behaviour(POLICY)
    with pytest.raises(iq.InputError, match="bins must be 1 or more"):
        iq.calibration(solution, data, bins=0)
    other = iq.Demonstrations.from_arrays([0, 1], [2, 3])
    with pytest.raises(iq.InputError, match="row 2: action 3 was never seen while fitting"):
        iq.calibration(solution, other)
    silent = iq.Demonstrations.from_arrays([0, 1], [-1, -1])
    with pytest.raises(iq.InputError, match="nothing to calibrate on"):
        iq.calibration(solution, silent)
