"""Several worlds as one: blocks beside each other and nothing between them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

import strategies
from inverseq._core.errors import InputError
from inverseq.mdp import MDP, unite


@st.composite
def families(draw, **fields):
    """Worlds with the same actions and discount, of different sizes."""
    rng = np.random.default_rng(draw(strategies.seeds))
    actions = draw(st.integers(1, 3))
    sizes = draw(st.lists(st.integers(2, 5), min_size=1, max_size=4))
    return {
        f"w{i}": strategies.random_mdp(
            rng, size, actions, successors=draw(st.integers(1, 3)), features=2, **fields
        )
        for i, size in enumerate(sizes)
    }


@given(families(), st.sampled_from([1, 2]), st.sampled_from(["states", "actions"]))
def test_the_union_is_its_worlds_beside_each_other(family, length, of):
    family = {name: mdp.with_history(length, of=of) for name, mdp in family.items()}
    union = unite(family)
    members = [*family.values()]
    assert union.num_states == sum(m.num_states for m in members)
    blocks = sparse.block_diag([m.transition_matrix for m in members]).toarray()
    np.testing.assert_allclose(union.transition_matrix.toarray(), blocks, atol=1e-15)
    for name in ("terminal", "allowed", "reward", "features", "coordinates"):
        joined = np.concatenate([getattr(m, name) for m in members])
        np.testing.assert_array_equal(getattr(union, name), joined)
    np.testing.assert_allclose(union.initial.sum(), 1)
    assert union.worlds.names == tuple(family)


@given(families())
def test_uniting_and_remembering_may_come_in_either_order(family):
    """The states are the same up to their numbering; so are the steps between them."""
    one = unite({name: mdp.with_history(2) for name, mdp in family.items()})
    two = unite(family).with_history(2)
    assert one.num_states == two.num_states
    place = two.history.find(one.history.base, one.history.previous)
    assert sorted(place) == [*range(one.num_states)]
    actions = one.num_actions
    rows = (place[:, None] * actions + np.arange(actions)).ravel()
    moved = two.transition_matrix.toarray()[rows][:, place]
    np.testing.assert_allclose(one.transition_matrix.toarray(), moved, atol=1e-15)
    assert one.worlds.offsets.tolist() == two.worlds.offsets.tolist()


def test_worlds_that_do_not_agree_are_refused():
    rng = np.random.default_rng(0)
    plain = strategies.random_mdp(rng, 3, 2)
    for other, words in (
        (strategies.random_mdp(rng, 3, 3), "differ in num_actions"),
        (strategies.random_mdp(rng, 3, 2, discount=0.5), "differ in discount"),
        (strategies.random_mdp(rng, 3, 2, reward=False), "some worlds have reward"),
        (plain.with_history(2), "differ in their history"),
        (unite({"a": plain}), "a union already"),
    ):
        with pytest.raises(InputError, match=words):
            unite({"one": plain, "two": other})
    with pytest.raises(InputError, match="at least one world"):
        unite({})


def test_worlds_may_be_named_by_numbers_that_stay_different():
    plain = strategies.random_mdp(np.random.default_rng(0), 3, 2)
    assert unite({1: plain, 2: plain}).worlds.names == ("1", "2")
    with pytest.raises(InputError, match="two worlds have the same name"):
        unite({1: plain, "1": plain})


def test_names_of_different_actions_are_not_mixed():
    """Worlds that number the same actions differently must not share one reward."""
    step = np.ones((1, 2, 1))
    one = MDP.from_dense(step, discount=0.9, action_names=("left", "right"))
    two = MDP.from_dense(step, discount=0.9, action_names=("right", "left"))
    with pytest.raises(InputError, match="differ in action_names"):
        unite({"one": one, "two": two})
