"""The sandwich: against the bootstrap, one-unit refits and the truth, and what it refuses."""

import numpy as np
import pytest

from inverseq import InputError, interval, sandwich
from inverseq.decisions.counts import Counts, count
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.identifiability import contrast
from inverseq.evaluate.intervals import MOST_OF_PRIOR
from inverseq.forward import simulate
from inverseq.forward.soft import soft_plan
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent import search
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from strategies import play, random_mdp


def a_world(seed=0, trajectories=40, length=25):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 5, 3, features=2, terminals=False, discount=0.8)
    policy = soft_plan(mdp, mdp.features @ np.array([1.0, -0.5])).policy
    return mdp, play(rng, mdp, policy, trajectories=trajectories, length=length)


@pytest.mark.parametrize(
    ("reward", "prior"),
    [("states", "smooth"), ("state-actions", "gaussian"), ("features", "gaussian")],
)
def test_curvature_and_bootstrap_agree(reward, prior):
    mdp, data = a_world(trajectories=80)
    solver = MaxEnt(reward, prior, strength=3.0)
    by_curvature = sandwich(data, solver, mdp)
    resampled = bootstrap(data, solver, mdp, replicates=1000, seed=1)
    assert resampled.converged.all()
    assert by_curvature.units == resampled.units
    deviation = np.sqrt(np.diagonal(by_curvature.covariance))
    found = resampled.parameters["weights"].std(axis=0)
    np.testing.assert_allclose(deviation, found, rtol=0.1)
    pair = contrast(mdp, (0, int(mdp.allowed[0].argmax())), (3, int(mdp.allowed[3].argmax())))
    for what in (pair, None, "weights"):
        one, two = interval(by_curvature, what), interval(resampled, what)
        np.testing.assert_allclose(one.estimate, two.estimate)
        width = np.maximum(two.high - two.low, 1e-12)
        assert np.abs((one.low - two.low) / width).max() < 0.15
        assert np.abs((one.high - two.high) / width).max() < 0.15


@pytest.mark.parametrize("reward", ["states", "state-actions", "features"])
def test_the_response_is_what_a_little_more_of_a_decision_does(reward):
    mdp, data = a_world(1)
    solver = MaxEnt(reward, strength=0.5, tolerance=1e-11)
    counts = count(data, mdp).state_action
    base = fit(Counts(counts), solver, mdp)
    slopes = solver.response(base, counts).slopes
    for s, a in np.argwhere(mdp.allowed)[::5]:
        ends = []
        for step in (0.01, -0.01):
            more = counts.copy()
            more[s, a] = max(more[s, a] + step, 0.0)
            ends.append(fit(Counts(more), solver, mdp).parameters["weights"])
        made = counts[s, a] + 0.01 - max(counts[s, a] - 0.01, 0.0)
        wanted = (ends[0] - ends[1]) / made
        np.testing.assert_allclose(slopes[s * 3 + a], wanted, atol=1e-5)


def test_95_percent_intervals_cover_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(7)
    mdp = random_mdp(rng, 4, 3, features=2, masks=False, terminals=False, discount=0.8)
    truth = np.array([1.0, -0.5])
    policy = soft_plan(mdp, mdp.features @ truth).policy
    experiments, trajectories = 60, 12
    data = simulate(mdp, policy, trajectories=experiments * trajectories, steps=25, seed=8)
    units = count(data, mdp).units
    covered = np.zeros(2)
    for i in range(experiments):
        own = units[i * trajectories : (i + 1) * trajectories]
        counts = Counts(np.asarray(own.sum(0)).reshape(4, 3), own)
        got = interval(sandwich(counts, MaxEnt("features", strength=1e-3), mdp), "weights")
        covered += (got.low <= truth) & (truth <= got.high)
    assert (np.abs(covered / experiments - 0.95) < 0.07).all()


def test_a_fit_at_hand_is_not_made_again():
    mdp, data = a_world()
    solver = MaxEnt("states", strengths=(1.0, 3.0), folds=3)
    known = fit(data, solver, mdp)
    made = sandwich(data, solver, mdp, estimate=known)
    assert made.estimate is known
    again = sandwich(data, MaxEnt("states", strength=known.settings["strength"]), mdp)
    np.testing.assert_allclose(made.covariance, again.covariance, atol=1e-5)
    counted = sandwich(count(data, mdp), solver, mdp, estimate=known)
    np.testing.assert_allclose(counted.covariance, made.covariance)
    by_subject = sandwich(data, solver, mdp, by="subject", estimate=known)
    assert by_subject.units < made.units
    slopes = solver.response(known, count(data, mdp).state_action).slopes
    pulls = count(data, mdp, by="subject").units @ slopes
    wanted = (pulls - pulls.mean(0)).T @ (pulls - pulls.mean(0))
    np.testing.assert_allclose(by_subject.covariance - by_subject.prior, wanted, atol=1e-10)


def test_what_cannot_be_answered_is_refused(monkeypatch):
    mdp, data = a_world()
    solver = MaxEnt("states", strength=1.0)
    made = sandwich(data, solver, mdp)
    for wrong, what in (
        (lambda: interval(made, "v"), "'weights'"),
        (lambda: interval(made, np.ones((2, 2))), "contrast"),
        (lambda: sandwich(data, IAVI(), mdp), "inverseq.bootstrap"),
        (lambda: sandwich(data.take(np.array([0])), solver, mdp), "two units"),
        (lambda: sandwich(data, solver, mdp, level=2), "level"),
        (lambda: sandwich(Counts(made.estimate.mdp.allowed * 1.0), solver, mdp), "two units"),
    ):
        with pytest.raises(InputError, match=what):
            wrong()
    monkeypatch.setattr(search, "_DENSE_WEIGHTS", 2)
    with pytest.raises(InputError, match="5 weights do not fit"):
        sandwich(data, solver, mdp, estimate=made.estimate)


def test_of_what_was_never_seen_the_prior_is_as_unsure_as_it_claims():
    # State 2 is never reached, nor does its reward matter in the others.
    stays = MDP(np.array([[[0], [1]], [[1], [0]], [[2], [2]]]), np.ones((3, 2, 1)), discount=0.5)
    data = Demonstrations.from_arrays(
        [0, 0, 1, 0, 1, 1], [0, 1, 0, 1, 1, 0], trajectory=[0, 0, 0, 1, 1, 1]
    )
    solver = MaxEnt("states", strength=4.0)
    unseen = np.zeros((3, 2))
    unseen[2] = 0.5
    by_curvature = sandwich(data, solver, stays)
    told = interval(by_curvature, unseen)
    assert told.prior_share == pytest.approx(1.0)
    assert by_curvature.covariance[2, 2] == pytest.approx(1 / 4.0)
    drawn = bootstrap(data, solver, stays, replicates=400, seed=0)
    assert interval(drawn, unseen).prior_share == pytest.approx(1.0)
    assert drawn.parameters["weights"][:, 2].std() == pytest.approx(0.5, rel=0.15)


def test_intervals_of_strong_rewards_hold_or_own_up():
    # Rewards of five times the temperature, 200 decisions in twenty states: without the doubt of
    # the prior, three of ten intervals hold the truth (docs/studies/honesty.md).
    inside, shares = [], []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        mdp = MDP(rng.integers(0, 20, (20, 3, 2)), rng.dirichlet(np.ones(2), (20, 3)), discount=0.9)
        here = 5.0 * rng.normal(size=20)
        policy = soft_plan(mdp, np.repeat(here[:, None], 3, axis=1)).policy
        data = simulate(mdp, policy, trajectories=10, steps=20, seed=seed)
        counts = count(data, mdp)
        most = np.argsort(-counts.visits, kind="stable")[:8]
        made = sandwich(counts, MaxEnt("states", strength=0.1), mdp)
        for a, b in zip(most[::2], most[1::2], strict=True):
            end = interval(made, contrast(mdp, (int(a), 0), (int(b), 0)))
            inside.append(end.low <= here[a] - here[b] <= end.high)
            shares.append(float(end.prior_share))
    held = np.array(inside)
    assert held.mean() > 0.6
    assert (np.array(shares)[~held] > MOST_OF_PRIOR).all()
