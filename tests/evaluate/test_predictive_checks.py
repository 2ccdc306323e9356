from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.predictive_checks import Check, PredictiveChecks, check_predictions
from inverseq.evaluate.simulated import simulate_like
from wishes import fitted


def test_statistics_are_those_of_the_rows():
    solution, _ = fitted()
    data = Demonstrations.from_arrays(
        [0, 1, 2, 1, 0, 3, 3, 3],
        [1, 1, 0, 0, 0, 2, -1, 2],
        trajectory=[0, 0, 0, 0, 0, 1, 1, 1],
    )
    found = check_predictions(solution, data, seed=0, repeats=40)
    assert found["different states per trajectory"].observed == (3 + 1) / 2
    # 0 again after 4, 1 again after 2; the three most visited are 3, 0 and 1.
    assert found["decisions until a favourite state again"].observed == 3
    # Runs 1 1 | 0 0 0 | 2 | 2, the last two apart, as an unknown action stands between.
    assert found["run of one action"].observed == 7 / 4
    assert_allclose(found.actions, [3 / 7, 2 / 7, 2 / 7])
    chance = (9 + 4 + 4) / 49
    assert_allclose(found["same action 1 later, beyond chance"].observed, 3 / 4 - chance)
    assert_allclose(found.visits, [2 / 8, 2 / 8, 1 / 8, 3 / 8])
    assert np.isnan(found["same action 10 later, beyond chance"].observed)


def test_behaviour_of_the_model_passes():
    solution, data = fitted()
    found = check_predictions(solution, simulate_like(solution, data, seed=9), seed=1, repeats=60)
    values = np.array([check.p_value for check in found.checks])
    assert values.min() > 0.02
    assert (values > 0.05).sum() >= values.size - 1
    assert found.simulated_visits.shape == (60, 4)
    assert_allclose(found.simulated_actions.sum(axis=1), 1)
    assert f"of {values.size} statistics" in found.sentence
    assert [row["statistic"] for row in found.rows] == [check.name for check in found.checks]


def test_what_the_model_does_not_know_fails():
    solution, data = fitted()
    actions = data.actions.copy()
    # Every second decision repeats the one before it.
    actions[1::2] = actions[0::2]
    found = check_predictions(solution, replace(data, actions=actions), seed=1, repeats=60)
    assert found["same action 1 later, beyond chance"].p_value == pytest.approx(2 / 61)
    assert "same action 1 later" in found.sentence
    stuck = replace(data, states=np.zeros_like(data.states))
    far = check_predictions(solution, stuck, seed=1, repeats=60)["distance of state visits"]
    assert far.p_value == pytest.approx(1 / 61)


def test_names_and_numbers_are_checked():
    solution, data = fitted()
    with pytest.raises(InputError, match="repeats must be 2"):
        check_predictions(solution, data, seed=0, repeats=1)
    with pytest.raises(InputError, match="no statistic 'speed'"):
        check_predictions(solution, data, seed=0, repeats=2)["speed"]


def test_what_no_simulation_has_is_shown_as_unknown():
    nothing = Check("run", float("nan"), np.full(3, np.nan), float("nan"))
    made = PredictiveChecks(
        (nothing,), np.zeros(0), np.zeros((3, 0)), np.zeros(2), np.zeros((3, 2))
    )
    (row,) = made.rows
    assert np.isnan([row[name] for name in ("simulated", "low", "high")]).all()
