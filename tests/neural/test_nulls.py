"""Nulls of series in time: exact by hand, right about noise, awake to what is planted."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inverseq import (
    InputError,
    adjust_p_values,
    circular_shift_null,
    compare_with_null,
    permutation_null,
)

STARTS = np.array([0, 3, 7])
VALUES = np.arange(7.0)


def all_of(null, permutations=300):
    rows = null(lambda v: v, VALUES, STARTS, permutations=permutations, seed=1)
    return {tuple(row) for row in rows.tolist()}


def test_shifts_are_all_the_circles_and_nothing_else():
    turn = lambda values: [np.roll(values, i) for i in range(len(values))]  # noqa: E731
    wanted = {(*a, *b) for a in turn(VALUES[:3]) for b in turn(VALUES[3:])}
    assert all_of(circular_shift_null) == wanted


def test_permuted_series_are_whole_and_cut_or_repeated():
    assert all_of(permutation_null) == {tuple(VALUES), (3, 4, 5, 0, 1, 2, 0)}


def test_p_values_by_hand():
    null = np.array([[0.0, 5.0], [1.0, 5.0], [-1.0, 5.0], [0.0, 5.0]])
    made = compare_with_null(np.array([1.0, 5.0]), null)
    np.testing.assert_allclose(made.p_values, [3 / 5, 1.0])  # 1 and -1 are as far; itself counts
    np.testing.assert_allclose(made.deviations, [1 / np.sqrt(2 / 3), 0.0])
    assert compare_with_null(np.array([9.0, 5.0]), null).p_values[0] == 1 / 5


def smooth_noise(rng, trajectories, length):
    made = rng.normal(size=(trajectories, length + 40))
    kernel = np.ones(20) / np.sqrt(20)
    return np.array([np.convolve(row, kernel, "same")[20:-20] for row in made])


@pytest.mark.parametrize("null", [circular_shift_null, permutation_null])
def test_level_holds_for_noise_that_drifts_and_a_plain_test_fails(null):
    rng, hits, plain = np.random.default_rng(3), 0, 0
    starts, count = np.arange(0, 601, 60), 200
    for number in range(count):
        behaviour = smooth_noise(rng, 10, 60).ravel()
        body = smooth_noise(rng, 10, 60).ravel()
        statistic = lambda v, b=behaviour: np.array([np.corrcoef(v, b)[0, 1]])  # noqa: E731
        found = statistic(body)
        shuffled = null(statistic, body, starts, permutations=59, seed=number)
        hits += compare_with_null(found, shuffled).p_values[0] <= 0.05
        plain += abs(found[0]) > 1.96 / np.sqrt(600)
    assert 1 <= hits <= 21  # 10 expected; more than 21 has probability below 0.001
    assert plain > 60


def test_the_largest_statistic_corrects_for_many_and_still_finds_what_is_planted():
    rng, starts, any_hit, found = np.random.default_rng(4), np.arange(0, 401, 50), 0, 0
    for number in range(60):
        behaviour = rng.normal(size=(20, 400))
        body = rng.normal(size=400)
        for planted in (0.0, 0.25):
            series = body + planted * behaviour[0]
            statistic = lambda v, b=behaviour: b @ v / 400  # noqa: E731
            null = circular_shift_null(statistic, series, starts, permutations=99, seed=number)
            made = compare_with_null(statistic(series), null)
            if planted:
                found += made.adjusted[0] <= 0.05
            else:
                any_hit += made.adjusted.min() <= 0.05
    assert any_hit <= 10  # 3 expected
    assert found >= 54


@pytest.mark.parametrize("power", [1, 2])
def test_few_shuffles_of_many_statistics_keep_the_level(power):
    # Data that are one more shuffle, also with long tails: 50 of 1,000 expected at most.
    rng = np.random.default_rng(5)
    draws = rng.normal(size=(1000, 40, 25)) ** power
    hits = sum(compare_with_null(d[0], d[1:], "above").adjusted.min() <= 0.05 for d in draws)
    assert 20 <= hits <= 71  # 71: three standard errors more


def test_corrections_by_hand():
    p = np.array([0.04, 0.01, 0.03])
    np.testing.assert_allclose(adjust_p_values(p), [0.06, 0.03, 0.06])
    np.testing.assert_allclose(adjust_p_values(p, "bh"), [0.04, 0.03, 0.04])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_corrections_only_raise_and_keep_the_order(values):
    p = np.array(values)
    bonferroni = np.minimum(p * len(p), 1)
    for method in ("bh", "holm"):
        made = adjust_p_values(p, method)
        assert (made >= p - 1e-12).all()
        assert (made <= bonferroni + 1e-12).all()
        assert (np.diff(made[np.argsort(p, kind="stable")]) >= -1e-12).all()


def test_what_cannot_be_tested_is_refused():
    with pytest.raises(InputError, match="permutations"):
        circular_shift_null(np.cumsum, VALUES, STARTS, permutations=0, seed=0)
    with pytest.raises(InputError, match="starts"):
        circular_shift_null(np.cumsum, VALUES, np.array([0, 3]), permutations=5, seed=0)
    with pytest.raises(InputError, match="one trajectory"):
        permutation_null(np.cumsum, VALUES, np.array([0, 7]), permutations=5, seed=0)
    with pytest.raises(InputError, match="method"):
        adjust_p_values(np.array([0.5]), "none")
    with pytest.raises(InputError, match="between 0 and 1"):
        adjust_p_values(np.array([np.nan]))
    with pytest.raises(InputError, match="finite"):
        compare_with_null(np.array([np.nan]), np.zeros((3, 1)))
