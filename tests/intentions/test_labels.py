"""The same intention under the same number."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from inverseq.intentions.labels import agreement, match
from strategies import seeds


@given(seed=seeds, k=st.integers(1, 4))
def test_no_other_matching_agrees_more(seed, k):
    rng = np.random.default_rng(seed)
    reference, other = rng.dirichlet(np.ones(k), 30), rng.dirichlet(np.ones(k), 30)
    found = match(reference, other)
    shared = lambda order: sum((reference[:, order[i]] * other[:, i]).sum() for i in range(k))  # noqa: E731
    assert shared(found) >= max(shared(order) for order in permutations(range(k))) - 1e-9


@given(seed=seeds, k=st.integers(1, 5))
def test_other_numbers_for_the_same_intentions_are_undone(seed, k):
    rng = np.random.default_rng(seed)
    reference = np.eye(k)[np.append(np.arange(k), rng.integers(0, k, 20))]
    order = rng.permutation(k)
    assert_array_equal(match(reference, reference[:, order]), order)
    assert agreement(reference, reference[:, order]) == 1


def test_intentions_without_a_partner_get_new_numbers():
    reference = np.eye(2)[[0, 0, 1, 1, 1]]
    other = np.eye(3)[[2, 2, 0, 0, 1]]
    assert_array_equal(match(reference, other), [1, 2, 0])
    assert agreement(reference, other) == 4 / 5
    assert agreement(other, reference) == 4 / 5
