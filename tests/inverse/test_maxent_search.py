"""The search of MaxEnt: its second derivatives, many searches at once, and the strength chosen."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inverseq.decisions.counts import Counts, count
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.forward.soft import soft_plan
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent import search as module
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.nearby import maximise_each
from inverseq.inverse.maxent.objective import (
    Model,
    curvature,
    expected_visits,
    log_likelihood_and_gradient,
    log_likelihoods_and_gradients,
    policy_slopes,
)
from inverseq.inverse.maxent.search import maximise, newton
from inverseq.inverse.soft_plans import factored
from inverseq.mdp import MDP
from inverseq.policies import log_boltzmann
from inverseq.rewards.linear import make_design
from strategies import mdps, play, random_counts, random_mdp, seeds, slope_by_differences

DESIGNS = ["states", "state-actions", "features"]


def a_model(mdp, on, rng, spread=1.0):
    """A model, and weights with the plan whose factorisation is its own."""
    model = Model(mdp, make_design(mdp, on, "gaussian"))
    weights = spread * rng.normal(size=model.design.num_weights)
    return model, weights, factored(mdp, model.plan(weights))


@given(on=st.sampled_from(DESIGNS), mdp=mdps(max_states=5, features=2), seed=seeds)
def test_slopes_and_curvature_are_those_of_finite_differences(on, mdp, seed):
    rng = np.random.default_rng(seed)
    model, weights, plan = a_model(mdp, on, rng)
    counts = random_counts(rng, mdp)
    logs = lambda x: log_boltzmann(model.plan(x).q, mdp.allowed)[mdp.allowed]  # noqa: E731
    slopes = policy_slopes(model, plan)
    np.testing.assert_allclose(slopes.T, slope_by_differences(logs, weights), atol=1e-6)
    slope = lambda x: log_likelihood_and_gradient(model, counts, x)[1]  # noqa: E731
    wanted = -slope_by_differences(slope, weights)
    found = curvature(model, slopes, expected_visits(mdp, counts, plan), plan)
    np.testing.assert_allclose(found, wanted, atol=1e-5 * max(counts.sum(), 1.0))


def test_with_the_visits_observed_it_is_the_information_at_the_truth():
    rng = np.random.default_rng(2)
    model, _, plan = a_model(random_mdp(rng, 6, 3, features=3, discount=0.9), "features", rng)
    visits = rng.random(6) * ~model.mdp.terminal
    made = visits[:, None] * plan.policy
    np.testing.assert_allclose(
        curvature(model, policy_slopes(model, plan), visits, plan),
        curvature(model, policy_slopes(model, plan), expected_visits(model.mdp, made, plan), plan),
        atol=1e-9,
    )


@pytest.mark.parametrize("on", DESIGNS)
def test_steps_by_products_are_those_of_the_matrix(on, monkeypatch):
    rng = np.random.default_rng(3)
    mdp = random_mdp(rng, 12, 3, features=3, discount=0.9)
    model, _, plan = a_model(mdp, on, rng)
    counts, slope = random_counts(rng, mdp), rng.normal(size=model.design.num_weights)
    step = newton(model, counts, 1.0, plan)(slope)
    monkeypatch.setattr(module, "_DENSE_WEIGHTS", 0)
    by_products = newton(model, counts, 1.0, plan)(slope)
    np.testing.assert_allclose(by_products, step, atol=1e-3 * np.abs(step).max())
    dense = maximise(model, counts, 0.1)
    monkeypatch.undo()
    np.testing.assert_allclose(dense.weights, maximise(model, counts, 0.1).weights, atol=1e-3)


@given(mdp=mdps(max_states=5, features=2), seed=seeds, on=st.sampled_from(DESIGNS))
def test_many_likelihoods_at_once_are_those_of_one_by_one(mdp, seed, on):
    rng = np.random.default_rng(seed)
    model, weights, plan = a_model(mdp, on, rng)
    counts = np.stack([random_counts(rng, mdp) for _ in range(3)], axis=2)
    each = weights[:, None] + rng.normal(size=(weights.size, 3))
    values, gradients, v = log_likelihoods_and_gradients(model, counts, each, plan)
    for r in range(3):
        value, gradient, own = log_likelihood_and_gradient(model, counts[..., r], each[:, r])
        assert values[r] == pytest.approx(value, abs=1e-7)
        np.testing.assert_allclose(gradients[:, r], gradient, atol=1e-6)
        np.testing.assert_allclose(v[:, r], own.v, atol=1e-7)


def test_rewards_without_bound_are_left_and_gone_round():
    # Staying costs something, and earns something for ever under the second weights.
    ends = MDP.from_dense(
        np.array([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [0.0, 1.0]]]),
        discount=1.0,
        terminal=np.array([False, True]),
    )
    model = Model(ends, make_design(ends, "state-actions", "gaussian"))
    near = model.plan(np.full(4, -2.0))
    weights = np.array([[-2.0, 3.0], [-2.0, 3.0], [0.0, 0.0], [0.0, 0.0]])
    counts = np.repeat(np.array([[3.0, 1.0], [0.0, 0.0]])[..., None], 2, axis=2)
    values, _, _ = log_likelihoods_and_gradients(model, counts, weights, near)
    assert np.isfinite(values[0])
    assert values[1] == -np.inf
    start = np.full((4, 2), -2.0)
    found = maximise_each(model, counts, 0.1, start, near)
    assert found.converged.all()
    alone = maximise(model, counts[..., 0], 0.1)
    np.testing.assert_allclose(found.weights[:, 0], alone.weights, atol=1e-4)


@pytest.mark.parametrize("on", DESIGNS)
def test_many_searches_at_once_find_what_each_finds_alone(on):
    rng = np.random.default_rng(6)
    mdp = random_mdp(rng, 6, 3, features=2, discount=0.95)
    model = Model(mdp, make_design(mdp, on, "gaussian"))
    # One is far from the others: its states were hardly visited.
    counts = np.stack([random_counts(rng, mdp, mean) for mean in (3, 3, 3, 0.3)], axis=2)
    near = maximise(model, counts.mean(2), 1.0)
    start = np.repeat(near.weights[:, None], 4, axis=1)
    found = maximise_each(model, counts, 0.3, start, near.plan, tolerance=1e-8)
    assert found.converged.all()
    for r in range(4):
        alone = maximise(model, counts[..., r], 0.3, tolerance=1e-8)
        np.testing.assert_allclose(found.weights[:, r], alone.weights, atol=1e-5)
        np.testing.assert_allclose(found.v[:, r], alone.plan.v, atol=1e-5)


@pytest.mark.parametrize(("on", "prior"), [("states", "smooth"), ("state-actions", "gaussian")])
def test_the_strength_is_that_of_fits_to_each_fold(on, prior):
    rng = np.random.default_rng(4)
    mdp = random_mdp(rng, 9, 3, terminals=False, discount=0.9)
    policy = soft_plan(mdp, rng.normal(size=mdp.allowed.shape)).policy
    data = play(rng, mdp, policy, trajectories=12, length=25)
    solver = MaxEnt(on, prior, folds=3, seed=3, strengths=(0.1, 1.0, 10.0), tolerance=1e-7)
    found = fit(data, solver, mdp)
    units = count(data, mdp).units.toarray().reshape(12, *mdp.allowed.shape)
    fold = np.random.default_rng(3).permutation(12) % 3
    scores = {}
    for strength in solver.strengths:
        alone = replace(solver, strength=strength)
        total = 0.0
        for k in range(3):
            made = fit(Counts(units[fold != k].sum(0)), alone, mdp)
            total += log_likelihood(made, data.take(np.flatnonzero(fold == k))).sums.sum()
        scores[f"{strength:g}"] = total / data.num_decisions
    assert found.settings["cross_validation"] == pytest.approx(scores, abs=1e-6)
    best = max(scores, key=scores.__getitem__)
    assert found.settings["strength"] == float(best)
    again = fit(data, replace(solver, strength=float(best)), mdp)
    np.testing.assert_allclose(found.parameters["weights"], again.parameters["weights"], atol=1e-5)
