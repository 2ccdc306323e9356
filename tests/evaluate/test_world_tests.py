"""Kim's tests against what the trajectories of small worlds tell, counted one by one."""

from itertools import product

import numpy as np
import pytest

import inverseq as iq
from inverseq.evaluate.world_tests import world_tests


def certain_world(ends, start=0):
    """A world where action a of state s leads to ends[s][a]."""
    ends = np.array(ends)
    return iq.MDP(
        successors=ends[:, :, None],
        probabilities=np.ones((*ends.shape, 1)),
        discount=0.9,
        initial=np.eye(len(ends))[start],
    )


def open_numbers(mdp, horizon):
    """Dimensions of reward changes that shift the sum of every course alike."""
    rows = []
    start = int(mdp.initial.argmax())
    for actions in product(range(mdp.num_actions), repeat=horizon):
        state, row = start, np.zeros(mdp.allowed.shape)
        for a in actions:
            row[state, a] += 1
            state = int(mdp.successors[state, a, 0])
        rows.append(row.ravel())
    courses = np.unique(rows, axis=0)
    return mdp.allowed.size - np.linalg.matrix_rank(courses - courses[0])


@pytest.mark.parametrize("seed", range(12))
def test_what_it_calls_enough_is_enough_and_periods_never_are(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 5))
    ring = (np.arange(size) + 1) % size
    mdp = certain_world(np.stack([ring, rng.integers(0, size, size)], axis=1))
    found = world_tests(mdp)
    assert found.is_certain
    assert found.is_connected
    if found.horizon is not None and found.horizon <= 12:
        assert open_numbers(mdp, found.horizon) == 1
        assert found.period == 1
    if found.period > 1:
        assert found.cover is None
        assert all(open_numbers(mdp, horizon) > 1 for horizon in (4, 7, 10))


def test_the_length_that_is_enough_is_seen_in_a_world_counted_by_hand():
    # A ring of three with a stay at its beginning: 3 steps reach every state.
    mdp = certain_world([[0, 1], [2, 2], [0, 0]])
    found = world_tests(mdp)
    assert (found.period, found.cover, found.horizon) == (1, 3, 6)
    assert open_numbers(mdp, 2) > 1
    assert open_numbers(mdp, 6) == 1
    assert "6 decisions" in found.text


def test_a_world_that_is_covered_late_is_covered():
    # Wielandt's ring with one short cut: no world of so many states takes longer.
    size = 24
    ring = (np.arange(size) + 1) % size
    cut = ring.copy()
    cut[-1] = 1
    found = world_tests(certain_world(np.stack([ring, cut], axis=1)))
    assert found.period == 1
    assert found.cover > 20 * size
    assert found.identifies


def test_the_rest_is_told_apart():
    board = iq.worlds.gridworld(3, 3).mdp
    ring = certain_world([[1], [2], [3], [0]])
    assert (world_tests(ring).period, world_tests(ring).cover) == (4, None)
    assert "multiple of 4" in world_tests(ring).text
    two = certain_world([[0], [1]])
    assert not world_tests(two).is_connected
    assert "reached" in world_tests(two).text
    line = iq.MDP(
        successors=[[[1]], [[0]]], probabilities=np.ones((2, 1, 1)), discount=0.9, terminal=[0, 1]
    )
    assert world_tests(line).period == 0
    assert not world_tests(line).identifies
    unsure = iq.MDP.from_dense(np.full((3, 2, 3), 1 / 3), discount=0.9)
    assert world_tests(unsure).cover == 2
    assert world_tests(unsure).horizon is None
    assert "uncertain" in world_tests(unsure).text
    assert world_tests(board).identifies  # bumping into a wall is a stay
