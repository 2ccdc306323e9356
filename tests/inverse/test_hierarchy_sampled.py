"""The whole posterior of a hierarchy, against quadrature and against Laplace's method."""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import inverseq as iq
from inverseq.inverse.hierarchy.evidence import levels
from inverseq.inverse.hierarchy.expansion import Quadratic
from inverseq.inverse.hierarchy.sampled import WIDTH
from inverseq.inverse.problem import Problem

SEEN = np.array([[0.2, 3.0], [1.4, 1.0], [-0.9, 8.0], [2.2, 2.0], [0.1, 5.0]])
"""Of five animals: the mean of what was measured, and its precision."""


@dataclass(frozen=True)
class Measured:
    """A solver whose likelihood is Gaussian: one number for each animal, measured with an error."""

    def expand(self, problem):
        return self

    penalty = np.eye(1)
    blocks = np.zeros(1, dtype=np.int64)
    cautious = True

    def seen(self, problem, animal):
        return list(SEEN)

    def start(self, seen):
        return np.zeros(1)

    def quadratic(self, seen, weights, near):
        mean, precision = seen
        away = weights - mean
        value = float(-precision * away @ away / 2)
        return Quadratic(value, -precision * away, np.array([[precision]]), None)

    def meaning(self, found, seen):
        raise AssertionError  # nobody asks


def five():
    """Demonstrations of five animals; what they did is not looked at."""
    names = np.array([f"m{i}" for i in range(5)])
    return iq.Demonstrations.from_arrays(
        np.zeros(5, int), np.zeros(5, int), trajectory=np.arange(5), trajectories={"subject": names}
    )


@pytest.fixture(scope="module")
def sampled():
    return iq.sample_hierarchy(five(), iq.Hierarchical(Measured()), draws=400, seed=1)


def test_draws_are_those_of_the_posterior_by_quadrature(sampled):
    _, search = iq.Hierarchical(Measured()).begin(Problem(five(), None))
    search.run(1e-6, 50, None)
    grid = np.linspace(-11.9, 7.9, 400)
    found = [levels(search.data(), np.array([x, search.log_variances[-1]])) for x in grid]
    prior = grid / 2 - np.exp(grid) / (2 * WIDTH**2)
    weight = np.exp(np.array([one.evidence for one in found]) + prior)
    weight /= weight.sum()
    means = np.array([one.animals[:, 0] for one in found])
    variances = np.array([one.spread[:, 0] ** 2 for one in found])
    mean = weight @ means
    deviation = np.sqrt(weight @ (variances + (means - mean) ** 2))
    assert sampled.status.ok
    error = deviation / np.sqrt(sampled.fewest)
    assert (np.abs(sampled.animals.mean(axis=0)[:, 0] - mean) < 4 * error).all()
    assert_allclose(sampled.animals.std(axis=0)[:, 0], deviation, rtol=0.1)
    between = weight @ np.exp(grid / 2)
    assert sampled.between_animals.mean() == pytest.approx(between, rel=0.1)


def test_what_a_sample_says_of_itself(sampled):
    assert repr(sampled).startswith("<HierarchySample: 800 draws, 5 animals, 1 number")
    low, high = sampled.interval(0.5)
    inside = (sampled.animals > low) & (sampled.animals < high)
    assert_allclose(inside.mean(axis=0), 0.5, atol=0.01)
    assert sampled.between_groups is None
    assert sampled.groups.shape == (800, 1, 1)
    with pytest.raises(iq.InputError, match="confidence must lie between 0 and 1; got 95"):
        sampled.interval(95)


def test_laplace_agrees_where_decisions_are_many():
    rng = np.random.default_rng(0)
    world = iq.MDP.from_dense(np.ones((1, 2, 1)), discount=0.0)
    odds = 0.8 + 0.7 * rng.normal(size=10)
    actions = np.concatenate([rng.random(80) < 1 / (1 + np.exp(-one)) for one in odds])
    names = np.array([f"m{i}" for i in range(10)])
    data = iq.Demonstrations.from_arrays(
        np.zeros(800, int),
        actions.astype(int),
        trajectory=np.repeat(np.arange(10), 80),
        trajectories={"subject": names, "genotype": np.repeat(["a", "b"], 5)},
    )
    solver = iq.Hierarchical(iq.IAVI(), group="genotype")
    fitted = iq.fit(data, solver, world)
    sampled = iq.sample_hierarchy(data, solver, world, draws=200, warmup=100, chains=1)
    assert sampled.members.groups == ("a", "b")
    reward = fitted.reward_function
    mean, deviation = sampled.animals.mean(axis=0), sampled.animals.std(axis=0)
    assert np.abs((mean - reward.numbers[:10]) / deviation).max() < 0.4
    assert_allclose(reward.spread[:10], deviation, rtol=0.25)


@pytest.mark.parametrize("name", ["draws", "warmup", "chains"])
def test_counts_are_checked(name: Any):
    with pytest.raises(iq.InputError, match=f"{name} must be . or more; got 0"):
        iq.sample_hierarchy(five(), iq.Hierarchical(Measured()), None, **{name: 0})


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "numpyro.infer", None)
    with pytest.raises(iq.InputError, match=r'pip install "inverseq\[bayes\]"'):
        iq.sample_hierarchy(five(), iq.Hierarchical(Measured()))


def test_covariates_have_intervals_elsewhere():
    solver = iq.Hierarchical(Measured(), covariates=("day",))
    with pytest.raises(iq.InputError, match="slopes_of"):
        iq.sample_hierarchy(five(), solver)
