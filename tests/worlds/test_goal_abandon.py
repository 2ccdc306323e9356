"""The goal/abandon grid: the released facts, and the published differences of value."""

import gymnasium
import numpy as np
import pytest

from inverseq import MDP, Ending, InputError, squared_value_difference, worlds
from inverseq.forward import policy_iteration

STEPS = np.array([(0, -1), (1, 0), (0, 1), (-1, 0), (0, 0)])


@pytest.fixture(scope="module")
def world():
    return worlds.goal_abandon()


@pytest.fixture(scope="module")
def demos():
    return worlds.goal_abandon_demonstrations(8 * 1024, seed=0)


def test_the_world_is_the_released_one(world):
    mdp, cells = world.mdp, np.asarray(world.mdp.coordinates)
    assert (mdp.num_states, mdp.num_actions, mdp.discount) == (25, 5, 0.9)
    wanted = np.zeros((25, 5, 25))
    for s in range(25):
        for a in range(5):
            for b in range(5):
                to = cells[s] + STEPS[b]
                n = world.state_at(*to) if (to >= 0).all() and (to < 5).all() else s
                wanted[s, a, n] += 0.1 / 5 + 0.9 * (a == b)
    np.testing.assert_allclose(mdp.transition_matrix.toarray().reshape(25, 5, 25), wanted)
    assert {tuple(cells[s].astype(int)) for s in world.drawing.marks["barrier"]} == {
        (2, 0),
        (2, 1),
        (2, 2),
        (1, 2),
        (0, 2),
    }
    assert not mdp.terminal.any()
    made = MDP.from_gymnasium(gymnasium.make(world.environment, **world.settings), discount=0.9)
    assert abs(made.transition_matrix - mdp.transition_matrix).max() < 1e-12


def test_the_experts_are_optimal_and_deterministic(world):
    experts = worlds.goal_abandon_experts(world)
    assert set(np.unique(experts)) == {0.0, 1.0}
    for expert, reward in zip(experts, worlds.goal_abandon_rewards(world), strict=True):
        np.testing.assert_allclose(
            squared_value_difference(
                world.mdp, expert, expert=policy_iteration(world.mdp, reward).policy, reward=reward
            ),
            0,
            atol=1e-18,
        )


def test_behaviour_has_the_released_statistics(demos):
    lengths = np.diff(demos.starts)
    share = demos.decisions["intention"]
    per_set = lambda x: [x[demos.trajectory_of // 1024 == i].mean() for i in range(8)]  # noqa: E731
    for seen, spread, published in (
        (lengths.mean(), lengths.reshape(8, -1).mean(1).std(ddof=1), 8.11),
        (share.mean(), np.std(per_set(share), ddof=1), 0.188),
    ):
        assert abs(seen - published) < 3 * spread
    np.testing.assert_allclose(lengths.mean(), 8.0, atol=0.15)


def test_intentions_turn_on_the_barrier_and_at_the_eighth_step_only(world, demos):
    chosen, now = demos.decisions["intention"], np.flatnonzero(demos.continues)
    barrier = np.isin(demos.states, world.drawing.marks["barrier"])
    turned, late = chosen[now] != chosen[now - 1], demos.step[now] == 8
    np.testing.assert_allclose(turned[barrier[now]].mean(), 0.3, atol=0.02)
    patient = ~barrier[now] & late & (chosen[now - 1] == 0)
    np.testing.assert_allclose(turned[patient].mean(), 0.5, atol=0.04)
    assert not turned[~barrier[now] & ~late].any()
    assert not chosen[demos.starts[:-1]].any()


def test_trajectories_end_at_the_goal_or_back_at_the_start(world, demos):
    goal, start = world.drawing.marks["goal"][0], world.drawing.marks["start"][0]
    last = demos.starts[1:] - 1
    assert set(demos.next_states[last]) == {goal, start}
    assert (demos.endings[last] == Ending.TRUNCATED).all()
    assert (demos.states[demos.starts[:-1]] == start).all()
    assert (demos.states != goal).all()
    experts = worlds.goal_abandon_experts(world)
    assert (experts[demos.decisions["intention"], demos.states, demos.actions] == 1).all()


def test_one_map_is_as_far_from_the_truth_as_published(world, demos):
    """Table 1 of the paper: one intention has 13.96 and 45.55, with values cut off at 0.01."""
    rewards = worlds.goal_abandon_rewards(world)
    count = np.zeros((25, 5))
    np.add.at(count, (demos.states, demos.actions), 1)
    count[count.sum(1) == 0] = 1
    policy = count / count.sum(1, keepdims=True)
    for reward, published, within in zip(rewards, (13.96, 45.55), (1.3, 1.0), strict=True):
        best = policy_iteration(world.mdp, reward).policy
        far = squared_value_difference(world.mdp, policy, expert=best, reward=reward)
        assert abs(far - published) < within


def test_a_wrong_world_is_refused(world):
    with pytest.raises(InputError, match="no goal, start and barrier"):
        worlds.goal_abandon_rewards(worlds.four_by_three())
    with pytest.raises(InputError, match="1 or more trajectories"):
        worlds.goal_abandon_demonstrations(0, seed=0)
