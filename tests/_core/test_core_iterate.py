"""The one loop: it converges, stops at its limit, and notices divergence."""

import numpy as np
import pytest

from inverseq._core.iterate import fixed_point
from inverseq._core.status import Outcome


def test_it_finds_the_fixed_point_of_a_contraction():
    found, status, trace = fixed_point(
        lambda x: 0.5 * x + 1, np.array([9.0, -4.0]), tolerance=1e-12, max_steps=200
    )
    np.testing.assert_allclose(found, 2, atol=1e-11)
    assert status.ok
    assert status.steps == trace.size < 60
    assert status.residual == trace[-1] <= 1e-12
    np.testing.assert_allclose(trace[1:] / trace[:-1], 0.5, rtol=1e-2)


def test_it_stops_at_its_limit_and_says_what_to_raise():
    _, status, trace = fixed_point(lambda x: x + 1, np.zeros(1), tolerance=0.5, max_steps=7)
    assert (status.outcome, status.steps, trace.tolist()) == (Outcome.LIMIT, 7, [1.0] * 7)
    assert "max_steps" in status.message


@pytest.mark.filterwarnings("ignore:overflow")
def test_it_notices_what_is_no_longer_finite():
    _, status, _ = fixed_point(lambda x: x * 1e200, np.ones(1), tolerance=1e-9, max_steps=50)
    assert status.outcome is Outcome.DIVERGED
    assert not status.ok
    assert status.steps < 50


def test_no_step_at_all_leaves_the_start():
    found, status, trace = fixed_point(lambda x: x + 1, np.ones(2), tolerance=1.0, max_steps=0)
    assert found.tolist() == [1, 1]
    assert (status.outcome, trace.size) == (Outcome.LIMIT, 0)
    assert np.isnan(status.residual)
