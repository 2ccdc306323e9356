"""Rewards that change with a day or an age: slopes of known size, and none where there are none."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

import inverseq as iq
from inverseq import InputError
from inverseq.inverse.covariates import covariates_of
from inverseq.inverse.hierarchy.slopes import sloped
from inverseq.inverse.problem import Problem
from inverseq.policies.each import Members
from strategies import random_mdp

ARMS = iq.MDP(
    successors=np.zeros((1, 3, 1), int),
    probabilities=np.ones((1, 3, 1)),
    discount=0.0,
    features=np.array([[[1.0, 0.0], [0.0, 1.0], [0.5, -0.5]]]),
)
"""One state and three arms: a fit of it takes no time."""


def cohort(slope, mdp=ARMS, animals=8, days=4, size=60, seed=0, aged=False):
    """Animals whose first weight rises by `slope` a day, or, with `aged`, a year of their age."""
    rng, parts = np.random.default_rng(seed), []
    for number in range(animals):
        base, age = np.array([0.5, -0.3]) + 0.2 * rng.normal(size=2), 10 + number
        for day in range(days):
            weights = base + np.array([slope * (number if aged else day), 0.0])
            reward = (mdp.features @ weights) * mdp.allowed
            policy = iq.forward.soft_policy_iteration(mdp, reward).policy
            made = iq.forward.simulate(
                mdp, policy, trajectories=1, steps=size, seed=day + 9 * number
            )
            told = {"subject": f"m{number}", "day": day, "age": age, "line": "ab"[number % 2]}
            columns = {name: np.repeat(value, 1) for name, value in told.items()}
            parts.append(
                iq.Demonstrations.from_arrays(made.states, made.actions, trajectories=columns)
            )
    return iq.concatenate(parts)


def fitted(data, *covariates, mdp=ARMS, **settings):
    solver = iq.Hierarchical(iq.MaxEnt("features"), covariates=covariates, **settings)
    return iq.fit(data, solver, mdp)


@pytest.fixture(scope="module")
def rising():
    data = cohort(0.5)
    return data, fitted(data, "day")


def test_a_slope_is_found_and_what_does_not_change_is_not_claimed(rising):
    slopes = iq.slopes_of(rising[1])
    assert slopes.covariates == ("day",)
    assert slopes.groups == ("",)
    assert slopes.low[0, 0, 0] < 0.5 < slopes.high[0, 0, 0]
    assert slopes.clear[0, 0].tolist() == [True, False]
    assert slopes.each.shape == slopes.spread.shape == (8, 1, 2)
    wider = iq.slopes_of(rising[1], level=0.99)
    assert (wider.high > slopes.high).all()
    with pytest.raises(InputError, match="level must be a share"):
        iq.slopes_of(rising[1], level=95)


def test_intervals_hold_the_truth_and_nothing_is_claimed_where_nothing_changes():
    held = []
    for seed in range(8):
        made = iq.slopes_of(fitted(cohort(0.0, seed=seed, days=3, size=30), "day"))
        held.extend(~made.clear.ravel())
    assert np.mean(held) > 0.85


def test_of_an_age_the_slope_lies_between_animals():
    data = cohort(0.4, aged=True, animals=10, days=1, size=150)
    found = fitted(data, "age")
    slopes = iq.slopes_of(found)
    assert slopes.low[0, 0, 0] < 0.4 < slopes.high[0, 0, 0]
    assert slopes.clear[0, 0].tolist() == [True, False]
    assert_allclose(slopes.each, slopes.estimate[0] + np.zeros((10, 1, 1)), atol=0.02)
    assert found.parameters["freedom"].tolist() == [[8.0]]


def test_a_day_that_was_not_seen_lies_on_the_same_line(rising):
    data, found = rising
    later = replace(data, trajectories={**data.trajectories, "day": np.repeat(6, 32)})
    weights = found.reward_function.numbers[:8].reshape(8, 2, 2)
    covariates = found.reward_function.cases.covariates
    units = (6 - covariates.middle) / covariates.scale
    table = ARMS.features[0] @ (weights[:, 0] + units * weights[:, 1]).T
    soft = np.exp(table) / np.exp(table).sum(axis=0)
    animal = np.repeat(np.arange(32) // 4, 60)
    assert_allclose(found.probabilities(later), soft.T[animal], rtol=1e-6)
    paid = iq.transition_rewards(found, later)
    assert_allclose(paid, table.T[animal, later.actions], rtol=1e-6)
    alone = iq.each_of(found)["m3"]
    third = later.select(subject="m3")
    assert_allclose(alone.probabilities(third), found.probabilities(third))
    assert_allclose(alone.parameters["weights"], weights[3, 0])


def test_what_is_fitted_foretells_better_than_rewards_that_stay(rising):
    data, found = rising
    stays = fitted(data)
    assert float(iq.log_likelihood(found, data)) > float(iq.log_likelihood(stays, data)) + 0.01


def test_it_plans_elsewhere_and_goes_into_a_file(tmp_path):
    mdp = random_mdp(np.random.default_rng(1), 4, 2, terminals=False, features=2, discount=0.7)
    data = cohort(0.4, mdp, animals=4, days=2, size=40)
    found = fitted(data, "day", mdp=mdp, group="line")
    back = iq.load(iq.save(found, tmp_path / "found.npz"), iq.Solution)
    assert_allclose(back.probabilities(data), found.probabilities(data))
    assert iq.slopes_of(back).groups == ("a", "b")
    other = replace(mdp, discount=0.3)
    moved = iq.replan(found, other)
    reward = found.reward_function
    cases, which = reward.cases.of(data)
    member, unit = cases[which[0]]
    table = reward.each[int(member)][0].table(mdp) + unit * reward.each[int(member)][1].table(mdp)
    soft = iq.forward.soft_policy_iteration(other, table).policy
    assert_allclose(moved.probabilities(data)[0], soft[data.states[0]], atol=1e-8)


def test_the_quadratic_is_that_of_the_likelihood():
    mdp = random_mdp(np.random.default_rng(2), 4, 2, terminals=False, features=2, discount=0.7)
    data = cohort(0.4, mdp, animals=2, days=3, size=30)
    animal = np.repeat([0, 1], 3)
    within = iq.MaxEnt("features").expand(Problem(data, mdp))
    members = Members("subject", ("m0", "m1"))
    expansion = sloped(within, data, ("day",), members, animal)
    seen = expansion.seen(Problem(data, mdp), animal[data.trajectory_of])
    rng = np.random.default_rng(0)
    at, way, small = rng.normal(size=4), rng.normal(size=4), 1e-4
    here = expansion.quadratic(seen[0], at, None)
    ahead, behind = (expansion.quadratic(seen[0], at + s * small * way, here.near) for s in (1, -1))
    assert here.slope @ way == pytest.approx((ahead.value - behind.value) / (2 * small), rel=1e-5)
    bend = (behind.slope - ahead.slope) / (2 * small)
    assert_allclose(here.curvature @ way, bend, rtol=1e-4, atol=1e-3)
    assert covariates_of(data, ("day",)).middle == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("covariates", "columns", "message"),
    [
        (("dose",), {}, "there is no covariate 'dose'"),
        (("line",), {}, "holds 'a' in trajectory 1"),
        (("same",), {"same": np.ones(32)}, "'same' is the same in all trajectories"),
        (("day", "twice"), {"twice": 2.0 * np.tile(range(4), 8)}, "follow from one another"),
        (("once",), {"once": np.arange(32) == 1}, "changes in one subject alone"),
    ],
)
def test_columns_that_cannot_be_used_are_told(rising, covariates, columns, message):
    data = replace(rising[0], trajectories={**rising[0].trajectories, **columns})
    with pytest.raises(InputError, match=message):
        fitted(data, *covariates)


def test_solvers_whose_rewards_are_not_linear_are_told(rising):
    with pytest.raises(InputError, match="linear in their weights"):
        iq.fit(rising[0], iq.Hierarchical(iq.IAVI(), covariates=("day",)), ARMS)
    with pytest.raises(InputError, match="has no slopes"):
        iq.slopes_of(fitted(rising[0]))
    few = rising[0].take(np.arange(32) < 8)
    with pytest.raises(InputError, match="too few for slopes of"):
        fitted(few, "age")
