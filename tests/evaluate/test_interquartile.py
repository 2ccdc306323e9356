"""Interquartile means of a handful of runs, and their intervals."""

import numpy as np
import pytest

from inverseq import InputError, interquartile_mean


def test_the_middle_half_decides():
    scores = np.array([5.0, 1, 4, 2, 3, 6, 7, 8])
    assert interquartile_mean(scores).estimate == np.mean([3, 4, 5, 6])
    broken = np.where(scores == 8, 1e9, np.where(scores == 1, -1e9, scores))
    assert interquartile_mean(broken).estimate == np.mean([3, 4, 5, 6])
    tasks = np.stack([scores, scores + 100], axis=1)
    assert interquartile_mean(tasks).estimate == np.mean([5, 6, 7, 8, 101, 102, 103, 104])


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(0)
    held = 0
    for draw in rng.normal(size=(300, 8)):
        found = interquartile_mean(draw, resamples=300)
        held += bool(found.low <= 0 <= found.high)
    # Without widening for few runs it is 0.91.
    assert 0.93 < held / 300 < 0.98


def test_one_run_has_no_interval_and_no_run_no_mean():
    alone = interquartile_mean(np.array([2.0]))
    assert alone.estimate == 2
    assert np.isnan([alone.low, alone.high]).all()
    same = interquartile_mean(np.full(3, 2.0))
    assert (same.low, same.high) == (2, 2)
    with pytest.raises(InputError, match="each a number"):
        interquartile_mean(np.array([1.0, np.nan]))
    with pytest.raises(InputError, match="each a number"):
        interquartile_mean(np.zeros(0))
    with pytest.raises(InputError, match="level must lie"):
        interquartile_mean(np.ones(2), level=1.0)
