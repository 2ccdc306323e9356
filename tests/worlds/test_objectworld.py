"""Objectworld: against the published description counted out cell by cell."""

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inverseq import InputError
from inverseq.demonstrations import Ending
from inverseq.forward import policy_evaluation, policy_iteration
from inverseq.policies import boltzmann, uniform
from inverseq.worlds import gridworld, objectworld
from inverseq.worlds.objectworld import objectworld_demonstrations, objectworld_expert

MOVES = ((1, 0), (0, 1), (-1, 0), (0, -1), (0, 0))


def objects_of(world):
    """(x, y, inner colour, outer colour) of each object, as the picture shows them."""
    found = []
    for name, states in world.drawing.marks.items():
        inner, outer = (int(part.split()[1]) for part in name.split(", "))
        for state in states:
            x, y = (int(i) for i in world.mdp.coordinates[state])
            found.append((x, y, inner, outer))
    return found


def dense(mdp):
    return mdp.transition_matrix.toarray().reshape(mdp.num_states, mdp.num_actions, -1)


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6), size=st.integers(2, 9), wind=st.sampled_from([0.0, 0.3, 1.0]))
def test_moves_are_those_of_the_experiments(seed, size, wind):
    mdp = objectworld(seed, size=size, objects=3, wind=wind).mdp
    wanted = np.zeros((size * size, 5, size * size))
    for x in range(size):
        for y in range(size):
            for a in range(5):
                for b, (dx, dy) in enumerate(MOVES):
                    i, j = x + dx, y + dy
                    if not (0 <= i < size and 0 <= j < size):
                        i, j = x, y
                    share = wind / 5 + (1 - wind) * (a == b)
                    wanted[x + y * size, a, i + j * size] += share
    np.testing.assert_allclose(dense(mdp), wanted, atol=1e-12)
    assert not mdp.terminal.any()
    np.testing.assert_allclose(mdp.initial, 1 / size**2)


def test_the_released_wind_is_case_by_case_that_of_the_released_code():
    size, wind = 5, 0.3
    mdp = objectworld(0, size=size, objects=3, wind=wind, released_wind=True).mdp
    weight = np.zeros((size * size, 5, size * size))
    inside = lambda i, j: 0 <= i < size and 0 <= j < size  # noqa: E731
    for x in range(size):
        for y in range(size):
            here = x + y * size
            sides = (x in (0, size - 1)) + (y in (0, size - 1))
            for a, (dx, dy) in enumerate(MOVES):
                for i, j in ((x + ex, y + ey) for ex, ey in MOVES[:4]):
                    if inside(i, j):
                        meant = (i, j) == (x + dx, y + dy)
                        weight[here, a, i + j * size] = wind / 5 + (1 - wind) * meant
                if a == 4:
                    weight[here, a, here] = 1 - wind + wind / 5
                else:
                    against = not inside(x + dx, y + dy)
                    weight[here, a, here] = sides * wind / 5 + (1 - wind) * against
    np.testing.assert_allclose(dense(mdp), weight / weight.sum(2, keepdims=True), atol=1e-12)


@settings(max_examples=10)
@given(seed=st.integers(0, 10**6), colours=st.integers(2, 4), objects=st.integers(1, 12))
def test_reward_and_features_count_out(seed, colours, objects):
    world = objectworld(seed, size=8, objects=objects, colours=colours)
    thresholds = objectworld(seed, size=8, objects=objects, colours=colours, features="discrete")
    placed = objects_of(world)
    assert len(placed) == objects == len({(x, y) for x, y, *_ in placed})
    for state, (x, y) in enumerate(world.mdp.coordinates):
        near = lambda colour, steps: any(  # noqa: E731
            abs(i - x) + abs(j - y) <= steps and outer == colour  # noqa: B023
            for i, j, _, outer in placed
        )
        wanted = (1 if near(1, 2) else -1) if near(0, 3) else 0
        assert (world.mdp.reward[state] == wanted).all()
        nearest = [
            min([np.hypot(i - x, j - y) for i, j, *c in placed if c[part] == colour], default=None)
            for colour in range(colours)
            for part in (0, 1)
        ]
        shown = [np.hypot(8, 8) if d is None else d for d in nearest]
        np.testing.assert_allclose(world.mdp.features[state], [shown] * 5)
        steps = [d is not None and d < t for d in nearest for t in range(1, 9)]
        np.testing.assert_array_equal(thresholds.mdp.features[state], [steps] * 5)
    assert world.mdp.feature_names[:2] == ("to inner 0", "to outer 0")
    assert thresholds.mdp.feature_names[8] == "outer 0 within 1"


def test_the_board_of_the_experiments():
    world = objectworld(0)
    assert (world.mdp.num_states, world.mdp.num_actions, world.mdp.discount) == (1024, 5, 0.9)
    assert world.mdp.features.shape == (1024, 5, 4)
    assert len(objects_of(world)) == 50
    assert world.mdp.action_names == ("right", "down", "left", "up", "stay")
    assert world.drawing.directions.tolist() == [list(move) for move in MOVES]
    np.testing.assert_array_equal(objectworld(0).mdp.reward, world.mdp.reward)
    assert (objectworld(1).mdp.reward != world.mdp.reward).any()
    made = gymnasium.make(world.environment, **world.settings).unwrapped.world
    np.testing.assert_array_equal(made.mdp.reward, world.mdp.reward)


def test_the_published_distance_of_the_uniform_policy_is_of_this_size():
    """15.415 in the one world that was published; the mean over worlds is near it."""
    squared = []
    for seed in range(8):
        mdp = objectworld(seed, released_wind=True).mdp
        soft = boltzmann(policy_iteration(mdp).q, mdp.allowed, mdp.discount)
        best, chance = (policy_evaluation(mdp, p).values for p in (soft, uniform(mdp.allowed)))
        squared.append(((best - chance) ** 2).mean())
    assert abs(np.mean(squared) - 15.415) < 2 * np.std(squared, ddof=1)
    assert 13 < np.mean(squared) < 20


def small():
    return objectworld(2, size=6, objects=8)


def test_the_expert_is_the_best_for_its_own_discount():
    world = small()
    expert = objectworld_expert(world)
    sharp = objectworld_expert(world, discount=0.9)
    mdp = world.mdp
    np.testing.assert_allclose(
        policy_evaluation(mdp, sharp).values, policy_iteration(mdp).values, atol=1e-9
    )
    assert set(np.unique(expert * expert.astype(bool).sum(1, keepdims=True))) == {0.0, 1.0}
    warm = objectworld_expert(world, temperature=1.0)
    assert (warm > 0).all()
    cold = objectworld_expert(world, temperature=1e-6)
    np.testing.assert_allclose(cold, expert, atol=1e-4)


def test_honest_demonstrations_follow_the_policy_in_the_wind():
    world = small()
    expert = objectworld_expert(world)
    made = objectworld_demonstrations(world, expert, trajectories=4000, seed=1)
    assert (made.num_trajectories, made.num_decisions) == (4000, 32_000)
    assert (expert[made.states, made.actions] > 0).all()
    assert (made.endings.reshape(4000, 8)[:, -1] == Ending.TRUNCATED).all()
    intended = np.asarray(world.mdp.coordinates)[made.states] + np.array(MOVES)[made.actions]
    inside = ((intended >= 0) & (intended < 6)).all(1) & (made.actions < 4)
    arrived = (world.mdp.coordinates[made.next_states] == intended).all(1)
    assert abs(arrived[inside].mean() - (0.7 + 0.3 / 5)) < 0.02


def test_the_released_way_records_the_wind_as_actions():
    world = small()
    expert = objectworld_expert(world)
    made = objectworld_demonstrations(
        world, expert, trajectories=4000, seed=1, record_wind_as_action=True
    )
    intended = np.asarray(world.mdp.coordinates)[made.states] + np.array(MOVES)[made.actions]
    inside = ((intended >= 0) & (intended < 6)).all(1)
    arrived = np.where(inside[:, None], intended, world.mdp.coordinates[made.states])
    np.testing.assert_array_equal(world.mdp.coordinates[made.next_states], arrived)
    shown = 0.7 * expert + 0.3 * np.array([0.25, 0.25, 0.25, 0.25, 0])
    count = np.zeros(shown.shape)
    np.add.at(count, (made.states, made.actions), 1)
    assert (count[shown == 0] == 0).all()
    share = count / count.sum(1, keepdims=True)
    assert np.abs(share - shown)[count.sum(1) > 500].max() < 0.08


def test_a_seed_gives_the_same_demonstrations():
    world = small()
    policy = uniform(world.mdp.allowed)
    for quirk in (False, True):
        made = [
            objectworld_demonstrations(
                world, policy, trajectories=5, length=3, seed=s, record_wind_as_action=quirk
            )
            for s in (4, 4, 5)
        ]
        assert made[0].fingerprint == made[1].fingerprint != made[2].fingerprint


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"features": "some"}, '"continuous" or "discrete"'),
        ({"colours": 1}, "2 or more colours"),
        ({"objects": 10, "size": 3}, "10 objects do not fit on a board of 3 x 3"),
        ({"objects": 0}, "0 objects do not fit"),
        ({"wind": 1.5}, "wind is a probability"),
        ({"size": 0, "objects": 0}, "do not fit"),
    ],
)
def test_boards_that_make_no_sense_are_refused(wrong, words):
    with pytest.raises(InputError, match=words):
        objectworld(0, **wrong)


def test_other_worlds_and_temperatures_are_refused():
    other = gridworld(3, 3)
    policy = uniform(other.mdp.allowed)
    with pytest.raises(InputError, match="is no Objectworld"):
        objectworld_demonstrations(other, policy, trajectories=1, seed=0)
    with pytest.raises(InputError, match="temperature must be 0 or more"):
        objectworld_expert(small(), temperature=-1.0)
