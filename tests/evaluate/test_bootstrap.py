"""The bootstrap: replicates against fits one by one, coverage in simulation, memory, settings."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import sparse
from scipy.stats import beta

from inverseq import MDP, InputError
from inverseq.decisions.counts import Counts, count
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate import bootstrap as module
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.identifiability import contrast
from inverseq.evaluate.intervals import interval
from inverseq.forward import simulate, soft_policy_iteration
from inverseq.intentions.solver import Intentions
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.problem import Problem, Refits
from inverseq.inverse.replan import replan
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.iavi import IAVI, inverse_action_values
from inverseq.inverse.values.iql import IQL
from inverseq.inverse.values.iql_transitions import observed_transitions
from strategies import play, random_mdp, random_policy


def some_play(seed=0, states=6, **settings):
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, states, 3, terminals=False, discount=0.8)
    return mdp, play(rng, mdp, random_policy(rng, mdp), trajectories=12, length=20, **settings)


def drawn(units, replicates, seed):
    """The weights of the units, drawn again."""
    rng = np.random.default_rng(seed)
    return [np.bincount(rng.integers(0, units, units), minlength=units) for _ in range(replicates)]


@pytest.mark.parametrize("by", ["trajectory", "session", "subject"])
def test_every_replicate_is_a_fit_to_units_and_a_prior_of_random_weight(by):
    mdp, demos = some_play()
    solver = IAVI(smoothing=0.7)
    made = bootstrap(demos, solver, mdp, by=by, replicates=7, seed=3)
    counts = count(demos, mdp, by=by)
    assert made.units == counts.units.shape[0]
    weights = np.random.default_rng(3).standard_gamma(1 - 1 / made.units, (7, made.units))
    for r in range(7):
        drawn_by = np.random.default_rng(np.random.SeedSequence(3, spawn_key=(r, 0)))
        seen = (counts.units.T @ weights[r]).reshape(6, 3) + drawn_by.standard_gamma(0.7, (6, 3))
        again = fit(Counts(seen * mdp.allowed), IAVI(smoothing=0.0), mdp)
        np.testing.assert_allclose(made.rewards[r], again.reward, atol=1e-9)
    np.testing.assert_array_equal(made.estimate.reward, fit(demos, solver, mdp).reward)
    assert made.converged.all()


def bandit(taken):
    """One state that is left for itself, and decisions that are units."""
    arms = len(taken)
    mdp = MDP(np.zeros((1, arms, 1), int), np.ones((1, arms, 1)), discount=0.0)
    units = np.repeat(np.eye(arms), taken, axis=0)
    return mdp, Counts(units.sum(axis=0, keepdims=True), sparse.csr_array(units))


def test_of_single_decisions_replicates_are_draws_of_the_dirichlet_posterior():
    mdp, counts = bandit([60, 6, 0])
    pairs = {"rare": contrast(mdp, (0, 0), (0, 1)), "never": contrast(mdp, (0, 0), (0, 2))}
    made = bootstrap(counts, IAVI(), mdp, replicates=4000, seed=0, contrasts=pairs)
    tails = [0.05, 0.25, 0.5, 0.75]
    for name, other in (("rare", 6.5), ("never", 0.5)):
        share = beta.ppf(tails, 60.5, other)
        wanted = np.log(share / (1 - share))
        np.testing.assert_allclose(np.quantile(made.contrasts[name], tails), wanted, atol=0.12)


def test_intervals_say_how_much_of_them_hangs_on_what_was_never_done():
    mdp, counts = bandit([60, 6, 0])
    taken, never = contrast(mdp, (0, 0), (0, 1)), contrast(mdp, (0, 0), (0, 2))
    full = bootstrap(counts, IAVI(), mdp, replicates=500, seed=0)
    lean = bootstrap(counts, IAVI(), mdp, replicates=500, seed=0, contrasts={"c": never})
    assert interval(full, taken).prior_share == pytest.approx(0.0, abs=1e-12)
    assert interval(full, never).prior_share > 0.7
    assert interval(lean, "c").prior_share == pytest.approx(
        float(interval(full, never).prior_share)
    )
    assert interval(full).prior_share.shape == (1, 3)
    heavy = bootstrap(counts, IAVI(smoothing=10.0), mdp, replicates=500, seed=0)
    assert interval(heavy, taken).prior_share > 0.3  # ten were added to six
    _, all_taken = bandit([60, 6, 3])
    bare = bootstrap(all_taken, IAVI(smoothing=0.0), mdp, replicates=50, seed=0)
    assert interval(bare, never).prior_share == 0
    assert np.isfinite(bare.rewards).all()


def test_of_what_inverse_q_learning_never_saw_half_a_decision_is_drawn():
    mdp, _ = bandit([60, 6, 0])
    arms, ahead = np.repeat([0, 1], [60, 6]), np.zeros(66, int)
    data = Demonstrations.from_arrays(ahead, arms, next_states=ahead, trajectory=np.arange(66))
    pairs = {"rare": contrast(mdp, (0, 0), (0, 1)), "never": contrast(mdp, (0, 0), (0, 2))}
    asked = {"replicates": 600, "seed": 0, "jobs": 1}
    made = bootstrap(data, IQL(method="exact"), mdp, contrasts=pairs, **asked)
    tails = [0.25, 0.5, 0.75]
    for name, other in (("rare", 6.5), ("never", 0.5)):
        share = beta.ppf(tails, 60.5, other)
        wanted = np.log(share / (1 - share))
        np.testing.assert_allclose(np.quantile(made.contrasts[name], tails), wanted, atol=0.2)
    assert interval(made, "never").prior_share > 0.7
    assert interval(made, "rare").prior_share == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(InputError, match='method="exact"'):
        bootstrap(data, IQL(epochs=1), mdp, contrasts=pairs, **asked)


def test_decisions_are_added_to_transitions_as_the_world_leads_them():
    ends = MDP(
        np.array([[[1, 2], [0, 2]], [[0, 1], [1, 2]], [[2, 0], [2, 1]]]),
        np.full((3, 2, 2), 0.5) + np.array([0.25, -0.25]),
        discount=0.9,
        terminal=np.array([False, False, True]),
    )
    data = Demonstrations.from_arrays([0, 1, 2], [0, 1, 0])
    seen = observed_transitions(Problem(data, ends), None)
    added = np.arange(6.0).reshape(3, 2)
    more = seen.adding(added)
    np.testing.assert_allclose(more.counts, seen.counts + added)
    np.testing.assert_allclose(more.shares.toarray()[1], [0.75, 0, 0.25])  # it was never taken
    np.testing.assert_allclose(more.shares.toarray()[4:], 0.0)  # it ends there


def test_a_tiny_prior_says_that_nothing_is_known():
    mdp, counts = bandit([60, 6, 0])
    never = contrast(mdp, (0, 0), (0, 2))
    made = bootstrap(counts, IAVI(smoothing=1e-6), mdp, replicates=50, seed=0)
    assert np.isfinite(made.rewards).all()
    assert interval(made, never).high > 100


def test_intervals_hold_the_truth_where_actions_are_rare():
    # 48 worlds whose agents hardly ever take some actions: with a smoothing that is the same in
    # every replicate, three of four intervals hold the truth.
    held = [coverage(seed, trajectories) for seed in range(24) for trajectories in (10, 50)]
    assert 0.92 <= np.mean(held) <= 0.99


def coverage(seed, trajectories):
    """Share of the intervals of 8 contrasts that hold the truth."""
    rng = np.random.default_rng(seed)
    mdp = MDP(
        rng.integers(0, 6, (6, 3, 2)),
        rng.dirichlet(np.ones(2), (6, 3)),
        discount=0.9,
        features=rng.normal(size=(6, 3, 3)),
    )
    policy = soft_policy_iteration(mdp, mdp.features @ rng.normal(size=3)).policy
    counts = count(simulate(mdp, policy, trajectories=trajectories, steps=20, seed=seed), mdp)
    most = np.argsort(-counts.state_action.ravel())[:9]
    asked = {}
    for n in range(8):
        a, b = rng.choice(most, 2, replace=False)
        asked[str(n)] = contrast(mdp, divmod(a, 3), divmod(b, 3))
    solver = IAVI(backup="soft")
    made = bootstrap(counts, solver, mdp, replicates=200, seed=seed, contrasts=asked)
    truth = inverse_action_values(policy, mdp, backup="soft").reward
    ends = {name: interval(made, name) for name in asked}
    values = {name: (each * truth).sum() for name, each in asked.items()}
    return np.mean([ends[n].low <= values[n] <= ends[n].high for n in asked])


def test_batches_change_nothing(monkeypatch):
    mdp, demos = some_play()
    whole = bootstrap(demos, IAVI(), mdp, replicates=23, seed=1)
    monkeypatch.setattr(module, "_BATCH_CELLS", 100)
    parts = bootstrap(demos, IAVI(), mdp, replicates=23, seed=1)
    np.testing.assert_allclose(whole.rewards, parts.rewards, atol=1e-10)


def test_intervals_are_quantiles_and_contrasts_may_be_kept_alone():
    mdp, demos = some_play()
    s = int(np.argmax(mdp.allowed.sum(1) > 1))
    a, b = np.flatnonzero(mdp.allowed[s])[:2]
    c = contrast(mdp, (s, a), (s, b))
    full = bootstrap(demos, IAVI(), mdp, replicates=200, seed=2)
    lean = bootstrap(demos, IAVI(), mdp, replicates=200, seed=2, contrasts={"c": c})
    draws = full.rewards[:, s, a] - full.rewards[:, s, b]
    one, two = interval(full, c), interval(lean, "c")
    for got in (one, two):
        # 12 units, and 2.200985 from a table of Student's distribution with 11 degrees.
        outside = math.erfc(math.sqrt(12 / 11) * 2.200985160 / math.sqrt(2)) / 2
        ends = np.quantile(draws, [outside, 1 - outside])
        np.testing.assert_allclose([got.low, got.high], ends, atol=1e-6)
        difference = full.estimate.reward[s, a] - full.estimate.reward[s, b]
        assert got.estimate == pytest.approx(difference)
    assert lean.rewards is None
    every = interval(full, level=0.5)
    assert every.low.shape == every.estimate.shape == (6, 3)
    assert (every.low <= every.high).all()
    assert every.level == 0.5


@pytest.mark.parametrize("solver", [IAVI(), MaxEnt()])
def test_solvers_that_explain_many_counts_at_once_say_so(solver):
    assert isinstance(solver, Refits)


@pytest.mark.parametrize("trajectories", [9, 40])
def test_95_percent_intervals_cover_the_truth_as_often_as_they_say(trajectories):
    # 400 experiments of 9 or 40 trajectories of 25 decisions; the contrast is known.
    rng = np.random.default_rng(7)
    mdp = random_mdp(rng, 4, 3, masks=False, terminals=False, discount=0.8)
    policy = 0.15 + rng.random((4, 3))
    policy /= policy.sum(1, keepdims=True)
    c = contrast(mdp, (0, 0), (2, 1))
    truth = float((c * inverse_action_values(policy, mdp).reward).sum())
    experiments = 400
    demos = simulate(mdp, policy, trajectories=experiments * trajectories, steps=25, seed=8)
    units = count(demos, mdp).units
    covered = 0
    for i in range(experiments):
        own = units[i * trajectories : (i + 1) * trajectories]
        counts = Counts(np.asarray(own.sum(0)).reshape(4, 3), own)
        made = bootstrap(counts, IAVI(), mdp, replicates=300, seed=i, contrasts={"c": c})
        got = interval(made, "c")
        covered += got.low <= truth <= got.high
    assert 0.90 <= covered / experiments <= 0.98


@pytest.mark.parametrize("jobs", [1, 2])
def test_other_solvers_are_fitted_again_to_each_replicate(jobs):
    mdp, demos = some_play(1)
    solver = MaxEnt(strength=1.0, tolerance=1e-9)
    made = bootstrap(demos, solver, mdp, replicates=4, seed=5, jobs=jobs)
    counts = count(demos, mdp)
    for r, weights in enumerate(drawn(made.units, 4, 5)):
        again = fit(Counts((counts.units.T @ weights).reshape(6, 3)), solver, mdp)
        moved = made.prior.rewards[r] - made.estimate.reward  # by the draw of the prior
        np.testing.assert_allclose(made.rewards[r] - moved, again.reward, atol=1e-6)
        weights = made.parameters["weights"] - made.prior.parameters["weights"]
        wanted = again.parameters["weights"] - made.estimate.parameters["weights"]
        np.testing.assert_allclose(weights[r], wanted, atol=1e-6)
    got = interval(made, "weights")
    assert got.low.shape == made.estimate.parameters["weights"].shape
    counted = bootstrap(counts, solver, mdp, replicates=4, seed=5, jobs=1)
    np.testing.assert_allclose(counted.rewards, made.rewards, atol=1e-6)


@dataclass(frozen=True)
class Chooser:
    """A solver that chooses a setting from the data unless told, and needs the decisions."""

    strength: float | None = None

    def solve(self, problem) -> Solution:
        chosen = 2.5 if self.strength is None else self.strength
        inner = IAVI(smoothing=chosen).solve(problem)
        weight = problem.weights
        value = np.array([chosen, 0.0 if self.strength is None else weight.sum()])
        return Solution(
            "Chooser",
            {"strength": chosen},
            inner.policy,
            inner.status,
            mdp=problem.given_mdp,
            parameters={"seen": value},
        )


@pytest.mark.parametrize("solver", [IAVI(), MaxEnt(strength=1.0)])
def test_one_intention_is_bootstrapped_like_its_solver(solver):
    mdp, demos = some_play(2)
    asked = {"replicates": 3, "seed": 0, "jobs": 1}
    made = bootstrap(demos, Intentions(1, solver), mdp, **asked)
    alone = bootstrap(demos, solver, mdp, **asked)
    np.testing.assert_allclose(interval(made).low, interval(alone).low, atol=1e-4)
    again = replan(made.estimate, mdp, bootstrap=made)
    assert again.parameters["v_low"].shape == (mdp.num_states,)


class OneNumber:
    """A solver that is no dataclass, and whose parameter is a single number."""

    def solve(self, problem) -> Solution:
        inner = IAVI().solve(problem)
        parameters = {"number": np.array(problem.counts.state_action.sum())}
        return Solution("OneNumber", {}, inner.policy, inner.status, parameters=parameters)


def test_a_parameter_may_be_one_number():
    mdp, demos = some_play(2)
    made = bootstrap(demos, OneNumber(), mdp, replicates=3, seed=0, jobs=1)
    assert made.parameters["number"].shape == (3,)
    assert interval(made, "number").low.shape == ()


def test_intentions_know_what_hangs_on_what_was_never_done():
    mdp, demos = some_play(2)
    made = bootstrap(demos, Intentions(2, IAVI(), restarts=2), mdp, replicates=4, seed=0, jobs=1)
    for one in made.intentions:
        assert one.rewards.shape == one.prior.rewards.shape == (4, 6, 3)
        assert np.isfinite(one.rewards).all()
        share = interval(one).prior_share[mdp.allowed]
        assert ((share >= 0) & (share <= 1)).all()


def test_intentions_keep_what_their_solver_chose():
    mdp, demos = some_play(2)
    asked = {"replicates": 2, "seed": 0, "jobs": 1}
    made = bootstrap(demos, Intentions(2, Chooser(), restarts=2), mdp, **asked)
    assert all((one.parameters["seen"][:, 1] > 0).all() for one in made.intentions)


def test_what_a_solver_chose_stays_and_decisions_carry_their_weights():
    mdp, demos = some_play(2)
    made = bootstrap(demos, Chooser(), mdp, by="subject", replicates=5, seed=0, jobs=1)
    unit_of = demos.units("subject")[demos.trajectory_of]
    sizes = [w[unit_of].sum() for w in drawn(made.units, 5, 0)]
    np.testing.assert_array_equal(made.parameters["seen"][:, 0], 2.5)
    np.testing.assert_array_equal(made.parameters["seen"][:, 1], sizes)
    assert made.rewards is None
    assert np.isnan(interval(made, "seen").prior_share)
    with pytest.raises(InputError, match="'seen'"):
        interval(made)
    with pytest.raises(InputError, match="no reward"):
        bootstrap(demos, Chooser(), mdp, seed=0, contrasts={"c": np.ones((6, 3))})


def test_progress_is_told():
    mdp, demos = some_play()
    told = []
    bootstrap(demos, IAVI(), mdp, replicates=9, seed=0, progress=lambda *a: told.append(a))
    assert told[-1] == ("bootstrap", 9, 9)


def test_bad_settings_say_what_to_do():
    mdp, demos = some_play()
    alone = Demonstrations.from_arrays(np.zeros(3, int), np.full(3, mdp.allowed[0].argmax()))
    for data, settings, match in (
        (demos, {"replicates": 0}, "replicates"),
        (demos, {"level": 1.5}, "level"),
        (demos, {"by": "cage"}, "cage"),
        (demos, {"contrasts": {"c": np.ones((2, 2))}}, "'c'"),
        (alone, {}, "only one trajectory"),
        (Counts(np.ones((6, 3)) * mdp.allowed), {}, "no units"),
    ):
        with pytest.raises(InputError, match=match):
            bootstrap(data, IAVI(), mdp, seed=0, **settings)
    made = bootstrap(demos, IAVI(), mdp, replicates=3, seed=0, contrasts={"c": np.ones((6, 3))})
    for wrong in (None, "d", np.ones((6, 3))):
        with pytest.raises(InputError, match="'c'"):
            interval(made, wrong)
    full = bootstrap(demos, IAVI(), mdp, replicates=3, seed=0)
    with pytest.raises(InputError, match="contrast"):
        interval(full, np.ones((2, 3)))
