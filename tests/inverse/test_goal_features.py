"""Trips by what each move means for the way to their own destination, against dense solves."""

from dataclasses import replace

import numpy as np
import pytest
from benchmarks.city import city

import inverseq as iq
from inverseq import InputError, RecursiveLogit, fit
from inverseq.inverse.maxent.route_model import RouteModel, Trips
from inverseq.inverse.problem import Problem
from oracles import recursive_logit as plain

NET = city(4, 4, 2)
TRUTH = np.array([-1.8, -0.6, -3.0, -0.4, -1.5, -0.3])
"""Of length, left turn, U-turn and link; of the bearing, and of the distance left."""
SOLVER = RecursiveLogit("destination", ("bearing", "distance left"))


def on_the_way(goal):
    """`[S, A, 2]` the features of every move, one at a time, as they are told in words."""
    at, made = NET.coordinates, np.zeros((*NET.allowed.shape, 2))
    for s, a in np.argwhere(NET.allowed):
        led = NET.successors[s, a, 0]
        step, way = at[led] - at[s], at[goal] - at[s]
        angle = np.arctan2(*step[::-1]) - np.arctan2(*way[::-1])
        moves = np.hypot(*step) > 0 and np.hypot(*way) > 0
        made[s, a, 0] = abs((angle + np.pi) % (2 * np.pi) - np.pi) / np.pi if moves else 0.0
        made[s, a, 1] = np.hypot(*(at[goal] - at[led]))
    return made


TOLD = {goal: on_the_way(goal) for goal in range(0, NET.num_states, 4)}


def worth(weights, goal):
    return NET.features @ weights[:4] + TOLD[goal] @ weights[4:]


@pytest.fixture(scope="module")
def walks():
    """Trips by the true weights, drawn from dense chances of each move."""
    rng, rows = np.random.default_rng(0), []
    for goal in TOLD:
        chance = plain.choices(NET, worth(TRUTH, goal), goal)[1]
        for _ in range(60):
            here = rng.integers(NET.num_states)
            while here != goal:
                action = rng.choice(NET.num_actions, p=chance[here] / chance[here].sum())
                rows.append((len(rows) and rows[-1][0] + (rows[-1][3] == rows[-1][4]),
                             here, action, NET.successors[here, action, 0], goal))  # fmt: skip
                here = rows[-1][3]
    trip, state, action, led, goal = np.array(rows).T
    ends = np.unique(trip, return_index=True)[1]
    return iq.Demonstrations.from_arrays(
        state,
        action,
        next_states=led,
        trajectory=trip,
        terminated=led == goal,
        trajectories={"destination": goal[ends]},
    )


@pytest.fixture(scope="module")
def found(walks):
    return fit(walks, SOLVER, NET)


def of_all(walks, weights):
    goals = np.asarray(walks.trajectories["destination"])[walks.trajectory_of]
    total = 0.0
    for goal in TOLD:
        rows = goals == goal
        chance = plain.choices(NET, worth(weights, goal), goal)[1]
        total += np.log(chance[walks.states[rows], walks.actions[rows]]).sum()
    return total


def test_known_weights_of_goals_lie_within_their_intervals(found, walks):
    errors = np.sqrt(np.diag(found.parameters["covariance"]))
    assert (np.abs(found.parameters["weights"] - TRUTH) < 3 * errors).all()
    assert errors.max() < 0.6
    assert found.num_parameters == 6
    told = float(iq.log_likelihood(found, walks).sums.sum())
    assert told == pytest.approx(of_all(walks, found.parameters["weights"]), rel=1e-10)
    without = fit(walks, RecursiveLogit("destination"), NET)
    assert told > float(iq.log_likelihood(without, walks).sums.sum()) + 10


@pytest.mark.parametrize("cells", [2_000_000, 1])
def test_slope_and_curvature_are_those_of_dense_solves(walks, monkeypatch, cells):
    monkeypatch.setattr("inverseq.policies.routes._CELLS", cells)
    problem = Problem(walks, NET)
    model = RouteModel(problem, Trips.of(problem, "destination"), 2.0, SOLVER.goal_features)
    at, units = model.look(TRUTH * 0.9), np.eye(6) * 1e-5
    value = lambda w: of_all(walks, w) - w @ w  # noqa: E731
    assert at.value == pytest.approx(value(at.weights), rel=1e-10)
    slope = [(value(at.weights + u) - value(at.weights - u)) / 2e-5 for u in units]
    np.testing.assert_allclose(at.slope, slope, rtol=1e-4, atol=1e-3)
    slopes = [(model.look(at.weights + u).slope - at.slope) / 1e-5 for u in units]
    np.testing.assert_allclose(model.information(at) + 2 * np.eye(6), -np.array(slopes), rtol=1e-3)


def test_it_is_kept_planned_anew_and_asked_for_its_reward(found, walks, tmp_path):
    kept = iq.load(iq.save(found, tmp_path / "s.npz"), iq.Solution)
    same = iq.replan(kept, NET)
    np.testing.assert_array_equal(same.probabilities(walks), found.probabilities(walks))
    busy = np.unravel_index(np.argmax(found.parameters["taken"]), NET.allowed.shape)
    closed = NET.allowed.copy()
    closed[busy] = False
    changed = iq.replan(kept, replace(NET, allowed=closed))
    policy = changed.policy.probabilities(walks, changed.mdp)
    assert (policy[walks.states == busy[0], busy[1]] == 0).all()
    goals = np.asarray(walks.trajectories["destination"])[walks.trajectory_of]
    weights = found.parameters["weights"]
    wanted = [
        worth(weights, g)[s, a] for g, s, a in zip(goals, walks.states, walks.actions, strict=True)
    ]
    np.testing.assert_allclose(found.reward_function.values(walks, NET), wanted, atol=1e-10)
    with pytest.raises(InputError, match="needs to know where states lie"):
        iq.replan(kept, replace(NET, coordinates=None))


def test_features_of_goals_need_a_name_and_a_place(walks):
    with pytest.raises(InputError, match="no feature of a goal 'left'; there are bearing, dist"):
        fit(walks, replace(SOLVER, goal_features=("left",)), NET)
    with pytest.raises(InputError, match="needs to know where states lie"):
        fit(walks, SOLVER, replace(NET, coordinates=None))
