"""Levels of Gaussians against one large Gaussian in which all of them stand side by side."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.linalg import block_diag
from scipy.optimize import approx_fprime

from inverseq.inverse.hierarchy.evidence import (
    UNRELATED,
    Quadratics,
    away_from_zero,
    charge,
    learned,
    levels,
    precisions,
)


def quadratics(groups, blocks, seed=0, animals=6):
    rng = np.random.default_rng(seed)
    size = len(blocks)
    roots = rng.normal(size=(animals, size, 8))
    curvatures = roots @ roots.transpose(0, 2, 1)
    curvatures[0] = 0.0  # an animal without decisions
    slopes = np.einsum("nij,nj->ni", curvatures, rng.normal(size=(animals, size)))
    root = rng.normal(size=(size, size))
    penalty = np.eye(size) if max(blocks) else root @ root.T + np.eye(size)
    group = np.arange(animals) % groups
    return Quadratics(curvatures, slopes, group, penalty, np.array(blocks))


def prior_cover(data, x):
    """Covariance of all theta before any decision."""
    own, between, whole = precisions(data, x)
    count, size = data.slopes.shape
    design = np.kron(np.ones((count, 1)), np.eye(size))
    cover = block_diag(*[np.linalg.inv(own)] * count)
    cover += design @ np.linalg.inv(whole) @ design.T
    if between is not None:
        same = (data.group[:, None] == data.group).astype(float)
        cover += np.kron(same, np.linalg.inv(between))
    return cover


def together(data, x):
    """Evidence, and means and standard deviations of theta, of one joint Gaussian of theta."""
    cover, (count, size) = prior_cover(data, x), data.slopes.shape
    curvature, slope = block_diag(*data.curvatures), data.slopes.ravel()
    after = np.linalg.inv(np.linalg.inv(cover) + curvature)
    value = np.linalg.slogdet(after)[1] - np.linalg.slogdet(cover)[1] + slope @ after @ slope
    mean = (after @ slope).reshape(count, size)
    return value / 2, mean, np.sqrt(np.diag(after)).reshape(count, size)


CASES = [(1, [0, 0, 0]), (2, [0, 0, 0]), (2, [0, 1, 2]), (3, [0, 1, 1])]


@pytest.mark.parametrize(("groups", "blocks"), CASES)
def test_all_levels_are_those_of_one_gaussian(groups, blocks):
    data = quadratics(groups, blocks)
    x = np.random.default_rng(1).normal(size=data.num_variances)
    made, (value, mean, spread) = levels(data, x), together(data, x)
    assert made.evidence == pytest.approx(value, rel=1e-9)
    assert_allclose(made.animals, mean, atol=1e-9)
    assert_allclose(made.spread, spread, rtol=1e-9)
    # An animal without decisions is expected to be as its group.
    assert_allclose(made.animals[0], made.groups[data.group[0]], atol=1e-9)


@pytest.mark.parametrize(("groups", "blocks"), CASES)
def test_what_the_levels_above_charge_is_the_density_of_the_prior(groups, blocks):
    data = quadratics(groups, blocks)
    rng = np.random.default_rng(5)
    x, animals = rng.normal(size=data.num_variances), rng.normal(size=data.slopes.shape)
    flat = animals.ravel()
    known = flat @ np.linalg.solve(prior_cover(data, x), flat) / 2
    assert charge(animals, data.group, *precisions(data, x)) == pytest.approx(known, rel=1e-8)


@pytest.mark.parametrize(("groups", "blocks"), CASES)
def test_slopes_are_those_of_the_evidence(groups, blocks):
    data = quadratics(groups, blocks)
    x = np.random.default_rng(2).normal(size=data.num_variances)
    known = approx_fprime(x, lambda y: levels(data, y).evidence, 1e-6)
    assert_allclose(levels(data, x).slope, known, atol=1e-4)


@pytest.mark.parametrize("cautious", [False, True])
@pytest.mark.parametrize(("groups", "blocks"), CASES)
def test_nothing_near_the_variances_that_are_learned_is_more_likely(groups, blocks, cautious):
    data = replace(quadratics(groups, blocks, animals=12), cautious=cautious)
    best = learned(data, np.zeros(data.num_variances))
    worth = lambda x: levels(data, x).evidence + away_from_zero(data, x)[0]  # noqa: E731
    top = worth(best)
    rng = np.random.default_rng(3)
    for _ in range(30):
        tried = np.clip(best + 0.3 * rng.normal(size=best.size), -12, 8)
        tried[-1] = max(tried[-1], UNRELATED if cautious else -12)
        assert worth(tried) <= top + 1e-6


def test_variances_are_found_where_there_are_many_animals():
    rng = np.random.default_rng(4)
    animals, truth = 400, np.array([0.3, 2.0])
    theta = 1.0 + rng.normal(size=(animals, 2)) * truth
    curvatures = np.repeat(np.diag([30.0, 30.0])[None], animals, axis=0)
    seen = theta + rng.normal(size=theta.shape) / np.sqrt(30.0)
    group = np.zeros(animals, dtype=int)
    data = Quadratics(curvatures, 30.0 * seen, group, np.eye(2), np.array([0, 1]))
    found = np.exp(learned(data, np.zeros(3)) / 2)
    assert_allclose(found[:2], truth, rtol=0.1)


def test_caution_leaves_room_where_few_animals_show_no_difference():
    curvatures, slopes = np.repeat(np.diag([40.0, 40.0])[None], 7, axis=0), np.full((7, 2), 20.0)
    bold = Quadratics(curvatures, slopes, np.zeros(7, dtype=int), np.eye(2), np.array([0, 1]))
    start, wary = np.array([-2.0, -2.0, 2.0]), replace(bold, cautious=True)
    none, some = (np.exp(learned(data, start) / 2)[:2] for data in (bold, wary))
    assert (none < 0.01).all()
    assert ((some > 0.05) & (some < 0.16)).all()  # less than how unsure each animal is
