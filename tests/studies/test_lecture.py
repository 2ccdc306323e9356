"""The lecture's study: its numbers and tables."""

import numpy as np
import pytest

from inverseq.studies import Effort
from inverseq.studies.lecture import Settings
from inverseq.studies.lecture.study import run


@pytest.fixture(scope="module")
def done():
    return run(Settings(runs=3), Effort(seed=3))


def test_the_published_values_and_the_changed_policy(done):
    result = done.record
    wanted = [0.812, 0.868, 0.918, 1, 0.762, 0.660, -1, 0.705, 0.655, 0.611, 0.388]
    np.testing.assert_array_equal(result.values[0].round(3), wanted)
    assert result.changed == (5, 7, 8, 9, 10), "all but the way along the left and the top"


def test_q_learning_arrives(done):
    result = done.record
    assert result.curves.shape == (3, 200, 11)
    assert result.steps[-1] == 200_000
    assert result.errors.max() < 0.06
    first = np.abs(result.curves[:, 0] - result.values[0]).max(1)
    assert (result.errors < first / 2).all()


def test_the_tables_hold_the_numbers(done):
    result, rows = done.record, done.tables["values"]
    assert len(rows) == 22
    np.testing.assert_allclose([r["value"] for r in rows], result.values.ravel(), atol=1e-6)
    assert [r["best_actions"] for r in rows if r["state"] == 5] == ["up", "right"]
    learned = done.tables["q_learning"]
    assert len(learned) == 3 * 200
    assert learned[-1]["largest_error"] == pytest.approx(result.errors[-1], abs=1e-6)


def test_one_seed_one_result(done):
    again = run(Settings(runs=3), Effort(seed=3))
    np.testing.assert_array_equal(again.record.curves, done.record.curves)
    other = run(Settings(runs=1), Effort(seed=4))
    assert (other.record.curves[0] != done.record.curves[0]).any()
