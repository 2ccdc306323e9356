"""The same intention under the same number."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from inverseq.intentions.labels import agreement, match, renumber
from inverseq.intentions.predict import posterior
from inverseq.intentions.solver import Intentions
from inverseq.intentions.switching import DependentMarkov
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.fit import fit
from strategies import seeds
from wishes import ring, switching_play


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


def test_beliefs_agree_with_themselves_even_where_nothing_is_more_probable():
    assert agreement(np.full((9, 3), 1 / 3), np.full((9, 3), 1 / 3)) == 1
    alike = np.tile([0.4, 0.4, 0.2], (9, 1))
    assert agreement(alike, alike) == 1


def test_intentions_without_a_partner_get_new_numbers():
    reference = np.eye(2)[[0, 0, 1, 1, 1]]
    other = np.eye(3)[[2, 2, 0, 0, 1]]
    assert_array_equal(match(reference, other), [1, 2, 0])
    assert agreement(reference, other) == 4 / 5
    assert agreement(other, reference) == 4 / 5


def test_another_animal_has_the_numbers_of_the_first():
    """The second spends most of its time in what the first seldom does."""
    data = switching_play(20, 60)
    share = np.add.reduceat(data.decisions["intention"], data.starts[:-1]) / 60
    first, second = np.argsort(share)[:10], np.argsort(share)[10:]
    law = DependentMarkov()
    one, other = (
        fit(data.take(part), Intentions(2, switching=law, restarts=2), ring())
        for part in (first, second)
    )
    found = renumber(other, one, data)
    believed = posterior(found, data)
    assert_array_equal(match(posterior(one, data).smoothed, believed.smoothed), [0, 1])
    # The same model under other names.
    assert_allclose(action_probabilities(found, data), action_probabilities(other, data))
    own = posterior(found, data.take(second))
    assert_allclose(own.smoothed, found.smoothed, atol=1e-12)
    assert_allclose(own.filtered, found.filtered, atol=1e-12)
    assert_array_equal(own.path, found.path)
    assert_allclose(found.occupancy, found.smoothed.mean(axis=0))
    assert_array_equal(renumber(found, other, data).smoothed, other.smoothed)
