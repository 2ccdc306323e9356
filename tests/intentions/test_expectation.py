"""The E-step in probabilities against the one in logarithms."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from inverseq.intentions import expectation as module
from inverseq.intentions.chains import chains
from inverseq.intentions.expectation import expectation
from inverseq.intentions.messages import Model, forward, smooth
from strategies import seeds


def long_model(seed: int, k: int, restarts: int, contexts: int, rarest: float = 0.0) -> Model:
    """Chains of several lengths; some evidence far beyond what a probability can hold."""
    rng = np.random.default_rng(seed)
    lengths = np.array([1, 50, 7, 1, 20])
    size = int(lengths.sum())
    begins = np.zeros(size, bool)
    begins[np.cumsum(lengths) - lengths] = True
    likelihood = rng.normal(size=(size, restarts, k)) - 1
    likelihood[rng.random((size, restarts)) < 0.2] = 0.0
    likelihood[20:30] *= 400.0
    transition = rng.dirichlet(np.ones(k), size=(contexts, restarts, k)) + rarest
    return Model(
        initial=np.log(rng.dirichlet(np.ones(k), size=restarts)),
        transition=np.log(transition / transition.sum(axis=-1, keepdims=True)),
        likelihood=likelihood,
        context=rng.integers(0, contexts, size),
        chains=chains(begins),
    )


def same_as_in_logarithms(model: Model) -> None:
    beliefs = forward(model)
    wanted = smooth(model, beliefs)
    found, log_likelihood = expectation(model)
    assert_allclose(log_likelihood, beliefs.evidence.sum(axis=0), rtol=1e-11)
    assert_allclose(found.smoothed, wanted.smoothed, atol=1e-9)
    assert_allclose(found.initial, wanted.initial, atol=1e-9)
    assert_allclose(found.transitions, wanted.transitions, atol=1e-8)


@given(seed=seeds, k=st.integers(1, 4), restarts=st.integers(1, 3), contexts=st.integers(1, 3))
def test_probabilities_and_logarithms_agree(seed, k, restarts, contexts):
    model = long_model(seed, k, restarts, contexts, rarest=1e-30)
    assert model.transition.min() > module._RARE
    same_as_in_logarithms(model)


def test_a_transition_too_rare_for_probabilities_goes_through_logarithms(monkeypatch):
    model = long_model(1, 2, 2, 1)
    rare = np.array([[-1e-300, -700.0], [-700.0, -1e-300]])
    model = replace(model, transition=np.broadcast_to(rare, model.transition.shape))
    monkeypatch.setattr(module, "_in_probabilities", None)
    same_as_in_logarithms(model)


def test_pairs_in_several_blocks_are_pairs_in_one(monkeypatch):
    model = long_model(2, 3, 2, 4)
    monkeypatch.setattr(module, "_PAIRS", 100)
    same_as_in_logarithms(model)


@given(seed=seeds, k=st.integers(1, 4), restarts=st.integers(1, 3))
def test_where_intentions_never_change_sums_over_chains_are_enough(seed, k, restarts):
    model = long_model(seed, k, restarts, 1)
    with np.errstate(divide="ignore"):
        never = np.broadcast_to(np.log(np.eye(k)), model.transition.shape)
    same_as_in_logarithms(replace(model, transition=never))


def test_an_impossible_decision_is_no_number_but_minus_infinity():
    model = long_model(3, 2, 1, 1)
    likelihood = model.likelihood.copy()
    likelihood[5] = -np.inf
    found, log_likelihood = expectation(replace(model, likelihood=likelihood))
    assert log_likelihood[0] == -np.inf
    assert np.isfinite(found.smoothed).all()
    assert np.isfinite(found.transitions).all()
