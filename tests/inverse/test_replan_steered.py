"""Replanning a reward on top of a habit: nothing changes at home, the habit stays abroad."""

import numpy as np
import pytest

import inverseq as iq
from inverseq import worlds

HOME = worlds.maze(["S...", ".#..", "...G"], discount=0.9)
AWAY = worlds.maze(["S..#", "....", "#..G"], discount=0.9)
NAMES = ["step", "turn", "blocked"]


@pytest.fixture(scope="module")
def steered():
    mdp = worlds.maze_features(HOME, NAMES)
    wanted = mdp.features @ np.array([-1.0, -0.5, -2.0])
    agent = iq.forward.soft_policy_iteration(mdp, wanted)
    walks = iq.forward.simulate(mdp, agent.policy, trajectories=80, steps=30, seed=3)
    walks = iq.Demonstrations.from_arrays(
        mdp.history.base[walks.states],
        walks.actions,
        trajectory=walks.trajectory_of,
        decisions={"last": np.where(walks.step > 0, np.roll(walks.actions, 1), -1)},
    )
    habit = iq.ColumnTable(("last",))
    return iq.fit(walks, iq.Steered(habit, "features", folds=4), mdp), walks, mdp


def test_in_its_own_world_nothing_changes(steered):
    solution, walks, mdp = steered
    same = iq.replan(solution, mdp)
    np.testing.assert_allclose(
        same.probabilities(walks), solution.probabilities(walks), atol=1e-10, rtol=0
    )
    np.testing.assert_allclose(same.v, solution.v, atol=1e-9)


def test_in_another_world_the_habit_stays(steered):
    solution, _, _ = steered
    there = worlds.maze_features(AWAY, NAMES)
    abroad = iq.replan(solution, there)
    assert abroad.policy.habit is solution.policy.habit
    assert abroad.num_parameters == solution.num_parameters
    # Apart from the pull of the plan, which differs by state, odds are those of the habit.
    some = iq.Demonstrations.from_arrays(
        [0, 0], [-1, -1], trajectory=[0, 1], decisions={"last": [1, 2]}
    )
    habit = solution.policy.habit.probabilities(some, there)
    chance = abroad.probabilities(some)
    q = abroad.q[iq.align(some, there)]
    expected = habit * np.exp(q - q.max(1, keepdims=True))
    np.testing.assert_allclose(chance, expected / expected.sum(1, keepdims=True), atol=1e-10)
    assert not np.allclose(habit[0], habit[1])
