"""Trips to many destinations: against one dense solve per destination, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.city import WEIGHTS, city, trips

import inverseq as iq
from inverseq import Demonstrations, InputError, RecursiveLogit, fit, log_likelihood
from inverseq.inverse.maxent.route_model import RouteModel, Trips
from inverseq.inverse.problem import Problem
from oracles import recursive_logit as plain

NET = city(4, 4, 2)
WALKS = trips(NET, 400, 20, seed=3)
GOALS = np.asarray(WALKS.trajectories["destination"])[WALKS.trajectory_of]
SOLVER = RecursiveLogit("destination")


@pytest.fixture(scope="module")
def found():
    return fit(WALKS, SOLVER, NET)


def test_it_equals_a_plain_recursive_logit(found):
    weights = found.parameters["weights"]
    other = plain.log_likelihood(NET, NET.features @ weights, WALKS.states, WALKS.actions, GOALS)
    assert float(log_likelihood(found, WALKS).sums.sum()) == pytest.approx(other, rel=1e-12)
    policy = found.probabilities(WALKS)
    for goal in np.unique(GOALS)[:5]:
        rows = goal == GOALS
        chance = plain.choices(NET, NET.features @ weights, goal)[1]
        np.testing.assert_allclose(policy[rows], chance[WALKS.states[rows]], atol=1e-10)


def test_slope_and_curvature_are_those_of_the_plain_likelihood():
    model = RouteModel(
        Problem(WALKS, NET), Trips.of(Problem(WALKS, NET), "destination"), strength=2.0
    )
    at, step = model.look(WEIGHTS * 0.9), 1e-5

    def value(weights):
        values = NET.features @ weights
        made = plain.log_likelihood(NET, values, WALKS.states, WALKS.actions, GOALS)
        return made - weights @ weights

    assert at.value == pytest.approx(value(at.weights), rel=1e-12)
    units = np.eye(4) * step
    slope = [(value(at.weights + u) - value(at.weights - u)) / (2 * step) for u in units]
    np.testing.assert_allclose(at.slope, slope, rtol=1e-5, atol=1e-3)
    slopes = [(model.look(at.weights + u).slope - at.slope) / step for u in units]
    np.testing.assert_allclose(model.information(at) + 2 * np.eye(4), -np.array(slopes), rtol=1e-3)


def test_known_weights_lie_within_their_intervals(found):
    for name in ("covariance", "robust"):
        errors = np.sqrt(np.diag(found.parameters[name]))
        assert (np.abs(found.parameters["weights"] - WEIGHTS) < 3 * errors).all()
    # At the optimum the features that are expected are those that were taken.
    taken, expected = (found.parameters[name] for name in ("taken", "expected"))
    totals = [(NET.features * each[..., None]).sum((0, 1)) for each in (taken, expected)]
    np.testing.assert_allclose(*totals, rtol=1e-7)
    assert found.status.ok
    assert found.num_parameters == 4


def test_an_elasticity_is_what_a_hundredth_more_does(found):
    weights = found.parameters["weights"]
    model = RouteModel(Problem(WALKS, NET), Trips.of(Problem(WALKS, NET), "destination"), 0.0)
    total = lambda w: model.features.T @ model.look(w).expected  # noqa: E731
    more = weights * np.where(np.arange(4) == 0, 1.0001, 1.0)
    change = (total(more) / total(weights) - 1) / 0.0001
    np.testing.assert_allclose(found.parameters["elasticities"][:, 0], change, rtol=1e-2)


def test_goals_taken_one_by_one_give_the_same(found, monkeypatch):
    monkeypatch.setattr("inverseq.policies.routes._CELLS", 1)
    again = fit(WALKS, SOLVER, NET)
    np.testing.assert_allclose(again.parameters["weights"], found.parameters["weights"], rtol=1e-9)


def test_the_union_of_a_world_per_goal_says_the_same():
    from inverseq.readers.world import towards

    some = WALKS.take(np.arange(60))
    walks, worlds = towards(some, NET, "destination")
    live = {n: replace(w, discount=1.0, features=w.features * ~w.terminal[:, None, None])
            for n, w in worlds.items()}  # fmt: skip
    same = fit(walks, iq.MaxEnt("features", strength=1.0, tolerance=1e-9), live)
    made = fit(some, replace(SOLVER, strength=1.0), NET)
    np.testing.assert_allclose(made.parameters["weights"], same.parameters["weights"], atol=1e-6)


def test_a_changed_network_is_planned_anew(found, tmp_path):
    kept = iq.load(iq.save(found, tmp_path / "s.npz"), iq.Solution)
    busy = np.unravel_index(np.argmax(found.parameters["taken"]), NET.allowed.shape)
    closed = NET.allowed.copy()
    closed[busy] = False
    changed = iq.replan(kept, replace(NET, allowed=closed))
    policy = changed.policy.probabilities(WALKS, changed.mdp)
    here = WALKS.states == busy[0]
    assert here.any()
    assert (policy[here, busy[1]] == 0).all()
    np.testing.assert_allclose(policy.sum(1), 1)
    same = iq.replan(kept, NET)
    np.testing.assert_array_equal(same.probabilities(WALKS), found.probabilities(WALKS))


def small(states, actions, goals, next_states=None, terminated=None, trajectory=None, net=NET):
    made = Demonstrations.from_arrays(
        states,
        actions,
        next_states=next_states,
        trajectory=trajectory,
        trajectories={"destination": goals},
        rows=np.arange(len(states)) + 1,
    )
    return fit(made, SOLVER, net)


def one_way():
    """0 -> 1 -> 2, and 3 <-> 4 apart."""
    table = {"state": [0, 1, 3, 4, 2], "action": [0, 0, 0, 0, 0], "next_state": [1, 2, 4, 3, 2]}
    features = np.ones((5, 1, 1))
    table["probability"] = np.ones(5)
    return iq.MDP.from_table(table, discount=0.9, features=features, feature_names=["link"])


REFUSED = {
    "no such goal": ([0, 1], [0, 0], [9], "row 1: column 'destination' names '9', which is no"),
    "no way": ([0, 1], [0, 0], [4], "row 1: the decision is made at 0, from which no way leads"),
    "passes it": ([0, 1, 2], [0, 0, 0], [1], "row 2: the decision is made at its destination 1"),
    "leaves": ([0, 2], [0, 0], [2], "row 1: the trip leaves the network: 0 at 0 leads to 1, and"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_trips_are_named_by_their_row(case):
    states, actions, goals, words = REFUSED[case]
    with pytest.raises(InputError, match=words):
        small(states, actions, goals, net=one_way())


def test_what_cannot_be_told_apart_is_said():
    net = one_way()
    with pytest.raises(InputError, match="cannot tell some features apart"):
        small([0, 1], [0, 0], [2], net=net)  # there is one way only
    with pytest.raises(InputError, match="this network has no features"):
        small([0, 1], [0, 0], [2], net=replace(net, features=None, feature_names=()))


def test_uncertain_moves_are_refused():
    dense = np.full((3, 1, 3), 1 / 3)
    net = iq.MDP.from_dense(dense, discount=0.9, features=np.ones((3, 1, 1)))
    with pytest.raises(InputError, match="leads to several states"):
        small([0, 1], [0, 0], [2], net=net)


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="there is no such column"):
        fit(WALKS, RecursiveLogit("nowhere"), NET)
    with pytest.raises(InputError, match="strength must be"):
        RecursiveLogit(strength=-1.0)


def test_an_arrival_that_is_written_as_a_row_changes_nothing(found):
    ends = np.append(WALKS.starts[1:], 0)[:-1]
    states, actions = (
        np.insert(v, ends, a)
        for v, a in ((WALKS.states, WALKS.next_states[ends - 1]), (WALKS.actions, -1))
    )
    trips = np.insert(WALKS.trajectory_of, ends, np.arange(WALKS.num_trajectories))
    told = {"destination": WALKS.trajectories["destination"]}
    arrived = Demonstrations.from_arrays(states, actions, trajectory=trips, trajectories=told)
    again = fit(arrived, SOLVER, NET)
    np.testing.assert_array_equal(again.parameters["weights"], found.parameters["weights"])
    ours, theirs = (iq.log_likelihood(found, each, by="trajectory") for each in (arrived, WALKS))
    assert (ours.mean, ours.num_decisions) == (theirs.mean, theirs.num_decisions)
    with pytest.raises(InputError, match="no action is possible where it is made"):
        found.act(np.random.default_rng(0), arrived)


def test_staying_for_nothing_is_refused_and_the_advice_helps():
    pairs = np.argwhere(NET.allowed)
    state = np.append(pairs[:, 0], np.arange(NET.num_states))
    action = np.append(pairs[:, 1], np.full(NET.num_states, NET.num_actions))
    following = np.append(NET.successors[(*pairs.T, 0)], np.arange(NET.num_states))
    features = np.zeros((NET.num_states, NET.num_actions + 1, NET.features.shape[2]))
    features[:, :-1] = NET.features
    table = {"state": state, "action": action, "next_state": following}
    table["probability"] = np.ones(state.size)
    stay = lambda f: iq.MDP.from_table(table, discount=0.9, features=f)  # noqa: E731
    with pytest.raises(InputError, match="1 for every move, those that stay included"):
        fit(WALKS, SOLVER, stay(features))
    features[:, -1, NET.feature_names.index("link")] = 1.0
    assert fit(WALKS, SOLVER, stay(features)).status.ok


def test_weights_count_decisions_as_often(found):
    twice = fit(WALKS, SOLVER, NET, weights=np.full(WALKS.num_decisions, 2.0))
    np.testing.assert_allclose(twice.parameters["weights"], found.parameters["weights"], rtol=1e-7)
    half = twice.parameters["covariance"] * 2
    np.testing.assert_allclose(half, found.parameters["covariance"], rtol=1e-6)
