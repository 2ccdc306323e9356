"""The study of people in mazes, small: scores add up and nothing leaks."""

from dataclasses import replace

import numpy as np
import pytest
from study_form import has_the_form

from inverseq import Counts, InputError, MaxEnt, fit
from inverseq.datasets import people as people_in_mazes
from inverseq.studies import Effort
from inverseq.studies.people import STUDY, Settings
from inverseq.studies.people.figures import forecast_moves
from inverseq.studies.people.study import ABLATIONS, EVERY_COST, HABITS, PLANNERS, YARDSTICKS, run
from inverseq.worlds import maze_features


@pytest.fixture(scope="module")
def done(small):
    """Its rows by name, its result and the steps reported."""
    done, _, steps = small("people", "people")
    found = done.results["people"]
    return {row["name"]: row for row in found.tables["scores"]}, found, steps


def test_it_has_the_form_of_all_studies(small):
    has_the_form(small, "people", "people")


def test_the_planner_beats_every_walker_without_foresight(done):
    rows, _, steps = done
    full = rows["planner, every cost"]
    best = full["nats_per_decision"]
    for name in YARDSTICKS:
        assert rows[name]["nats_per_decision"] < best - 0.005, name
        behind = best - rows[name]["nats_per_decision"]
        assert rows[name]["behind_full_planner"] == pytest.approx(behind, abs=2e-5)
    assert rows["uniform"]["nats_per_decision"] == pytest.approx(-np.log(4), abs=1e-5)
    assert full["behind_full_planner"] == 0
    assert full["numbers"] == len(EVERY_COST) + 1 == 14
    assert rows["shortest path, lapses"]["numbers"] == 2
    assert rows["table that saw the maze"]["numbers"] is None
    assert ("planners", 2 * len(PLANNERS), 2 * len(PLANNERS)) in steps
    assert steps[-1] == ("habits", 2 * len(HABITS), 2 * len(HABITS))


def test_habits_that_carry_over_help_a_planner(done):
    rows, _, _ = done
    of_all, of_each = (rows[name] for name in HABITS)
    assert of_all["nats_per_decision"] > rows["planner, every cost"]["nats_per_decision"]
    assert of_each["nats_per_decision"] > of_all["nats_per_decision"]
    assert of_each["numbers"] > of_all["numbers"] > 100


def test_turns_reversals_and_blocked_moves_cost(done):
    weights = {row["feature"]: row for row in done[1].tables["weights"]}
    assert [*weights] == [*EVERY_COST]
    for name in ("turn", "reversal", "blocked"):
        assert max(weights[name]["fold_0"], weights[name]["fold_1"]) < 0, name


def test_maze_scores_add_up_to_the_score(done):
    rows, found, _ = done
    data = people_in_mazes().demonstrations
    data = data.take(data.units("subject") < 6)
    assert found.facts["decisions"] == data.num_decisions
    mazes = found.facts["folds"]
    assert mazes["grid-3-0"] == 1
    lengths = np.diff(data.starts)
    moves = [lengths[data.trajectories["world"] == name].sum() for name in mazes]
    for row in rows.values():
        mean = np.average([row[name] for name in mazes], weights=moves)
        assert row["nats_per_decision"] == pytest.approx(mean, abs=1e-4)


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
    moves = forecast_moves(solution, mdp, walks)
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
