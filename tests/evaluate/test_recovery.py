import numpy as np
import pytest
from numpy.testing import assert_allclose

from inverseq._core.errors import InputError
from inverseq.evaluate.recovery import recover_parameters
from inverseq.intentions.solver import Intentions
from wishes import SETTINGS, fitted, switching_play


@pytest.fixture(scope="module")
def recovery():
    solution, _ = fitted()
    return recover_parameters(solution, SETTINGS, switching_play(20, 80), repeats=3, seed=0)


def test_intentions_that_are_easy_to_tell_apart_come_back(recovery):
    solution, _ = fitted()
    assert recovery.accuracy.shape == (3,)
    assert (recovery.accuracy > 0.95 * recovery.attainable).all()
    assert (recovery.attainable > 0.9).all()
    assert (recovery.policy_error < 0.1).all()
    assert (recovery.reward_correlation > 0.8).all()
    assert_allclose(recovery.occupancy, recovery.true_occupancy, atol=0.08)
    assert_allclose(recovery.transition, recovery.true_transition, atol=0.1)
    expected = np.broadcast_to(solution.numbers["transition"], (3, 2, 2))
    assert_allclose(recovery.true_transition, expected, atol=0.1)


def test_it_says_so_in_rows_and_a_sentence(recovery):
    assert [row["intention"] for row in recovery.rows] == ["1", "2"]
    assert_allclose(recovery.rows[1]["policy_error"], recovery.policy_error[:, 1].mean())
    assert f"at {recovery.accuracy.mean():.1%} of decisions" in recovery.sentence


def test_more_data_come_back_better(recovery):
    solution, _ = fitted()
    short = recover_parameters(solution, SETTINGS, switching_play(4, 30), repeats=3, seed=0)
    assert short.policy_error.mean() > recovery.policy_error.mean()


def test_settings_of_another_number_are_refused():
    solution, data = fitted()
    with pytest.raises(InputError, match="2 intentions, the settings 3"):
        recover_parameters(solution, Intentions(3), data, repeats=1, seed=0)
    with pytest.raises(InputError, match="repeats must be 1"):
        recover_parameters(solution, SETTINGS, data, repeats=0, seed=0)
