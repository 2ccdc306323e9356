"""A world given as sparse lists, and the same given as padded arrays, are one world."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import inverseq as iq
import strategies
from inverseq._core import memory
from inverseq._core.errors import InputError
from inverseq.doctor import diagnose
from inverseq.evaluate.simulated import simulate_like
from inverseq.mdp import MDP, unite

HUB = 20_001


def sparsely(mdp: MDP) -> MDP:
    """The same world from lists without padding, of different lengths."""
    lists = mdp.transitions.copy()
    lists.eliminate_zeros()
    return replace(mdp, transitions=lists)


def hub(states: int = HUB, trajectories: int = 20) -> iq.Demonstrations:
    """Walks from the first state to each of the others and back: it has a successor for each."""
    away = np.arange(1, states)
    walk = np.stack([np.zeros_like(away), away], axis=1).ravel()
    which = np.arange(walk.size) * trajectories // walk.size
    return iq.Demonstrations.from_arrays(walk, walk % 3 % 2, trajectory=which)


@given(strategies.mdps(), st.sampled_from(["states", "actions"]))
def test_padded_and_sparse_worlds_have_the_same_products_and_pasts(mdp, of):
    thin = sparsely(mdp)
    for one, two in ((mdp, thin), (mdp.with_history(2, of), thin.with_history(2, of))):
        again = MDP(two.successors, two.probabilities, two.discount, allowed=two.allowed)
        full = replace(again, terminal=two.terminal).transition_matrix.toarray()
        np.testing.assert_array_equal(one.transition_matrix.toarray(), full)
    both, thin_both = unite({"a": mdp, "b": mdp}), unite({"a": mdp, "b": thin})
    np.testing.assert_array_equal(
        both.transition_matrix.toarray(), thin_both.transition_matrix.toarray()
    )


@given(strategies.mdps(), strategies.seeds)
def test_padded_and_sparse_worlds_give_the_same_plans_fits_and_play(mdp, seed):
    thin, rng = sparsely(mdp), np.random.default_rng(seed)
    policy = strategies.random_policy(rng, mdp)
    plans = [iq.forward.soft_policy_iteration(w) for w in (mdp, thin)]
    np.testing.assert_allclose(plans[0].values, plans[1].values, rtol=1e-9, atol=1e-9)
    walks = [
        iq.forward.simulate(w, policy, trajectories=5, steps=6, seed=seed) for w in (mdp, thin)
    ]
    np.testing.assert_array_equal(walks[0].next_states, walks[1].next_states)
    fits = [iq.fit(walks[0], iq.IAVI(smoothing=1.0), w, accept_failure=True) for w in (mdp, thin)]
    np.testing.assert_allclose(fits[0].q, fits[1].q, rtol=1e-8, atol=1e-8)
    found = [[f.text for f in diagnose(walks[0], w).findings] for w in (mdp, thin)]
    assert found[0] == found[1]


def test_arrays_that_are_given_come_back_as_views_and_are_not_locked_for_their_owner():
    successors, probabilities = np.zeros((3, 2, 4), np.int32), np.full((3, 2, 4), 0.25)
    mdp = MDP(successors, probabilities, 0.9)
    assert np.shares_memory(mdp.successors, successors)
    assert np.shares_memory(mdp.probabilities, probabilities)
    own = mdp.transitions.copy()
    MDP(transitions=own, discount=0.9)
    own.data[:] = 1.0
    successors[:], probabilities[:] = 1, 1.0


def test_a_copy_may_change_successors_or_probabilities_alone():
    mdp = MDP(np.zeros((3, 2, 4), np.int32), np.full((3, 2, 4), 0.25), 0.9)
    moved = replace(mdp, successors=mdp.successors + 1)
    assert moved.successors.tolist() == np.ones((3, 2, 4)).tolist()
    assert moved.probabilities.tolist() == mdp.probabilities.tolist()
    sure = np.zeros((3, 2, 4))
    sure[..., 0] = 1.0
    assert replace(moved, probabilities=sure).expected(np.arange(3.0)).tolist() == [[1.0, 1.0]] * 3


def test_a_hub_takes_the_memory_of_its_transitions(tmp_path, monkeypatch):
    demos = hub()
    mdp = MDP.estimate(demos, discount=0.9)
    assert mdp.num_states == HUB
    assert mdp.transitions.nnz < 200_000
    solution = iq.fit(demos, iq.IAVI(), mdp)
    assert np.isfinite(solution.v).all()
    assert simulate_like(solution, demos, seed=0).num_decisions > 0
    again = iq.load(iq.save(mdp, tmp_path / "hub.npz"), MDP)
    np.testing.assert_array_equal(again.transitions.indices, mdp.transitions.indices)
    assert {f.name for f in fields(MDP)} >= {"transitions"}
    monkeypatch.setattr(memory, "available", lambda: 4e9)
    with pytest.raises(InputError, match=r"20,001 states.*needs 9\.\d GB of memory, and 4\.0 GB"):
        _ = mdp.successors


def test_what_does_not_fit_is_refused_before_it_is_made(monkeypatch):
    demos = hub(states=500)
    monkeypatch.setattr(memory, "available", lambda: 1e5)
    with pytest.raises(
        InputError, match=r"world of 500 states and 2 actions needs 258.1 kB of memory"
    ):
        MDP.estimate(demos, discount=0.9)


def test_all_tables_of_a_fit_are_asked_for_together(monkeypatch):
    demos = hub(states=500)
    world = MDP.estimate(demos, discount=0.9)
    monkeypatch.setattr(memory, "available", lambda: 159_999.0)  # each takes 8,000
    with pytest.raises(InputError, match=r"a fit in a world of 500 .* needs 160.0 kB of memory"):
        iq.fit(demos, iq.IAVI(), world)
    monkeypatch.setattr(memory, "available", lambda: 160_000.0)
    assert iq.fit(demos, iq.IAVI(), world).status.ok


def test_the_bytes_that_are_free_are_known_here():
    assert 1e6 < memory.available() < 1e15
