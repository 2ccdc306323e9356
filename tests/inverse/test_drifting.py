"""Rewards that walk: against dense algebra, a constant fit, and walks whose truth is known."""

import time
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

import inverseq as iq
from inverseq import InputError
from inverseq.inverse.drift.chain import Walks, known, prior_of, solve_tridiagonal
from inverseq.inverse.problem import Problem
from inverseq.policies.walk import walk_over
from inverseq.rewards.each import EachReward
from strategies import random_mdp


def arms(seed=0, features=2):
    """A world of one state and four arms: a fit of it takes no time."""
    rng = np.random.default_rng(seed)
    return iq.MDP(
        successors=np.zeros((1, 4, 1), int),
        probabilities=np.ones((1, 4, 1)),
        discount=0.0,
        features=rng.normal(size=(1, 4, features)),
    )


def walked(mdp, weights, decisions, seed=0, **told):
    """Decisions of each moment, for weights `[M, F]`."""
    rng = np.random.default_rng(seed)
    actions = []
    for w in weights:
        policy = iq.forward.soft_policy_iteration(mdp, mdp.features @ w).policy
        actions.append(rng.choice(mdp.num_actions, decisions, p=policy[0]))
    day = np.arange(len(weights))
    return iq.Demonstrations.from_arrays(
        np.zeros(len(weights) * decisions, int),
        np.concatenate(actions),
        trajectory=np.repeat(day, decisions),
        trajectories={"day": day} | told,
    )


def some_walks(rng, count, size, firsts=()):
    half = rng.normal(size=(count, size, size))
    begins = np.isin(np.arange(count), [0, *firsts])
    return Walks(
        half @ half.transpose(0, 2, 1),
        rng.normal(size=(count, size)),
        rng.random(count) + 0.5,
        begins,
        np.eye(size) + 0.3,
        np.minimum(np.arange(size), 1),
    )


def dense(diagonal, upper):
    count, size, _ = diagonal.shape
    made = np.zeros((count, size, count, size))
    for t in range(count):
        made[t, :, t] = diagonal[t]
        if t:
            made[t - 1, :, t], made[t, :, t - 1] = upper[t - 1], upper[t - 1].T
    return made.reshape(count * size, count * size)


@pytest.mark.parametrize("count", [1, 2, 3, 6, 9])
def test_the_chain_is_solved_as_the_dense_matrix_is(count):
    data = some_walks(np.random.default_rng(count), count, 3, firsts=(4,))
    prior = prior_of(data, np.array([-2.0, -1.0, 1.0]))
    matrix = dense(prior.diagonal + data.curvatures, prior.upper)
    made = solve_tridiagonal(prior.diagonal + data.curvatures, prior.upper, data.slopes)
    inverse = np.linalg.inv(matrix).reshape(count, 3, count, 3)
    assert_allclose(made.x.ravel(), np.linalg.solve(matrix, data.slopes.ravel()))
    assert_allclose(made.log_det, np.linalg.slogdet(matrix)[1])
    assert_allclose(prior.log_det, np.linalg.slogdet(dense(prior.diagonal, prior.upper))[1])
    for t in range(count):
        assert_allclose(made.covers[t], inverse[t, :, t], atol=1e-12)
        if t:
            assert_allclose(made.across[t - 1], inverse[t - 1, :, t], atol=1e-12)


def test_the_evidence_has_the_slope_that_it_says():
    data, small = some_walks(np.random.default_rng(1), 30, 3, firsts=(11,)), 1e-5
    at = np.array([-2.0, -3.0, 0.5])
    sides = [
        [known(data, at + sign * small * axis).evidence for sign in (1, -1)] for axis in np.eye(3)
    ]
    slope = [(up - down) / (2 * small) for up, down in sides]
    assert_allclose(known(data, at).slope, slope, rtol=1e-5)


def test_time_grows_as_the_moments_do():
    rng, taken = np.random.default_rng(2), []
    for count in (2_000, 16_000):
        data = some_walks(rng, count, 3)
        started = time.process_time()
        for _ in range(3):
            known(data, np.array([-2.0, -1.0, 1.0]))
        taken.append(time.process_time() - started)
    assert (
        taken[1] < 24 * taken[0]
    )  # eight times the moments; a dense solve takes 512 times as long


def test_the_fit_is_the_most_probable_walk_and_its_spread_the_dense_curvature():
    mdp = random_mdp(np.random.default_rng(3), 4, 3, terminals=False, features=2, discount=0.7)
    weights = np.array([[1.0, 0.0], [0.5, 0.5], [-1.0, 0.5]])
    parts = []
    for number, w in enumerate(weights):
        policy = iq.forward.soft_policy_iteration(mdp, mdp.features @ w).policy
        made = iq.forward.simulate(mdp, policy, trajectories=2, steps=30, seed=number)
        told = {"day": np.repeat([0.0, 1.0, 3.0][number], 2)}
        parts.append(replace(made, trajectories=dict(made.trajectories) | told))
    data = iq.concatenate(parts)
    solver = iq.Drifting(iq.MaxEnt("features"), over="day", step=0.5, first=1.0, tolerance=1e-7)
    found = iq.fit(data, solver, mdp)
    expansion = iq.MaxEnt("features").expand(Problem(data, mdp))
    seen = expansion.seen(Problem(data, mdp), np.repeat([0, 1, 2], 60))

    pull = np.array([[1 + 4, -4, 0], [-4, 4 + 2, -2], [0, -2, 2]])

    def cost(flat):
        w = flat.reshape(3, 2)
        told = [expansion.quadratic(c, x, None) for c, x in zip(seen, w, strict=True)]
        value = np.einsum("tf,tu,uf->", w, pull, w) / 2 - sum(one.value for one in told)
        return value, (pull @ w - np.array([one.slope for one in told])).ravel()

    best = minimize(cost, np.zeros(6), jac=True, options={"gtol": 1e-6}).x
    walk = iq.drift_of(found)[""]
    assert_allclose(walk.weights.ravel(), best, atol=1e-3)
    bend = np.array([cost(best + e)[1] - cost(best - e)[1] for e in 1e-4 * np.eye(6)]) / 2e-4
    # The curvature is that of the likelihood but for visits that are negative.
    assert_allclose(walk.spread.ravel(), np.sqrt(np.diag(np.linalg.inv(bend))), rtol=0.05)


def test_without_drift_it_is_the_constant_fit():
    mdp = arms()
    data = walked(mdp, np.tile([1.0, -0.5], (6, 1)), 40)
    still = iq.fit(data, iq.Drifting(iq.MaxEnt("features"), over="day", step=1e-4, first=2.0), mdp)
    constant = iq.fit(data, iq.MaxEnt("features", strength=0.25), mdp)
    assert_allclose(
        still.reward_function.numbers, np.tile(constant.parameters["weights"], (6, 1)), atol=1e-3
    )
    assert_allclose(still.probabilities(data), constant.probabilities(data), atol=1e-3)
    learned = iq.fit(data, iq.Drifting(iq.MaxEnt("features"), over="day"), mdp)
    assert learned.parameters["step"].max() < 0.1
    assert learned.num_parameters < 6


@pytest.fixture(scope="module")
def drift():
    """Two animals, of whose three weights two walk."""
    rng, mdp = np.random.default_rng(4), arms(1, features=3)
    steps = rng.normal(size=(2, 60, 3)) * [0.3, 0.1, 0.0]
    steps[:, 0] = [0.5, -0.5, 1.0]
    weights = steps.cumsum(axis=1)
    data = [
        walked(mdp, w, 20, seed, mouse=np.repeat(f"m{seed}", 60)) for seed, w in enumerate(weights)
    ]
    return mdp, weights, iq.concatenate(data)


def test_a_drift_is_found_with_its_step_and_covered(drift):
    mdp, weights, data = drift
    found = iq.fit(data, iq.Drifting(iq.MaxEnt("features"), over="day", of="mouse"), mdp)
    walks = iq.drift_of(found)
    assert [*walks] == ["m0", "m1"]
    step = found.parameters["step"]
    assert 0.2 < step[0] < 0.45
    assert 0.03 < step[1] < 0.2
    assert step[2] < 0.05
    apart = np.concatenate([
        np.abs(w - walks[f"m{i}"].weights) / walks[f"m{i}"].spread for i, w in enumerate(weights)
    ])  # fmt: skip
    assert 0.9 < (apart < 1.96).mean() < 0.99
    constant = iq.fit(data, iq.MaxEnt("features", strength=0.1), mdp)
    held = walked(mdp, weights[0], 20, seed=9, mouse=np.repeat("m0", 60))
    assert float(iq.log_likelihood(found, held)) > float(iq.log_likelihood(constant, held)) + 0.02


def test_it_stands_beside_others_in_compare_and_on_disk(drift, tmp_path):
    mdp, _, data = drift
    data = data.select(mouse="m0")
    solver = iq.Drifting(iq.MaxEnt("features"), over="day")
    made = iq.compare(
        data, {"walk": solver, "constant": iq.MaxEnt("features", strength=0.1)}, mdp, folds=3
    )
    assert made["walk"].score.mean > made["constant"].score.mean
    found = iq.fit(data, solver, mdp)
    iq.save(found, tmp_path / "walk.npz")
    again = iq.load(tmp_path / "walk.npz", iq.Solution)
    assert_allclose(again.probabilities(data), found.probabilities(data))
    assert_allclose(iq.drift_of(again)[""].spread, iq.drift_of(found)[""].spread)
    walk = iq.drift_of(again)[""]
    drawn = iq.plot.walk(
        walk.times, walk.weights, walk.spread, names="abc", events={"laser": np.array([3.0, 40.0])}
    )
    assert len(drawn.lines) == 4
    assert drawn.texts[0].get_text() == "laser"


def test_moments_that_were_not_seen_are_as_the_nearest():
    mdp = arms()
    data = walked(mdp, np.tile([1.0, -0.5], (9, 1)), 3)
    walk = walk_over(data.select(day=[0, 1, 5, 8]), "day", None)
    assert_allclose(walk.times, [0, 1, 5, 8])
    assert walk.which(data)[::3].tolist() == [0, 1, 1, 1, 2, 2, 2, 3, 3]
    named = replace(data, trajectories={"session": np.array([f"s{i}" for i in range(3, 12)])})
    walk = walk_over(named, "session", None)
    assert walk.moments[-1] == "s11"  # behind s9
    later = replace(data, trajectories={"session": np.array(["s40"] * 9)})
    assert set(walk.which(later)) == {8}
    assert walk_over(data, "step", None).moments.tolist() == ["0", "1", "2"]


def test_bad_input_says_what_to_do():
    mdp = arms()
    data = walked(mdp, np.tile([1.0, -0.5], (4, 1)), 5)
    odd = replace(data, trajectories={"session": np.array(["b", "a", "c", "d"])})
    for solver, given, match in (
        (iq.Drifting(iq.CountTable(1), over="day"), data, "MaxEnt"),
        (iq.Drifting(iq.Learner(), over="day"), data, "MaxEnt"),
        (iq.Drifting(iq.MaxEnt("features"), over="hour"), data, "'hour'"),
        (iq.Drifting(iq.MaxEnt("features"), over="day", of="rat"), data, "'rat'"),
        (iq.Drifting(iq.MaxEnt("features")), odd, "numbers them"),
    ):
        with pytest.raises(InputError, match=match):
            iq.fit(given, solver, mdp)
    with pytest.raises(InputError, match="step must be"):
        iq.Drifting(iq.MaxEnt("features"), step=0.0)
    with pytest.raises(InputError, match="fit Drifting"):
        iq.drift_of(iq.fit(data, iq.MaxEnt("features", strength=1.0), mdp))
    with pytest.raises(InputError, match="changes with day"):
        iq.fit(data, iq.Drifting(iq.MaxEnt("features"), over="day"), mdp).policy.per_state(mdp)


def test_when_it_was_is_never_guessed(monkeypatch):
    mdp = arms()
    data = walked(mdp, np.tile([1.0, -0.5], (4, 1)), 5)
    solver = iq.Drifting(iq.MaxEnt("features"), over="day", step=0.1, first=1.0)
    found = iq.fit(data, solver, mdp)
    for days, words in ((["x"] * 4, "'x' was: the moments"), ([0, 1, np.nan, 3], "empty cells")):
        unsure = replace(data, trajectories={"day": np.array(days)})
        with pytest.raises(InputError, match=words):
            found.probabilities(unsure)
    monkeypatch.setattr("inverseq.inverse.drift.solver._MOST", 10)
    with pytest.raises(InputError, match="4 moments of 2 numbers"):
        iq.fit(data, solver, mdp)


def test_log_odds_drift_too(drift):
    mdp, _, data = drift
    found = iq.fit(data.select(mouse="m0"), iq.Drifting(iq.IAVI(), over="day"), mdp)
    assert isinstance(found.reward_function, EachReward)
    assert found.status.ok
    assert found.parameters["step"].shape == (1,)


def test_a_search_that_finds_no_better_walk_has_not_converged(monkeypatch):
    monkeypatch.setattr(
        "inverseq.inverse.drift.search._SHORTEST", 2.0
    )  # no part of a step is tried
    mdp = arms()
    data = walked(mdp, np.ones((3, 2)), 20)
    found = iq.fit(data, iq.Drifting(iq.MaxEnt("features"), over="day"), mdp, accept_failure=True)
    assert not found.status.ok
    assert "give its step" in found.status.message
