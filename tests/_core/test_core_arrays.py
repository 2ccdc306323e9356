"""Checks at the door: what passes is read-only and of the right kind."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inverseq._core.arrays import (
    freeze,
    frozen_array,
    numbered,
    require_finite,
    require_numbering,
    require_shape,
)
from inverseq._core.errors import InputError


def test_arrays_are_frozen_without_freezing_the_callers_own():
    mine = np.arange(3)
    kept = frozen_array(mine, np.int64, "x")
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 5
    mine[0] = 7  # still allowed


@pytest.mark.parametrize("values", [[0.5], [np.nan], [np.inf], [1, 2.25]])
def test_whole_numbers_are_never_made_from_others(values):
    with pytest.raises(InputError, match="states must hold whole numbers"):
        frozen_array(values, np.int64, "states")


def test_whole_numbers_written_as_fractions_are_whole():
    assert frozen_array([1.0, 2.0], np.int64, "states").tolist() == [1, 2]


@pytest.mark.parametrize("values", [[2**31], [-(2**31) - 1], np.array([2**40]), [1e12]])
def test_numbers_too_large_for_their_type_do_not_become_others(values):
    with pytest.raises(InputError, match="states must hold numbers from -2147483648 to 2147483647"):
        frozen_array(values, np.int32, "states")


@pytest.mark.parametrize("values", [[0, 2], [np.nan, 0.0], ["no", "yes"], [0.5]])
def test_truth_is_made_of_zero_and_one_alone(values):
    with pytest.raises(InputError, match="terminal must hold true and false"):
        frozen_array(values, bool, "terminal")
    assert frozen_array([0, 1.0], bool, "terminal").tolist() == [False, True]


def test_numbers_that_are_labels_are_refused():
    require_numbering(np.array([0, 10**6]), "state")
    require_numbering(np.arange(20_000, 0, -1) * 999, "state")  # many are seen
    with pytest.raises(InputError, match=r"go up to 20000000, but there are only 2 .* or by name"):
        require_numbering(np.array([3, 20_000_000]), "state", ", or by name")


@pytest.mark.parametrize("values", [["a"], [[1], [2, 3]], [object()]])
def test_what_is_no_array_of_numbers_is_an_input_error(values):
    with pytest.raises(InputError, match="reward cannot be read as an array of float64"):
        frozen_array(values, np.float64, "reward")


def test_a_wrong_shape_says_both_shapes():
    with pytest.raises(InputError, match=r"x must have shape \[S, A\] = 2xany; got 3x4"):
        require_shape(np.zeros((3, 4)), (2, None), "x", "S, A")
    with pytest.raises(InputError, match="got a single number"):
        require_shape(np.zeros(()), (2,), "x", "S")
    require_shape(np.zeros((2, 9)), (2, None), "x", "S, A")


def test_what_is_not_finite_is_named_with_its_place():
    values = np.zeros((2, 3))
    require_finite(values, "q")
    values[1, 2] = np.nan
    values[1, 1] = -np.inf
    with pytest.raises(InputError, match=r"q\[1, 1\] is -inf; 2 of 6 entries are not finite"):
        require_finite(values, "q")


@dataclass(frozen=True)
class Several:
    one: object
    each: tuple
    named: dict
    none: object = None


def test_fields_of_a_record_become_read_only_one_by_one():
    given = np.zeros(2, dtype=np.int8)
    record = Several([1, 2], (given, given), {"a": given})
    freeze(record, np.float64, "one", "none")
    freeze(record, None, "each", "named")
    assert (record.one.dtype, record.none) == (np.float64, None)
    for array in (record.one, *record.each, record.named["a"]):
        assert not array.flags.writeable
    assert {array.dtype for array in (*record.each, record.named["a"])} == {given.dtype}
    assert given.flags.writeable
    with pytest.raises(InputError, match="one must hold whole numbers"):
        freeze(Several([0.5], (), {}), np.int64, "one")


@given(st.lists(st.integers(-3, 60), max_size=30), st.integers(0, 10**12))
def test_numbering_is_that_of_sorting(keys, far):
    for array in (np.array(keys, np.int64), np.array([*keys, far], np.int64)):
        for found, wanted in zip(
            numbered(array), np.unique(array, return_inverse=True), strict=True
        ):
            np.testing.assert_array_equal(found, wanted)
