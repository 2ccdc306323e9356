"""The study of people in mazes, small: scores add up, nothing leaks, files are whole."""

import csv
import json

import numpy as np
import pytest
from scipy.optimize import check_grad

from inverseq import Counts, InputError, MaxEnt, align, fit
from inverseq.datasets import people as people_in_mazes
from inverseq.studies.people.figures import expected_moves
from inverseq.studies.people.study import ABLATIONS, EVERY_COST, PLANNERS, YARDSTICKS, people
from inverseq.studies.people.yardsticks import Greedy, fit_greedy, greedy_solution, with_paths
from inverseq.worlds import maze, maze_features

SMALL = {
    "folds": 2,
    "subjects": 6,
    "discounts": (0.95,),
    "strength": 1.0,
    "ablations": False,
    "jobs": 1,
}


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("people")
    steps = []
    return people(folder, **SMALL, progress=lambda *step: steps.append(step)), folder, steps


def test_the_planner_beats_every_walker_without_foresight(done):
    made, _, steps = done
    full = made.row("planner, every cost")
    for name in YARDSTICKS:
        assert made.row(name).score < full.score - 0.005, name
        assert made.row(name).behind == pytest.approx(full.score - made.row(name).score)
    assert made.row("uniform").score == pytest.approx(-np.log(4))
    assert full.behind == 0
    assert full.numbers == 14
    assert steps[-1] == ("planners", 2 * len(PLANNERS), 2 * len(PLANNERS))


def test_turns_reversals_and_blocked_moves_cost(done):
    made, _, _ = done
    for name in ("turn", "reversal", "blocked"):
        assert (made.weights[:, made.features.index(name)] < 0).all(), name


def test_maze_scores_add_up_to_the_score(done):
    made, _, _ = done
    data = people_in_mazes().demonstrations
    data = data.take(data.units("subject") < 6)
    assert made.decisions == data.num_decisions
    lengths = np.diff(data.starts)
    moves = [lengths[data.trajectories["world"] == name].sum() for name in made.mazes]
    for row in made.rows:
        assert np.average(row.mazes, weights=moves) == pytest.approx(row.score)


def test_files_hold_the_numbers(done):
    made, folder, _ = done
    with open(folder / "scores.csv", encoding="utf-8") as stream:
        lines = {line["name"]: line for line in csv.DictReader(stream)}
    assert set(lines) == {row.name for row in made.rows}
    for row in made.rows:
        assert float(lines[row.name]["nats_per_decision"]) == pytest.approx(row.score, abs=1e-5)
    summary = json.loads((folder / "people.json").read_text(encoding="utf-8"))
    assert summary["folds"]["grid-3-0"] == 1
    assert [w["feature"] for w in summary["weights"]] == list(EVERY_COST)
    for name in ("scores.png", "mazes.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    assert {str(folder / n) for n in ("weights.csv", "people.json")} <= set(made.files)


def test_each_ablation_leaves_out_one_group():
    assert set(ABLATIONS) == {
        f"planner without {g}" for g in ("turn", "reversal", "blocked", "closeness", "first")
    }
    assert all("step" in names for names in ABLATIONS.values())
    left_out = [set(EVERY_COST) - set(names) for names in ABLATIONS.values()]
    assert set.union(*left_out) == set(EVERY_COST) - {"step"}


@pytest.fixture(scope="module")
def few():
    data = people_in_mazes()
    names = [*data.worlds][:2]
    worlds = {n: with_paths(maze_features(data.worlds[n])) for n in names}
    seen = data.demonstrations.select(world=names)
    return seen.take(seen.units("subject") < 20), worlds


def test_ways_to_the_goal_by_hand():
    mdp = with_paths(maze_features(maze(("..G", ".#.", "S..")), ["step"]))
    assert mdp.feature_names == ("step", "nearer by path", "nearer by line")
    start = 5  # row by row: 0 1 2, 3 4, 5 6 7
    np.testing.assert_array_equal(mdp.features[start, :, 1], [1, 1, 0, 0])
    np.testing.assert_array_equal(mdp.features[start, :, 2], [1, 1, 0, 0])
    np.testing.assert_array_equal(mdp.features[0, :, 1], [0, 1, -1, 0])


def test_a_walker_that_lapses_is_fitted_by_likelihood(few):
    data, worlds = few
    walker = Greedy(("nearer by path", "reversal"), lapse=True)
    found = fit_greedy(walker, data, worlds)

    def log_likelihood(x):
        policy = greedy_solution(walker, x, worlds)
        counts = np.zeros(policy.policy.table.shape)
        np.add.at(counts, (align(data, policy.mdp), data.actions), 1.0)
        return float((counts * np.log(policy.policy.table)).sum() / data.num_decisions)

    slope = lambda x: np.zeros(x.size)  # noqa: E731
    assert check_grad(log_likelihood, slope, found) < 1e-4
    for nudge in np.eye(3):
        assert log_likelihood(found + 0.3 * nudge) < log_likelihood(found)
        assert log_likelihood(found - 0.3 * nudge) < log_likelihood(found)


def test_expected_moves_lead_to_the_goal():
    data = people_in_mazes()
    mdp = maze_features(data.worlds["grid-0-0"])
    counts = np.ones(mdp.allowed.shape) * ~mdp.terminal[:, None]
    solution = fit(Counts(counts), MaxEnt("features", strength=1.0), mdp)
    walks = data.demonstrations.select(world="grid-0-0")
    moves = expected_moves(solution, mdp, walks)
    base = data.worlds["grid-0-0"].mdp
    arrivals = sum(
        moves[s, a] for s, a in np.argwhere(base.terminal[base.successors[:, :, 0]]) if moves[s, a]
    )
    assert arrivals == pytest.approx(1.0)


def test_what_cannot_be_done_is_refused(tmp_path):
    with pytest.raises(InputError, match="folds must be 2 to 12"):
        people(tmp_path, folds=13)
    with pytest.raises(InputError, match="5 people or more"):
        people(tmp_path, **{**SMALL, "subjects": 3})
