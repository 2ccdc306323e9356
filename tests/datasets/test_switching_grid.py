"""The simulated grid: what it holds, and that the truth told of it made it."""

import numpy as np
import pytest

from inverseq import datasets
from inverseq.forward import simulate_switching

RELEASED = {"left": -1, "down": 5, "right": 1, "up": -5, "stay": 0}
"""Change of the state by each move, as the released transitions have it."""


@pytest.fixture(scope="module")
def data():
    return datasets.switching_grid()


@pytest.fixture(scope="module")
def truth():
    return datasets.switching_grid_truth()


def shares(demos, k=2):
    count = np.zeros((k, 25, 5))
    np.add.at(count, (demos.decisions["intention"], demos.states, demos.actions), 1)
    return count


def test_the_sizes_and_moves_are_the_released_ones(data):
    demos = data.demonstrations
    assert (demos.num_decisions, demos.num_trajectories) == (250_000, 500)
    assert set(np.diff(demos.starts)) == {500}
    # The first decisions and sums of the released arrays.
    assert demos.states[:6].tolist() == [4, 4, 4, 4, 4, 9]
    assert int(demos.states.sum()) == 2_595_029
    assert np.bincount(demos.decisions["intention"]).tolist() == [128_422, 121_578]
    step = np.array([RELEASED[name] for name in demos.action_names])[demos.actions]
    moved = demos.next_states != demos.states
    np.testing.assert_array_equal((demos.next_states - demos.states)[moved], step[moved])
    x, y = np.asarray(data.mdp.coordinates)[demos.states[~moved]].T
    at_edge = {"left": x == 0, "right": x == 4, "up": y == 0, "down": y == 4, "stay": x >= 0}
    for a, name in enumerate(demos.action_names):
        assert at_edge[name][demos.actions[~moved] == a].all()


def test_the_two_places_and_the_released_part_are_marked(data):
    demos = data.demonstrations
    assert (demos.decisions["at_water"] == (demos.states == 23)).all()
    assert (demos.decisions["at_home"] == (demos.states == 0)).all()
    assert (demos.trajectories["released"] == (np.arange(500) < 200)).all()
    test = np.flatnonzero(demos.trajectories["split"] == "test")
    assert test.tolist() == [*range(0, 500, 5)]


def test_the_true_policies_fit_as_well_as_chance_allows(data, truth):
    """Twice the log-likelihood lost against free policies has 200 degrees of freedom."""
    count = shares(data.demonstrations)
    free = count / count.sum(2, keepdims=True)
    lost = 2 * (count * np.log(free / truth.policies)).sum()
    np.testing.assert_allclose(lost, 222.7, atol=0.1)
    assert lost < 200 + 3 * np.sqrt(2 * 200)
    other = truth.policies[::-1]
    assert 2 * (count * np.log(free / other)).sum() > 10_000


def test_the_true_rewards_are_of_water_and_home(data, truth):
    at = data.worlds["grid"].state_at
    names = data.mdp.action_names
    water, home = truth.rewards
    enter, leave, stay = (at(2, 4), "right"), (at(3, 4), "left"), (at(3, 4), "stay")
    for (state, name), pays in ((enter, 0.95), (leave, 0.95), (stay, 0.0)):
        assert water[state, names.index(name)] == pays
    assert home[at(0, 0), names.index("stay")] == home[at(1, 0), names.index("left")] == 0.95
    assert home[at(0, 0), names.index("right")] == 0.0


def test_simulating_the_truth_gives_the_data_again(data, truth):
    demos = data.demonstrations
    again = simulate_switching(
        truth.policies,
        truth.initial,
        truth.transitions,
        data.mdp,
        trajectories=500,
        length=500,
        seed=0,
        depends_on="previous state",
    )
    per_trajectory = lambda d: d.decisions["intention"].reshape(500, 500).mean(1)  # noqa: E731
    a, b = per_trajectory(demos), per_trajectory(again)
    assert abs(a.mean() - b.mean()) < 4 * np.hypot(a.std(), b.std()) / np.sqrt(500)
    visits = [np.bincount(d.states, minlength=25) / d.num_decisions for d in (demos, again)]
    np.testing.assert_allclose(*visits, atol=0.01)
