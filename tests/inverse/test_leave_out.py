"""Rows that are alike are found by counting and by sorting."""

import numpy as np
import pytest

from inverseq._core.arrays import numbered
from inverseq.inverse.tables import leave_out


@pytest.mark.parametrize("largest", [1, 7, 10**6, 2**40])
def test_numbers_are_told_apart_as_by_sorting(largest):
    labels = np.random.default_rng(0).integers(0, largest, (3, 200))
    values, which = numbered(labels[0])
    np.testing.assert_array_equal(values, np.unique(labels[0]))
    np.testing.assert_array_equal(values[which], labels[0])
    # Three numbers below 2^40 do not fit into one key.
    first, where = leave_out._distinct(*labels)
    _, wanted, place = np.unique(labels.T, axis=0, return_index=True, return_inverse=True)
    np.testing.assert_array_equal(first, wanted)
    np.testing.assert_array_equal(where, place.ravel())
