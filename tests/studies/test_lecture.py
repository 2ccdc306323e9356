"""The lecture's study: its numbers and tables."""

import numpy as np
import pytest

from inverseq.studies import Effort
from inverseq.studies.lecture import Settings
from inverseq.studies.lecture.study import run


@pytest.fixture(scope="module")
def done():
    return run(Settings(runs=3), Effort(seed=3))


def column(rows, name):
    return np.array([row[name] for row in rows])


def test_the_published_values_and_the_changed_policy(done):
    rows = done.tables["values"]
    wanted = [0.812, 0.868, 0.918, 1, 0.762, 0.660, -1, 0.705, 0.655, 0.611, 0.388]
    np.testing.assert_array_equal(column(rows[:11], "value").round(3), wanted)
    assert len(rows) == 22
    assert [row["best_actions"] for row in rows if row["state"] == 5] == ["up", "right"]
    # All but the way along the left and the top.
    assert "differs in the states 5, 7, 8, 9, 10." in done.sentences[0]


def test_q_learning_arrives(done):
    rows = done.tables["q_learning"]
    assert len(rows) == 3 * 200
    runs = column(rows, "run")
    assert (column(rows, "decisions")[199::200] == 200_000).all()
    for run_number in range(3):
        error = column(rows, "largest_error")[runs == run_number]
        assert error[-1] < min(0.06, error[0] / 2)
    assert "within 0.0" in done.sentences[0]


def test_one_seed_one_result(done):
    again = run(Settings(runs=3), Effort(seed=3))
    assert again.tables == done.tables
    other = run(Settings(runs=1), Effort(seed=4))
    assert other.tables["q_learning"] != done.tables["q_learning"][:200]
