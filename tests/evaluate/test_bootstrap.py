"""The bootstrap: replicates against fits one by one, coverage in simulation, memory, settings."""

import math
from dataclasses import dataclass

import numpy as np
import pytest

from inverseq import InputError
from inverseq.decisions.counts import Counts, count
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate import bootstrap as module
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.identifiability import contrast
from inverseq.evaluate.intervals import interval
from inverseq.forward import simulate
from inverseq.intentions.solver import Intentions
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.problem import Refits
from inverseq.inverse.replan import replan
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.iavi import IAVI, inverse_action_values
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
def test_every_replicate_is_a_fit_to_the_units_drawn(by):
    mdp, demos = some_play()
    made = bootstrap(demos, IAVI(), mdp, by=by, replicates=7, seed=3)
    counts = count(demos, mdp, by=by)
    assert made.units == counts.units.shape[0]
    for r, weights in enumerate(drawn(made.units, 7, 3)):
        again = Counts((counts.units.T @ weights).reshape(6, 3))
        np.testing.assert_allclose(made.rewards[r], fit(again, IAVI(), mdp).reward, atol=1e-9)
    np.testing.assert_array_equal(made.estimate.reward, fit(demos, IAVI(), mdp).reward)
    assert made.converged.all()


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
        np.testing.assert_allclose(made.rewards[r], again.reward, atol=1e-6)
        np.testing.assert_allclose(
            made.parameters["weights"][r], again.parameters["weights"], atol=1e-6
        )
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
