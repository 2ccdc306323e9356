"""The study of people in mazes, small: scores add up and nothing leaks."""

from dataclasses import replace

import numpy as np
import pytest

from inverseq import Counts, InputError, MaxEnt, fit
from inverseq.datasets import people as people_in_mazes
from inverseq.studies import Effort
from inverseq.studies.people import STUDY, Settings
from inverseq.studies.people.figures import expected_moves
from inverseq.studies.people.study import ABLATIONS, EVERY_COST, PLANNERS, YARDSTICKS, run
from inverseq.worlds import maze_features


@pytest.fixture(scope="module")
def done(small):
    """Its record, its result and the steps reported."""
    done, _, steps = small("people", "people")
    return done.results["people"].record, done.results["people"], steps


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


def test_tables_hold_the_numbers(done):
    made, found, _ = done
    lines = {line["name"]: line for line in found.tables["scores"]}
    assert set(lines) == {row.name for row in made.rows}
    for row in made.rows:
        assert lines[row.name]["nats_per_decision"] == pytest.approx(row.score, abs=1e-5)
    assert found.facts["folds"]["grid-3-0"] == 1
    assert [w["feature"] for w in found.tables["weights"]] == list(EVERY_COST)
    assert set(found.figures) == {"scores", "mazes"}


def test_each_ablation_leaves_out_one_group():
    assert set(ABLATIONS) == {
        f"planner without {g}" for g in ("turn", "reversal", "blocked", "closeness", "first")
    }
    assert all("step" in names for names in ABLATIONS.values())
    left_out = [set(EVERY_COST) - set(names) for names in ABLATIONS.values()]
    assert set.union(*left_out) == set(EVERY_COST) - {"step"}


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


def test_what_cannot_be_done_is_refused():
    with pytest.raises(InputError, match="folds must be 2 to 12"):
        run(Settings(folds=13), Effort())
    with pytest.raises(InputError, match="5 people or more"):
        run(replace(STUDY.small, subjects=3), Effort())
