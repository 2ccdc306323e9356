"""The MDP record: its products against dense NumPy, and everything it refuses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import strategies
from inverseq._core.errors import InputError
from inverseq.mdp import MDP


def dense(mdp: MDP) -> np.ndarray:
    """P[s, a, s'] by loops; 0 where the process ends or an action does not exist."""
    full = np.zeros((mdp.num_states, mdp.num_actions, mdp.num_states))
    for s, a, b in np.ndindex(*mdp.successors.shape):
        if mdp.allowed[s, a] and not mdp.terminal[s]:
            full[s, a, mdp.successors[s, a, b]] += mdp.probabilities[s, a, b]
    return full


@given(strategies.mdps(), strategies.seeds)
def test_products_are_those_of_the_full_array(mdp, seed):
    rng = np.random.default_rng(seed)
    full = dense(mdp)
    flat = mdp.transition_matrix.toarray()
    np.testing.assert_allclose(flat.reshape(full.shape), full, atol=1e-15)
    for values in (rng.normal(size=mdp.num_states), rng.normal(size=(mdp.num_states, 3))):
        np.testing.assert_allclose(
            mdp.expected(values), np.einsum("sap,p...->sa...", full, values), atol=1e-12
        )
    policy = strategies.random_policy(rng, mdp)
    np.testing.assert_allclose(
        mdp.under_policy(policy).toarray(), np.einsum("sa,sap->sp", policy, full), atol=1e-12
    )


@given(strategies.mdps())
def test_rows_of_the_transition_matrix_sum_to_one_or_are_empty(mdp):
    totals = np.asarray(mdp.transition_matrix.sum(1)).reshape(mdp.num_states, mdp.num_actions)
    live = mdp.allowed & ~mdp.terminal[:, None]
    np.testing.assert_allclose(totals, live, atol=1e-9)


@given(strategies.mdps(masks=False, terminals=False))
def test_a_full_array_and_its_successor_lists_are_the_same_world(mdp):
    again = MDP.from_dense(dense(mdp), discount=mdp.discount)
    np.testing.assert_allclose(dense(again), dense(mdp), atol=1e-15)
    assert again.successors.shape[2] <= mdp.successors.shape[2]


@given(strategies.mdps())
def test_everything_in_the_record_is_read_only(mdp):
    for name in ("successors", "probabilities", "initial", "terminal", "allowed", "reward"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(mdp, name)[...] = 0


def test_what_is_left_out_has_a_plain_meaning():
    mdp = MDP.from_dense(np.ones((2, 3, 2)) / 2, discount=0.9, terminal=np.array([False, True]))
    assert mdp.allowed.all()
    assert mdp.initial.tolist() == [1, 0]
    assert (mdp.num_states, mdp.num_actions) == (2, 3)
    assert mdp.reward is None


TWO = np.array([[[0.5, 0.5], [1, 0]], [[0, 1], [1, 0]]], dtype=float)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"discount": 1.5}, "discount must lie between 0 and 1; got 1.5"),
        ({"discount": -0.1}, "discount must lie between 0 and 1"),
        ({"discount": float("nan")}, "discount must lie between 0 and 1; got nan"),
        ({"discount": 1.0}, "a discount of 1 needs a terminal state"),
        ({"initial": np.array([0.7, 0.7])}, "initial must be probabilities; they sum to 1.4"),
        ({"initial": np.array([1.5, -0.5])}, "initial must be probabilities"),
        ({"initial": np.array([np.nan, 1.0])}, r"initial\[0\] is nan"),
        ({"allowed": np.array([[True, True], [False, False]])}, "state 1 has no allowed action"),
        ({"reward": np.array([[0, np.nan], [0, 0]])}, r"reward\[0, 1\] is nan"),
        ({"features": np.zeros((2, 2, 0)), "feature_names": ("x",)}, "feature_names has 1 names"),
        ({"state_names": ("a",)}, "state_names has 1 names for 2"),
        ({"action_names": ("a", "b", "c")}, "action_names has 3 names for 2"),
    ],
)
def test_what_makes_no_world_is_refused(changes, words):
    with pytest.raises(InputError, match=words):
        MDP.from_dense(TWO, **{"discount": 0.9, **changes})


@pytest.mark.parametrize(
    ("entry", "value", "words"),
    [
        ((0, 0, 0), 0.4, "probabilities of state 0, action 0 must .* they sum to 0.9"),
        ((1, 0, 0), -0.2, r"probabilities of state 1, action 0 .* \(1 such pairs\)"),
        ((0, 1, 1), np.nan, "not finite"),
        ((0, 1, 1), np.inf, "not finite"),
    ],
)
def test_probabilities_that_are_none_are_refused(entry, value, words):
    wrong = TWO.copy()
    wrong[entry] = value
    with pytest.raises(InputError, match=words):
        MDP.from_dense(wrong, discount=0.9)


def test_probabilities_do_not_matter_where_nothing_follows():
    wrong = TWO.copy()
    wrong[1] = 0
    MDP.from_dense(wrong, discount=0.9, terminal=np.array([False, True]))
    wrong = TWO.copy()
    wrong[0, 0] = 0
    MDP.from_dense(wrong, discount=0.9, allowed=np.array([[False, True], [True, True]]))


def test_a_successor_outside_the_world_is_named():
    with pytest.raises(InputError, match="state 1, action 0 leads to state 2, which is outside"):
        MDP(np.array([[[0]], [[2]]]), np.ones((2, 1, 1)), 0.9)


def test_a_successor_too_large_for_its_type_does_not_become_another():
    with pytest.raises(
        InputError, match=r"successors must hold numbers from .* got 0 to 4294967296"
    ):
        MDP(np.array([[[2**32]], [[0]]]), np.ones((2, 1, 1)), 0.9)


def test_an_empty_world_is_refused():
    with pytest.raises(InputError, match="at least one state and one action"):
        MDP(np.zeros((0, 1, 1), int), np.zeros((0, 1, 1)), 0.9)


@given(st.integers(2, 8), strategies.seeds)
def test_a_discount_of_one_needs_an_end_that_every_state_can_reach(size, seed):
    """A chain 0 -> 1 -> ... -> end; cutting it anywhere leaves values infinite."""
    chain = np.zeros((size, 1, size))
    chain[np.arange(size), 0, np.minimum(np.arange(size) + 1, size - 1)] = 1
    terminal = np.arange(size) == size - 1
    assert MDP.from_dense(chain, discount=1.0, terminal=terminal).discount == 1
    cut = np.random.default_rng(seed).integers(size - 1)
    chain[cut, 0] = np.eye(size)[cut]
    with pytest.raises(InputError, match="discount of 1 needs a terminal state"):
        MDP.from_dense(chain, discount=1.0, terminal=terminal)
