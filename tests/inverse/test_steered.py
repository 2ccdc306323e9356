"""A reward on top of a habit: against MaxEnt, finite differences, and habits counted by hand."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inverseq._core.errors import InputError
from inverseq._core.store import load, save
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.intentions.solution import IntentionSolution
from inverseq.intentions.solver import Intentions
from inverseq.inverse.explanation import action_probabilities
from inverseq.inverse.explanation import action_probabilities as forecasts
from inverseq.inverse.fit import fit
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.maxent.objective import Model
from inverseq.inverse.problem import Problem
from inverseq.inverse.replan import replan
from inverseq.inverse.solution import Solution
from inverseq.inverse.tables.column_logit import ColumnLogit
from inverseq.inverse.tables.column_table import ColumnTable
from inverseq.inverse.tables.count_table import CountTable
from inverseq.inverse.tables.steered import Steered
from inverseq.inverse.tables.steered_search import Search
from inverseq.mdp import MDP
from inverseq.policies import boltzmann
from inverseq.policies.steered import steer
from inverseq.rewards.linear import make_design
from strategies import play, random_mdp, random_policy

EVEN = ColumnTable(("all",), concentrations=(1e15,))
"""A habit of equal shares."""
HABITS = {
    "table": CountTable(2, smoothing=0.5),
    "columns": ColumnTable(("kind", "place"), ("kind",)),
    "logit": ColumnLogit(("kind", "place"), (1.0, 1.0), own=("kind",)),
}
every_habit = pytest.mark.parametrize("name", HABITS)


def behaviour(seed: int = 3, **options) -> tuple[MDP, Demonstrations]:
    rng = np.random.default_rng(seed)
    mdp = random_mdp(rng, 5, 3, features=2, discount=0.8)
    how = {"trajectories": 12, "length": 25, "missing": 0.1, "gaps": 0.05} | options
    demos = play(rng, mdp, random_policy(rng, mdp), **how)
    size = demos.num_decisions
    columns = {"all": np.zeros(size, int), "kind": demos.step % 2, "place": demos.states}
    return mdp, replace(demos, decisions=columns)


@pytest.mark.parametrize("on", ["states", "state-actions", "features"])
def test_on_a_habit_of_equal_shares_it_is_maximum_entropy(on):
    mdp, demos = behaviour()
    weights = np.random.default_rng(0).uniform(0.0, 2.0, demos.num_decisions)
    steered = fit(demos, Steered(EVEN, on, 0.7, folds=3, tolerance=1e-9), mdp, weights=weights)
    plain = fit(demos, MaxEnt(on, strength=0.7, tolerance=1e-9), mdp, weights=weights)
    found, expected = (action_probabilities(s, demos) for s in (steered, plain))
    assert_allclose(found, expected, atol=1e-6)
    assert_allclose(steered.reward, plain.reward, atol=1e-5)


@pytest.mark.parametrize("on", ["states", "state-actions", "features"])
@pytest.mark.parametrize("discount", [0.0, 0.8, 0.95])
def test_the_slope_is_that_of_finite_differences(on, discount):
    mdp, demos = behaviour()
    mdp = replace(mdp, discount=discount)
    rng = np.random.default_rng(1)
    states, acted = align(demos, mdp), np.flatnonzero(demos.actions >= 0)
    habit = np.where(mdp.allowed[states], rng.uniform(0.1, 1.0, (states.size, 3)), 0.0)
    with np.errstate(divide="ignore"):
        log_habit = np.log(habit / habit.sum(axis=1, keepdims=True))
    model = Model(mdp, make_design(mdp, on, "gaussian"))
    placed = (states[acted], demos.actions[acted], rng.uniform(0.1, 2.0, acted.size))
    search = Search(model, 0.7, *placed, log_habit=log_habit[acted])
    at = rng.normal(size=model.design.num_weights)
    step = 1e-4 * np.eye(at.size)
    slope = [(search(at + e)[0] - search(at - e)[0]) / 2e-4 for e in step]
    assert_allclose(search(at)[1], slope, atol=1e-7)


@every_habit
def test_the_forecast_is_habit_times_exponential_of_values(name):
    mdp, demos = behaviour()
    solution = fit(demos, Steered(HABITS[name], folds=3), mdp)
    habit = action_probabilities(fit(demos, HABITS[name], mdp), demos)
    expected = habit * np.exp(solution.q[demos.states]) * mdp.allowed[demos.states]
    expected /= expected.sum(axis=1, keepdims=True)
    found = action_probabilities(solution, demos)
    assert_allclose(found, expected, atol=1e-9)
    assert_array_equal(found[~mdp.allowed[demos.states]], 0)


def test_while_fitting_the_habit_is_that_of_the_other_units():
    mdp, demos = behaviour()
    settings = Steered(CountTable(1, smoothing=0.5), folds=3, by="subject")
    made = settings.settle(Problem(demos, mdp))
    for subject in ("m0", "m1", "m2"):
        mine = demos.trajectories["subject"] == subject
        rest = fit(demos.take(~mine), settings.habit, mdp)
        expected = action_probabilities(rest, demos.take(mine))
        assert_allclose(np.exp(made.log_habit[mine[demos.trajectory_of]]), expected, atol=1e-12)


@every_habit
def test_the_habit_of_a_decision_does_not_know_its_own_trajectory(name):
    """Another action in the last free row moves the habit of other units, not of its own."""
    mdp, demos = behaviour()
    settings = Steered(HABITS[name], folds=12)
    if name == "columns":  # chosen concentrations depend on everything, their own unit included
        settings = replace(settings, habit=replace(HABITS[name], concentrations=(2.0, 3.0, 4.0)))
    free = mdp.allowed[demos.states].sum(axis=1) > 1
    row = int(np.flatnonzero(free & (demos.trajectory_of == 4))[-1])
    other = demos.actions.copy()
    exists = np.flatnonzero(mdp.allowed[demos.states[row]])
    other[row] = exists[exists != other[row]][0]
    before, after = (
        np.exp(settings.settle(Problem(d, mdp)).log_habit)
        for d in (demos, replace(demos, actions=other))
    )
    moved = np.abs(after - before).max(axis=1) > 1e-9
    own = demos.trajectory_of == 4
    assert not moved[own & (np.arange(own.size) <= row)].any()
    assert moved[~own].any()


@every_habit
def test_weights_of_one_are_no_weights_and_of_two_are_the_decisions_twice(name):
    mdp, demos = behaviour()
    how = Steered(HABITS[name], folds=3, tolerance=1e-9)
    plain = fit(demos, how, mdp)
    ones = fit(demos, how, mdp, weights=np.ones(demos.num_decisions))
    assert_array_equal(action_probabilities(ones, demos), action_probabilities(plain, demos))
    if name != "table":
        return
    twice = [np.full(demos.num_decisions, 2.0), None]
    heavy = fit(demos, replace(how, strength=2.0), mdp, weights=twice[0])
    light = fit(demos, replace(how, habit=CountTable(2, smoothing=0.25)), mdp)
    # Counts and prior are doubled together, so that nothing but the scale has changed.
    assert_allclose(heavy.reward, light.reward, atol=1e-5)


def test_a_reward_is_found_beyond_the_habit():
    """Habit of going on, want of one place: together they forecast what neither does alone."""
    places, sides = np.arange(6), np.array([-1, 1])
    ring = np.eye(6)[(places[:, None] + sides) % 6]
    features = np.zeros((6, 2, 1))
    features[5, 1] = features[1, 0] = 1  # arriving at place 0
    mdp = replace(MDP.from_dense(ring, discount=0.5), features=features)
    wanted = soft_values(mdp, 2.0)
    rng, states, actions, before = np.random.default_rng(5), [], [], []
    for _ in range(80):
        place, last = int(rng.integers(6)), int(rng.integers(2))
        for _ in range(30):
            log_odds = (1.0 if last else -1.0) + wanted[place, 1] - wanted[place, 0]
            states.append(place)
            before.append(last)
            last = int(rng.random() < 1 / (1 + np.exp(-log_odds)))
            actions.append(last)
            place = (place + sides[last]) % 6
    demos = Demonstrations.from_arrays(
        np.array(states),
        np.array(actions),
        trajectory=np.repeat(np.arange(80), 30),
        decisions={"before": np.array(before)},
    )
    train, test = demos.take(np.arange(50)), demos.take(np.arange(50, 80))
    habit = ColumnTable(("before",))
    models = {"habit": habit, "reward": MaxEnt("features", strength=0.1)}
    models["both"] = Steered(habit, "features", 0.1)
    fits = {name: fit(train, solver, mdp) for name, solver in models.items()}
    score = {name: log_likelihood(solution, test).mean for name, solution in fits.items()}
    assert score["both"] > score["habit"] + 0.02
    assert score["both"] > score["reward"] + 0.02
    # The habit is counted first and takes part of what the reward does.
    assert 1.0 < fits["both"].parameters["weights"][0] < 2.3


def soft_values(mdp: MDP, weight: float) -> np.ndarray:
    """Soft action values of the reward weight * feature, by repeated backups."""
    reward, v = weight * mdp.features[:, :, 0], np.zeros(mdp.num_states)
    for _ in range(200):
        q = reward + mdp.discount * (mdp.transition_matrix @ v).reshape(reward.shape)
        v = np.log(np.exp(q).sum(axis=1))
    return q


@pytest.mark.parametrize("weighted", [False, True])
def test_inside_intentions_the_objective_never_falls(weighted, tmp_path):
    mdp, demos = behaviour()
    weights = np.random.default_rng(2).uniform(0.5, 2, demos.num_decisions) if weighted else None
    solver = Steered(HABITS["columns"], "state-actions", 1.0, folds=3, tolerance=1e-8)
    how = Intentions(2, solver, restarts=2, polished=1, tolerance=1e-7, max_steps=8)
    solution = fit(demos, how, mdp, weights=weights, accept_failure=True)
    assert solution.trace.size > 4
    assert (np.diff(solution.trace) >= -1e-8 * np.abs(solution.trace[:-1])).all()
    again = load(save(solution, tmp_path / "two.npz"), IntentionSolution)
    found = forecasts(solution, demos)
    assert_array_equal(forecasts(again, demos), found)
    assert_allclose(found.sum(axis=1), 1)
    assert_array_equal(found[~mdp.allowed[demos.states]], 0)


def test_a_settled_fit_counts_anew_for_other_decisions():
    mdp, demos = behaviour()
    settings = Steered(CountTable(1, smoothing=0.5), folds=3)
    settled, part = settings.settle(Problem(demos, mdp)), demos.take(np.arange(8))
    assert settled.settle(Problem(demos, mdp)) is settled
    found, expected = (s.solve(Problem(part, mdp)).reward for s in (settled, settings))
    assert_array_equal(found, expected)


@every_habit
def test_a_file_gives_back_the_policy(name, tmp_path):
    mdp, demos = behaviour()
    solution = fit(demos, Steered(HABITS[name], folds=3), mdp)
    again = load(save(solution, tmp_path / "steered.npz"), Solution)
    assert type(again.policy.habit) is type(solution.policy.habit)
    assert_array_equal(action_probabilities(again, demos), action_probabilities(solution, demos))


@pytest.mark.parametrize("habit", HABITS.values(), ids=HABITS)
def test_planned_anew_the_agent_keeps_its_habit(habit):
    mdp, demos = behaviour()
    solution = fit(demos, Steered(habit, "features", folds=3), mdp)
    carried = replan(solution, mdp)
    assert_allclose(carried.q, solution.q, atol=1e-6)
    before, after = (action_probabilities(s, demos) for s in (solution, carried))
    assert_allclose(after, before, atol=1e-6)
    # Without the habit something else would be done.
    soft = boltzmann(solution.q, mdp.allowed)[align(demos, mdp)]
    assert np.abs(soft - before).max() > 0.05


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"strength": -1.0}, "strength must be a number of decisions"),
        ({"strength": np.inf}, "strength must be a number of decisions"),
        ({"folds": 1}, "folds must be 2 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        Steered(**settings)


def test_data_that_cannot_be_used_are_refused():
    mdp, demos = behaviour()
    ends = MDP.from_dense(np.eye(2)[[[0, 1], [1, 1]]], discount=1.0, terminal=np.arange(2) > 0)
    walk = Demonstrations.from_arrays(np.zeros(4, int), np.array([0, 1, 0, 1]))
    with pytest.raises(InputError, match="13 folds by trajectory need as many units; there are 12"):
        fit(demos, Steered(folds=13), mdp)
    with pytest.raises(InputError, match="cannot group by cage"):
        fit(demos, Steered(by="cage"), mdp)
    with pytest.raises(InputError, match="pass mdp="):
        fit(demos, Steered())
    with pytest.raises(InputError, match="has no features"):
        fit(demos, Steered(), replace(mdp, features=None))
    with pytest.raises(InputError, match="no column 'gone' per decision"):
        fit(demos, Steered(ColumnTable(("gone",))), mdp)
    with pytest.raises(InputError, match="discount below 1"):
        fit(walk, Steered(habit=EVEN), ends)
    strict = CountTable(3, smoothing=0.0, backoff=False)
    with pytest.raises(InputError, match=r"gives action . no probability.*some smoothing"):
        fit(demos, Steered(strict, folds=3), mdp)


def with_people(seed: int = 3) -> tuple[MDP, Demonstrations]:
    """Behaviour of three subjects, and bins of each action."""
    mdp, demos = behaviour(seed)
    rng = np.random.default_rng(seed)
    bins = {f"bin {a}": rng.integers(-1, 3, demos.num_decisions) for a in range(3)}
    who = np.array([f"s{t % 3}" for t in range(demos.num_trajectories)])
    told = {**demos.trajectories, "subject": who}
    return mdp, replace(demos, decisions={**demos.decisions, **bins}, trajectories=told)


LOGIT = ColumnLogit(("kind",), (1.0,), options=("bin",), personal=("bin",), personal_strength=2.0)


@pytest.mark.parametrize("on", ["states", "features"])
def test_the_slope_of_a_joint_fit_is_that_of_finite_differences(on):
    mdp, demos = with_people()
    model = Model(mdp, make_design(mdp, on, "gaussian"))
    regression, kept = LOGIT.regression(Problem(demos, mdp))
    rows, states = regression.rows, align(demos, mdp)[kept]
    search = Search(model, 0.7, states, rows.actions, rows.weights, regression=regression)
    at = np.random.default_rng(0).normal(size=search.strength.size)
    step = 1e-4 * np.eye(at.size)
    slope = [(search(at + e)[0] - search(at - e)[0]) / 2e-4 for e in step]
    assert_allclose(search(at)[1], slope, atol=1e-7)


def test_a_joint_fit_is_maximum_entropy_where_habits_cost_too_much():
    mdp, demos = with_people()
    heavy = replace(LOGIT, strengths=(1e9,), option_strength=1e9, personal_strength=1e9)
    made = fit(demos, Steered(heavy, "features", 0.7, jointly=True, tolerance=1e-9), mdp)
    plain = fit(demos, MaxEnt("features", strength=0.7, tolerance=1e-9), mdp)
    assert_allclose(made.parameters["weights"], plain.parameters["weights"], atol=1e-5)


def test_a_joint_fit_makes_the_data_likelier_than_one_after_the_other(tmp_path):
    mdp, demos = with_people()
    joint = Steered(LOGIT, "features", jointly=True)
    made = fit(demos, joint, mdp)
    apart = fit(demos, replace(joint, jointly=False, folds=3), mdp)
    likely = lambda s: s.log_likelihoods(demos).sum()  # noqa: E731
    worth = lambda s: float(likely(s)) + joint.log_prior(s)  # noqa: E731
    assert worth(made) > worth(apart)
    assert made.trace.max() == pytest.approx(worth(made), abs=1e-6)
    again = load(save(made, tmp_path / "s.npz"), Solution)
    assert_array_equal(forecasts(again, demos), forecasts(made, demos))
    same = replan(made, mdp)
    assert_allclose(forecasts(same, demos), forecasts(made, demos), atol=1e-10)


@pytest.mark.parametrize("reward", ["states", "features"])
def test_scaled_directions_lead_to_the_same_place_sooner(monkeypatch, reward):
    mdp, demos = with_people()
    uneven = replace(LOGIT, strengths=(1e-3,), option_strength=30.0)
    joint = Steered(uneven, reward, 0.01, jointly=True, tolerance=1e-9, max_steps=2000)
    made = fit(demos, joint, mdp)
    monkeypatch.setattr("inverseq.inverse.tables.steered_search._MOST_WEIGHTS", 0)
    plain = fit(demos, joint, mdp)
    assert_allclose(made.log_likelihoods(demos), plain.log_likelihoods(demos), atol=1e-4)
    assert made.trace.max() >= plain.trace.max() - 1e-6
    assert made.trace.size < plain.trace.size / 2


def test_the_scale_is_the_covariance_of_what_each_decision_could_have_been():
    mdp, demos = with_people()
    model = Model(mdp, make_design(mdp, "features", "gaussian"))
    regression, kept = LOGIT.regression(Problem(demos, mdp))
    rows, states = regression.rows, align(demos, mdp)[kept]
    search = Search(model, 0.7, states, rows.actions, rows.weights, regression=regression)
    at = 0.3 * np.random.default_rng(0).normal(size=search.strength.size)
    search(at)
    made = search._information(at, np.arange(regression.strength.size))

    def logs(x):
        weights, more = np.split(x, [model.design.num_weights])
        found = steer(regression.logits(more), model.plan(weights).q[states])
        return np.where(np.isfinite(found), found, -700.0)

    step = 1e-5 * np.eye(at.size)
    slopes = np.stack([(logs(at + e) - logs(at - e)) / 2e-5 for e in step], axis=-1)
    wanted = np.einsum("n,na,naf,nag->fg", rows.weights, np.exp(logs(at)), slopes, slopes)
    assert_allclose(made, wanted, atol=1e-5 * np.abs(wanted).max())


def test_only_a_regression_is_fitted_jointly():
    with pytest.raises(InputError, match="only the weights of a regression"):
        Steered(CountTable(2), jointly=True)
