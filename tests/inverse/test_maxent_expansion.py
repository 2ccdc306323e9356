"""Maximum causal entropy as a quadratic: where nothing has a future, as where little has."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from inverseq.inverse.maxent.expansion import MaxEntExpansion
from inverseq.inverse.maxent.objective import Model
from inverseq.mdp import MDP
from inverseq.rewards.linear import make_design
from strategies import random_mdp


def an_expansion(mdp, on):
    return MaxEntExpansion(mdp, Model(mdp, make_design(mdp, on, "gaussian")))


@pytest.mark.parametrize("on", ["states", "state-actions", "features"])
def test_without_a_future_it_is_the_limit_of_little_future(on):
    rng = np.random.default_rng(0)
    mdp = random_mdp(rng, 6, 3, features=3, discount=0.0)
    seen = rng.integers(0, 5, mdp.allowed.shape) * mdp.allowed * ~mdp.terminal[:, None] * 1.0
    seen[0] = 0.0
    now = an_expansion(mdp, on)
    later = an_expansion(replace(mdp, discount=1e-9), on)
    weights = rng.normal(size=now.model.design.num_weights)
    made, wanted = now.quadratic(seen, weights, None), later.quadratic(seen, weights, None)
    assert_allclose(made.value, wanted.value, atol=1e-6)
    assert_allclose(made.slope, wanted.slope, atol=1e-6)
    assert_allclose(made.curvature, wanted.curvature, atol=1e-6)


@pytest.mark.parametrize("on", ["states", "state-actions", "features"])
def test_where_nothing_was_seen_nothing_is_said(on):
    mdp = random_mdp(np.random.default_rng(0), 4, 2, features=2, discount=0.0)
    expansion = an_expansion(mdp, on)
    size = expansion.model.design.num_weights
    made = expansion.quadratic(np.zeros(mdp.allowed.shape), np.ones(size), None)
    assert made.value == 0.0
    assert_allclose(made.slope, np.zeros(size))
    assert_allclose(made.curvature, np.zeros((size, size)))


def test_without_a_future_memory_follows_the_pairs_that_were_seen():
    states, actions = 1500, 4
    mdp = MDP(
        successors=np.zeros((states, actions, 1), int),
        probabilities=np.ones((states, actions, 1)),
        discount=0.0,
    )
    expansion = an_expansion(mdp, "states")
    seen = np.zeros((states, actions))
    seen[:50] = 1.0
    tracemalloc.start()
    try:
        expansion.quadratic(seen, np.zeros(states), None)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 40e6  # the curvature itself is 18 MB, all rows of the design were 72 MB
