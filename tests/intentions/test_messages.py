"""Inference against the enumeration of every path of intentions."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import logsumexp
from scipy.stats import chisquare

from inverseq.intentions.chains import chains
from inverseq.intentions.messages import Model, best_path, forward, sample_paths, smooth
from strategies import seeds


@dataclass(frozen=True)
class Enumerated:
    """What a chain of K intentions is, path by path: one restart, one chain."""

    paths: np.ndarray
    joint: np.ndarray

    @property
    def posterior(self) -> np.ndarray:
        """`[P]` probability of each path given all decisions."""
        return np.exp(self.joint - logsumexp(self.joint))


def enumerate_paths(initial, into, likelihood) -> Enumerated:
    """All paths and log p(path, decisions); `into[t]` leads into decision t."""
    length, k = likelihood.shape
    paths = np.array(list(product(range(k), repeat=length)))
    joint = initial[paths[:, 0]] + likelihood[0, paths[:, 0]]
    for t in range(1, length):
        joint = joint + into[t][paths[:, t - 1], paths[:, t]] + likelihood[t, paths[:, t]]
    return Enumerated(paths, joint)


def marginal(paths, joint, t, k) -> np.ndarray:
    """log sum of `joint` over the paths that have each intention at time t."""
    with np.errstate(divide="ignore"):
        return np.array([np.logaddexp.reduce(joint[paths[:, t] == i]) for i in range(k)])


def random_model(rng, lengths, k, restarts, contexts, *, never=False, missing=0.2) -> Model:
    """A model of ragged chains whose decisions are sometimes missing, sometimes impossible."""
    size = int(np.sum(lengths))
    begins = np.zeros(size, bool)
    begins[np.cumsum([0, *lengths[:-1]])] = True
    transition = rng.dirichlet(np.ones(k), size=(contexts, restarts, k))
    if never:
        transition = np.broadcast_to(np.eye(k), (contexts, restarts, k, k))
    likelihood = rng.normal(size=(size, restarts, k)) * rng.choice([1.0, 20.0])
    likelihood[rng.random((size, restarts)) < missing] = 0.0
    # One intention never does this, another may.
    banned = rng.random((size, restarts, k)) < 0.1
    banned[..., 0] = False
    if not never:
        likelihood[banned] = -np.inf
    with np.errstate(divide="ignore"):
        return Model(
            initial=np.log(rng.dirichlet(np.ones(k), size=restarts)),
            transition=np.log(transition),
            likelihood=likelihood,
            context=rng.integers(0, contexts, size),
            chains=chains(begins),
        )


def pieces(model: Model):
    """(rows, restart, initial, into, likelihood) of each chain and restart."""
    chain_of = model.chains.chain_of
    for c in range(model.chains.num_chains):
        rows = np.flatnonzero(chain_of == c)
        for r in range(model.initial.shape[0]):
            into = model.transition[model.context[rows], r]
            yield rows, r, model.initial[r], into, model.likelihood[rows, r]


models = st.builds(
    lambda seed, lengths, k, restarts, contexts, never: random_model(
        np.random.default_rng(seed), lengths, k, restarts, contexts, never=never
    ),
    seeds,
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    st.booleans(),
)


def test_chains_are_walked_together_longest_first():
    made = chains(np.array([1, 0, 1, 1, 0, 0], bool))
    assert_array_equal(made.rows, [3, 0, 2, 4, 1, 5])
    assert_array_equal(made.offsets, [0, 3, 5, 6])
    assert_array_equal(made.chain_of, [0, 0, 1, 2, 2, 2])
    assert (made.num_chains, made.num_steps, made.num_decisions) == (3, 3, 6)


@given(model=models)
def test_beliefs_on_the_way_are_those_of_the_enumeration(model):
    beliefs = forward(model)
    k = model.initial.shape[1]
    for rows, r, initial, into, likelihood in pieces(model):
        before = 0.0
        for t in range(rows.size):
            ahead = np.zeros_like(likelihood[: t + 1])
            ahead[:t] = likelihood[:t]
            known = enumerate_paths(initial, into, ahead)
            predicted = marginal(known.paths, known.joint, t, k) - logsumexp(known.joint)
            known = enumerate_paths(initial, into, likelihood[: t + 1])
            total = logsumexp(known.joint)
            filtered = marginal(known.paths, known.joint, t, k) - total
            n = rows[t]
            assert_allclose(np.exp(beliefs.predicted[n, r]), np.exp(predicted), atol=1e-12)
            assert_allclose(np.exp(beliefs.filtered[n, r]), np.exp(filtered), atol=1e-12)
            assert_allclose(beliefs.evidence[n, r], total - before, atol=1e-9)
            before = total


@given(model=models)
def test_what_is_expected_is_that_of_the_enumeration(model):
    expected = smooth(model, forward(model))
    k = model.initial.shape[1]
    initial = np.zeros_like(model.initial)
    transitions = np.zeros_like(model.transition)
    for rows, r, start, into, likelihood in pieces(model):
        known = enumerate_paths(start, into, likelihood)
        for t, n in enumerate(rows):
            at_t = np.array([known.posterior[known.paths[:, t] == i].sum() for i in range(k)])
            assert_allclose(expected.smoothed[n, r], at_t, atol=1e-10)
            if t == 0:
                initial[r] += at_t
                continue
            pair = (known.paths[:, t - 1], known.paths[:, t])
            np.add.at(transitions[model.context[n], r], pair, known.posterior)
    assert_allclose(expected.initial, initial, atol=1e-9)
    assert_allclose(expected.transitions, transitions, atol=1e-9)


@given(model=models)
def test_the_best_path_is_that_of_the_enumeration(model):
    path = best_path(model)
    for rows, r, initial, into, likelihood in pieces(model):
        known = enumerate_paths(initial, into, likelihood)
        place = int(np.flatnonzero((known.paths == path[rows, r]).all(axis=1))[0])
        assert_allclose(known.joint[place], known.joint.max(), atol=1e-9)


@pytest.mark.parametrize("never", [False, True])
def test_draws_of_paths_have_the_frequencies_of_the_enumeration(never):
    rng = np.random.default_rng(5)
    model = random_model(rng, [3, 1, 2], 3, 2, 2, never=never)
    beliefs = forward(model)
    draws = 4000
    drawn = np.stack([sample_paths(model, beliefs, rng) for _ in range(draws)])
    for rows, r, initial, into, likelihood in pieces(model):
        known = enumerate_paths(initial, into, likelihood)
        code = 3 ** np.arange(rows.size)
        place = np.argsort(np.argsort(known.paths @ code))
        order = np.argsort(known.paths @ code)
        found = np.bincount(drawn[:, rows, r] @ code, minlength=len(known.paths)).astype(float)
        wanted = known.posterior[order] * draws
        assert_allclose(place[order], np.arange(place.size))
        assert (found[wanted < 1e-9] == 0).all()
        rare = wanted < 5
        if rare.any():
            found = np.append(found[~rare], found[rare].sum())
            wanted = np.append(wanted[~rare], wanted[rare].sum())
        some = wanted > 1e-6
        if some.sum() > 1:
            assert chisquare(found[some], wanted[some] * draws / wanted[some].sum()).pvalue > 1e-4


def test_certainty_is_undone_by_later_evidence():
    """A thousand decisions for one intention, then a thousand against it: 20,000 nats each way."""
    size = 2000
    likelihood = np.zeros((size, 1, 2))
    likelihood[: size // 2, 0, 1] = -20.0
    likelihood[size // 2 :, 0, 0] = -20.0
    stay = np.log([[1 - 1e-9, 1e-9], [1e-9, 1 - 1e-9]])
    begins = np.arange(size) == 0
    model = Model(
        np.log([[0.5, 0.5]]), stay[None, None], likelihood, np.zeros(size, int), chains(begins)
    )
    beliefs = forward(model)
    expected = smooth(model, beliefs)
    wanted = np.repeat([0, 1], size // 2)
    assert_array_equal(best_path(model)[:, 0], wanted)
    assert_array_equal(expected.smoothed[:, 0].argmax(axis=1), wanted)
    # One decision suffices nearly, two always do: the filter was never stuck at zero.
    assert_array_equal(beliefs.filtered[:, 0].argmax(axis=1)[size // 2 + 2 :], 1)
    assert_allclose(expected.transitions[0, 0].sum(), size - 1)
    assert_allclose(expected.transitions[0, 0, 0, 1], 1, atol=1e-6)


def test_one_intention_per_trajectory_can_change_its_mind_about_which():
    """No transitions at all: the evidence of the whole chain decides, however long it pointed
    elsewhere."""
    size = 3000
    likelihood = np.zeros((size, 1, 2))
    likelihood[:1000, 0, 1] = -5.0
    likelihood[1000:, 0, 0] = -5.0
    with np.errstate(divide="ignore"):
        never = np.log(np.eye(2))[None, None]
    model = Model(
        np.log([[0.5, 0.5]]), never, likelihood, np.zeros(size, int), chains(np.arange(size) == 0)
    )
    beliefs = forward(model)
    assert_array_equal(best_path(model), 1)
    assert_allclose(smooth(model, beliefs).smoothed[:, 0, 1], 1)
    assert_allclose(beliefs.evidence.sum(), -5000 + np.log(0.5), rtol=1e-9)
    assert np.exp(beliefs.filtered[1500, 0, 0]) == 1


def test_an_impossible_decision_says_so_and_leaves_beliefs_as_they_were():
    likelihood = np.log([[[0.9, 0.1]], [[0.5, 0.5]], [[0.2, 0.8]]])
    likelihood[1] = -np.inf
    stay = np.log([[[[0.9, 0.1], [0.2, 0.8]]]])
    begins = np.array([True, False, False])
    model = Model(np.log([[0.5, 0.5]]), stay, likelihood, np.zeros(3, int), chains(begins))
    beliefs = forward(model)
    assert beliefs.evidence[1, 0] == -np.inf
    assert np.isfinite(beliefs.evidence[[0, 2]]).all()
    assert_array_equal(beliefs.filtered[1], beliefs.predicted[1])
    silent = likelihood.copy()
    silent[1] = 0.0
    known = Model(model.initial, stay, silent, model.context, model.chains)
    unseen = smooth(known, forward(known))
    expected = smooth(model, beliefs)
    assert_allclose(expected.smoothed, unseen.smoothed)
    assert_allclose(expected.transitions, unseen.transitions)
