"""Checks at the door: what passes is read-only and of the right kind."""

import numpy as np
import pytest

from inverseq._core.arrays import frozen_array, require_finite, require_shape
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
