"""The study of intentions: numbers against oracles and hand counts, files, what it refuses."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from inverseq import Demonstrations, InputError
from inverseq.cli import study
from inverseq.cli.options import Study
from inverseq.datasets import switching_grid, switching_grid_truth
from inverseq.forward import policy_evaluation, soft_policy_iteration
from inverseq.studies.intentions import abandon, bandit, dopamine, grid
from inverseq.studies.intentions.study import PARTS, intentions
from inverseq.studies.study import Effort
from inverseq.worlds import goal_abandon, goal_abandon_experts


@pytest.fixture(scope="module", params=["switching-grid", "abandon", "bandit", "dopamine"])
def done(request, tmp_path_factory):
    folder, seen = tmp_path_factory.mktemp(request.param), []
    progress = lambda *step: seen.append(step)  # noqa: E731
    made = intentions(folder, parts=(request.param,), restarts=2, small=True, progress=progress)
    return request.param, made, folder, seen


def test_each_part_writes_what_it_says(done):
    name, made, folder, seen = done
    assert {path.name for path in folder.iterdir()} == {path.split("/")[-1] for path in made.files}
    for table, rows in made.tables.items():
        with open(folder / f"{table}.csv", newline="", encoding="utf-8") as stream:
            written = list(csv.DictReader(stream))
        assert len(written) == len(rows) > 0
        assert list(written[0]) == list(rows[0])
    summary = json.loads((folder / "intentions.json").read_text(encoding="utf-8"))
    assert summary["sentences"][name] == list(made.sentences[name])
    assert all(path.stat().st_size > 5000 for path in folder.glob("*.png"))
    assert seen
    assert all(0 <= step <= total for _, step, total in seen)


def test_the_command_shows_every_table(done):
    name, made, _, _ = done
    shown = [study._of_part_table(made, table) for table in made.tables]
    assert [len(table.rows) for table in shown] == [len(rows) for rows in made.tables.values()]
    assert shown[-1].note == "\n".join(made.sentences[name])


def test_what_is_not_there_is_refused(tmp_path):
    with pytest.raises(InputError, match="no part 'rats'; there are switching-grid"):
        intentions(tmp_path, parts=("rats",))
    with pytest.raises(InputError, match="restarts"):
        intentions(tmp_path, parts=("abandon",), restarts=0)
    with pytest.raises(InputError, match="belongs to the study intentions"):
        study.run(Study("lecture", str(tmp_path), parts="abandon"))
    assert {"switching-grid", "abandon", "bandit", "dopamine"} <= set(PARTS)


# The grid of water and home.


def test_who_knows_the_truth_is_right_as_often_as_counted_elsewhere():
    demos = switching_grid().demonstrations.select(split="test", released=1)
    found = grid.attainable(demos, switching_grid_truth())
    np.testing.assert_allclose(found, [0.9225, 0.8736, -1.4634], atol=6e-5)


def test_the_nearest_reward_undoes_shaping_and_nothing_else():
    mdp, rng = switching_grid().worlds["grid"].mdp, np.random.default_rng(0)
    truth, v = rng.normal(size=(25, 5)), rng.normal(size=25)
    shaped = truth + v[:, None] - mdp.discount * v[mdp.successors[:, :, 0]]
    np.testing.assert_allclose(grid.nearest(mdp, shaped, truth), truth, atol=1e-8)
    other = rng.normal(size=(25, 5))
    moved = grid.nearest(mdp, other, truth)
    policies = [soft_policy_iteration(mdp, reward).policy for reward in (other, moved)]
    np.testing.assert_allclose(*policies, atol=1e-6)
    assert np.linalg.norm(moved - truth) < np.linalg.norm(other - truth)


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


def test_sweeps_stop_near_the_exact_values():
    world, reward = goal_abandon(), np.eye(25)[:, :1] * np.ones(5)
    policy = world.mdp.allowed / 5.0
    exact = policy_evaluation(world.mdp, policy, reward).values
    found = abandon.swept(world.mdp, reward, policy)
    assert (found <= exact).all()
    assert (exact - found).max() < 0.01 / (1 - world.mdp.discount)
    assert (exact - found).max() > 1e-4  # it does stop early


# Two spouts.


def test_choices_are_those_of_the_published_figure():
    trials = bandit.choices()
    assert trials.actions.size == 3363
    assert (trials.part == 2).sum() == 669
    first = np.append(True, np.diff(trials.session) > 0)
    assert (trials.states[first] == 4).all()
    assert (trials.states[~first] // 2 == trials.actions[:-1][~first[1:]]).all()
    _, _, test, _ = bandit.score_model(
        bandit.models(Effort(small=True))[bandit.TWO_BACK][0], 1, trials
    )
    assert round(test.mean, 3) == -0.381


def test_scores_know_the_session_before_and_nothing_after():
    trials = bandit.choices()
    solver, _ = bandit.models(Effort(small=True))["2 intentions, 1 back, Markov"]
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
