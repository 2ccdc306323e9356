"""The likeliest temperature: found again in simulated choices, and a softmax by hand."""

import numpy as np
import pytest

from inverseq.evaluate.temperature import likeliest_temperature, log_softmax_of


def test_chances_are_a_softmax():
    q = np.array([[0.0, 1.0, 2.0, -1.0], [800.0, 0.0, 0.0, 0.0]])
    made = log_softmax_of(q, np.array([2, 0]))
    assert made[0] == pytest.approx(2 - np.log(np.exp(q[0]).sum()))
    assert made[1] == 0.0


@pytest.mark.parametrize("true", [0.3, 1.0, 4.0])
def test_the_temperature_behind_choices_is_found(true):
    rng = np.random.default_rng(0)
    q = rng.normal(size=(40_000, 3))
    # The largest of values with Gumbel noise is a draw from their softmax (Luce 1959).
    actions = (q / true + rng.gumbel(size=q.shape)).argmax(1)
    assert likeliest_temperature(q, actions) == pytest.approx(true, rel=0.06)


def test_what_is_always_best_is_as_cold_as_allowed():
    q = np.random.default_rng(1).normal(size=(200, 3))
    assert likeliest_temperature(q, q.argmax(1), lowest=0.5) == pytest.approx(0.5, rel=0.02)
