"""The study of intentions: numbers against oracles and hand counts."""

from dataclasses import replace

import numpy as np
import pytest

from inverseq import Demonstrations
from inverseq.datasets import switching_grid, switching_grid_truth
from inverseq.studies import Effort
from inverseq.studies.intentions import abandon, bandit, dopamine, grid
from inverseq.worlds import goal_abandon, goal_abandon_experts

# The grid of water and home.


def test_who_knows_the_truth_is_right_as_often_as_counted_elsewhere():
    demos = switching_grid().demonstrations.select(split="test", released=1)
    found = grid.attainable(demos, switching_grid_truth())
    np.testing.assert_allclose(found, [0.9225, 0.8736, -1.4634], atol=6e-5)


def test_rewards_of_arriving_are_means_over_ways_in():
    world = switching_grid().worlds["grid"]
    reward = switching_grid_truth().rewards[1]  # 0.95 whenever home is reached
    arriving = grid.of_arriving(world.mdp, reward)
    assert arriving[world.state_at(0, 0)] == pytest.approx(0.95)
    assert np.count_nonzero(arriving) == 1


# The grid of the goal.


def test_values_lost_by_those_who_know_and_by_those_who_do_not():
    world = goal_abandon()
    experts, uniform = goal_abandon_experts(world), world.mdp.allowed / 5.0
    lost = [abandon.value_difference(world, k, uniform) for k in (0, 1)]
    assert lost[0] == pytest.approx(lost[1])  # goal and start are alike to who goes anywhere
    step = np.einsum("sab,sabt->sat", world.mdp.probabilities, np.eye(25)[world.mdp.successors])
    into = world.drawing.marks["goal"][0]
    best, even = np.zeros(25), np.zeros(25)
    for _ in range(600):
        best = (step[:, :, into] + 0.9 * step @ best).max(1)
        even = (step[:, :, into] + 0.9 * step @ even).mean(1)
    assert lost[0] == pytest.approx(((best - even) ** 2).mean())
    for k in (0, 1):
        assert abandon.value_difference(world, k, experts[k]) < 1e-12
        stopped = abandon.stopped_difference(world, k, uniform)
        assert 0.1 < lost[k] - stopped < 0.6  # as the module says of the released evaluation


# Two spouts.


def test_choices_are_those_of_the_published_figure():
    trials = bandit.choices()
    assert trials.actions.size == 3363
    assert (trials.part == 2).sum() == 669
    first = np.append(True, np.diff(trials.session) > 0)
    assert (trials.states[first] == 4).all()
    assert (trials.states[~first] // 2 == trials.actions[:-1][~first[1:]]).all()
    _, _, test, _ = bandit.score_model(
        bandit.models(2, Effort(small=True))[bandit.TWO_BACK][0], 1, trials
    )
    assert round(test.mean, 3) == -0.381


def test_scores_know_the_session_before_and_nothing_after():
    trials = bandit.choices()
    solver, _ = bandit.models(2, Effort(small=True))["2 intentions, 1 back, Markov"]
    mdp = bandit.world(trials)
    solution = bandit.fit(trials.take(trials.part == 0), solver, mdp)
    every, early = np.ones(trials.part.size, dtype=bool), trials.part < 2
    known = bandit.score(solution, trials, every, trials.part == 1)
    blind = bandit.score(solution, trials, early, trials.part == 1)
    np.testing.assert_allclose(known.sums, blind.sums, atol=1e-9)  # the future does not matter
    only = bandit.score(solution, trials, trials.part == 1, trials.part == 1)
    assert np.abs(only.sums - blind.sums).max() > 1e-3  # the past does


# Dopamine.


def test_intentions_outlast_gaps():
    demos = Demonstrations.from_arrays([0, 1, 2], [1, 2, 0], next_states=[1, 0, 0])
    assert not demos.continues[2]
    assert dopamine.bridged(demos).continues.tolist() == [False, True, True]
    assert replace(demos, endings=demos.endings).continues.tolist() == [False, True, False]
