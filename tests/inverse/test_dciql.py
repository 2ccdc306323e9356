"""Deep inverse Q-learning under constraints: it tends to the exact answer, and keeps them."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import inverseq as iq
from deep_worlds import EXACT, each_state, error, everything, walk, world
from inverseq.inverse.problem import Problem
from inverseq.inverse.values.ciql import constrained_plan
from inverseq.networks import FullyConnected
from inverseq.policies.network import network_q


@pytest.fixture(scope="module")
def walked():
    """What is walked, and settings to learn from it."""
    lessons = iq.Lessons(60, 16)
    return walk(), iq.DIQL(3, 0.9, FullyConnected((16,)), lessons=lessons, num_actions=3)


@dataclass(frozen=True)
class Never:
    """A rule that can be written to a file."""

    state: int
    action: int

    def __call__(self, observations):
        safe = np.ones((len(observations), 3), dtype=bool)
        safe[observations[:, self.state] > 0.5, self.action] = False
        return safe


def test_under_constraints_it_tends_to_ciql(tmp_path):
    mdp, policy = world(masks=False)
    data, weights = everything(mdp, policy)
    free = iq.inverse_action_values(policy, mdp)
    worst = int(np.argmax(np.where(mdp.terminal, -1.0, policy.max(axis=1))))
    rule = Never(worst, int(policy[worst].argmax()))
    mask = rule(np.eye(5))
    right = constrained_plan(mdp, free.reward, mask)
    solution = iq.fit(data, iq.DCIQL(rule, EXACT), weights=weights)
    states = each_state(mdp)
    made = network_q(solution.policy.values, states.states)
    assert np.abs(made - right.q)[~mdp.terminal].max() < 0.15
    chances = solution.probabilities(states)
    assert (chances[~mask] == 0).all()
    assert_array_equal(chances[~mdp.terminal].argmax(1), right.policy[~mdp.terminal].argmax(1))
    assert error(solution.reward_function.of_actions(states), free.reward, mdp) < 0.1
    path = iq.save(solution, tmp_path / "it.npz")
    read = iq.load(path, iq.Solution, also=(Never,))
    assert_array_equal(read.probabilities(states), chances)
    with pytest.raises(iq.InputError, match="also="):
        iq.load(path, iq.Solution)


def test_costs_and_bounds_are_a_constraint_too(walked):
    data, quick = walked
    cost = lambda seen: np.column_stack([0 * seen[:, 0], seen[:, 0], -seen[:, 0]])  # noqa: E731
    rule = iq.Constraint(cost, 300.0, "never farther right")
    solution = iq.fit(data, iq.DCIQL([rule], quick, "boltzmann"))
    chances = solution.probabilities(data)
    right = data.states[:, 0] > 300
    assert (chances[right, 1] == 0).all()
    assert (chances[~right] > 0).all()
    with pytest.raises(iq.InputError, match="is a function, which cannot be written"):
        iq.save(solution, "unwritten.npz")


def test_nothing_safe_is_an_error_that_shows_the_observation(walked):
    data, solver = walked
    never = lambda seen: np.zeros((len(seen), 3), dtype=bool)  # noqa: E731
    with pytest.raises(iq.InputError, match=r"no action is safe at the observation \["):
        iq.fit(data, iq.DCIQL(never, solver))
    with pytest.raises(iq.InputError, match="bool of shape"):
        iq.fit(data, iq.DCIQL(lambda seen: np.ones(3), solver))
    with pytest.raises(iq.InputError, match="without any, fit DIQL"):
        iq.DCIQL([], solver)


def no_farther(observations):
    """Never to the right beyond 300 m."""
    safe = np.ones((len(observations), 3), dtype=bool)
    safe[observations[:, 0] > 300, 1] = False
    return safe


def never_left(observations):
    """Another rule."""
    safe = np.ones((len(observations), 3), dtype=bool)
    safe[:, 2] = False
    return safe


def test_seeds_interrupted_and_carried_on_are_those_of_fit(walked, tmp_path):
    data, quick = walked
    weights = np.random.default_rng(0).uniform(0.5, 2.0, data.num_decisions)
    solver = iq.DCIQL(no_farther, quick)
    whole = iq.train_diql(solver, data, (1, 3), weights=weights)
    alone = iq.fit(data, solver, weights=weights)
    assert_array_equal(whole[1].probabilities(data), alone.probabilities(data))
    assert whole[0].settings["seed"] == 1
    path = tmp_path / "training.npz"

    def stop(what, done, total):
        if done >= 20:
            raise KeyboardInterrupt

    asked = {"weights": weights, "checkpoint": path, "every": 20}
    with pytest.raises(KeyboardInterrupt):
        iq.train_diql(solver, data, (1, 3), progress=stop, **asked)
    carried_on = iq.train_diql(solver, data, (1, 3), **asked)
    for one, other in zip(carried_on, whole, strict=True):
        found = (network_q(each.policy.values, data.states) for each in (one, other))
        assert_array_equal(*found, strict=True)
    # The same networks under another rule, or with other weights, are another training.
    with pytest.raises(iq.InputError, match="other settings"):
        iq.train_diql(iq.DCIQL(never_left, quick), data, (1, 3), **asked)
    order = asked | {"weights": weights[::-1].copy()}
    with pytest.raises(iq.InputError, match="other settings"):
        iq.train_diql(solver, data, (1, 3), **order)


def test_settings_say_the_gauge_and_the_rule(walked):
    data, quick = walked
    settings = iq.fit(data, iq.DCIQL(no_farther, replace(quick, gauge="state-only"))).settings
    assert settings["gauge"] == "state-only"
    assert settings["behaviour"] == "greedy"


def test_a_constraint_is_not_asked_for_all_images_at_once():
    """What is safe where decisions led is that of the next states, in blocks."""
    rng = np.random.default_rng(0)
    count = 9000
    seen, ends = rng.normal(size=(count, 1)), rng.random(count) < 0.3
    ends[-1] = True
    games = np.concatenate([[0], np.cumsum(ends)[:-1]])
    following = np.where(ends[:, None], rng.normal(size=(count, 1)), np.roll(seen, -1, axis=0))
    data = iq.Demonstrations.from_arrays(
        seen, np.zeros(count, int), next_states=following, trajectory=games
    )
    asked = []

    def rule(observations):
        asked.append(len(observations))
        return np.column_stack([observations[:, 0] < 2, observations[:, 0] > -2])

    solver = iq.DCIQL(rule, iq.DIQL(0, 0.9, num_actions=2))
    assert_array_equal(solver.rule(Problem(data))[1], rule(following))
    assert max(asked[:-1]) < count / 2
