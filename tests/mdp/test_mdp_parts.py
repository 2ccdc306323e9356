"""What was remembered or united comes apart again as it was."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import strategies
from inverseq.mdp import divided, unite, without_history

FIELDS = ("terminal", "allowed", "reward", "features", "coordinates")


def same(found, wanted):
    """Whether two worlds are the same; the number of padded outcomes may differ."""
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(found, name), getattr(wanted, name))
    difference = found.transition_matrix - wanted.transition_matrix
    assert abs(difference).max() == 0
    np.testing.assert_allclose(found.initial, wanted.initial, atol=1e-15)
    assert (found.history, found.worlds) == (None, None)
    assert found.state_names == wanted.state_names


@given(strategies.seeds, st.integers(1, 3), st.sampled_from(["states", "actions"]))
def test_a_world_forgets_what_it_was_made_to_remember(seed, length, of):
    mdp = strategies.random_mdp(np.random.default_rng(seed), 4, 2, features=2)
    same(without_history(mdp.with_history(length, of=of)), mdp)


@given(strategies.seeds, st.lists(st.integers(2, 5), min_size=1, max_size=3), st.integers(1, 2))
def test_united_worlds_come_apart_also_where_they_remember(seed, sizes, length):
    rng = np.random.default_rng(seed)
    worlds = {f"w{i}": strategies.random_mdp(rng, n, 2, features=1) for i, n in enumerate(sizes)}
    union = unite({name: mdp.with_history(length) for name, mdp in worlds.items()})
    found = divided(without_history(union))
    assert [*found] == [*worlds]
    for name, mdp in worlds.items():
        same(found[name], mdp)


def test_one_world_has_no_name():
    mdp = strategies.random_mdp(np.random.default_rng(0), 3, 2)
    assert divided(mdp) == {"": mdp}
