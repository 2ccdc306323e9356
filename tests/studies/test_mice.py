"""The study of mice, small: tied tables by hand, nothing leaks between halves."""

from dataclasses import replace

import numpy as np
import pytest
from study_form import has_the_form

from inverseq import CountTable, InputError, fit
from inverseq.datasets import mice as mice_in_labyrinth
from inverseq.evaluate.likelihood import log_likelihood
from inverseq.inverse.explanation import action_probabilities
from inverseq.studies import Effort
from inverseq.studies.mice import Settings
from inverseq.studies.mice.models import (
    CARRIED,
    HABITS,
    Model,
    ablations,
    carried,
    carry,
    fit_and_score,
    tied_rewards,
)
from inverseq.studies.mice.study import run
from inverseq.studies.mice.tables import halves, only, tied, tied_world
from inverseq.worlds import LABYRINTH_FEATURES, labyrinth


@pytest.fixture(scope="module")
def done(small):
    """Its result and the steps reported."""
    done, _, steps = small("mice", "mice")
    return done.results["mice"], steps


def named(rows):
    return {row["name"]: row for row in rows}


@pytest.fixture(scope="module")
def parts():
    data = mice_in_labyrinth().demonstrations
    few = data.take(np.arange(data.num_trajectories) < 20)
    return few.select(split="train"), few.select(split="test")


def test_it_has_the_form_of_all_studies(small):
    has_the_form(small, "mice", "mice")


def test_inverse_action_values_predict_what_counts_do(done, parts):
    rows = named(done[0].tables["scores"])
    train, test = parts
    table = CountTable(order=1, smoothing=0.5, backoff=False)
    wanted = log_likelihood(fit(train, table, labyrinth().mdp), test, from_step=1)
    assert rows["IAVI"]["nats_per_decision"] == pytest.approx(wanted.mean, abs=1e-5)
    chance = rows["equal shares"]["nats_per_decision"]
    assert chance == pytest.approx(wanted.chance_mean, abs=1e-5)
    facts = done[0].facts
    assert (facts["decisions"], facts["forced"]) == (wanted.num_decisions, wanted.num_forced)


def test_tied_features_help_where_data_are_few(done):
    found, steps = done
    nats = {name: row["nats_per_decision"] for name, row in named(found.tables["scores"]).items()}
    assert nats["habits"] > nats["MaxEnt on moves"] + 0.05
    assert nats["every feature"] > nats["table, 2 nodes"]
    gain = named(found.tables["scores"])["every feature"]["over table, 2 nodes"]
    assert gain == pytest.approx(nats["every feature"] - nats["table, 2 nodes"], abs=2e-5)
    assert [*nats.values()] == sorted(nats.values())
    assert {what for what, _, _ in steps} >= {"discounts", "models", "halves"}


def test_the_other_half_is_news_to_tables_of_nodes_only(done):
    rows = named(done[0].tables["halves"])
    nats = {name: row["nats_per_decision"] for name, row in rows.items()}
    assert nats["table, 1 node"] < nats["equal shares"] + 0.05
    for name in ("tied table, 2 moves", *CARRIED):
        assert nats[name] > nats["equal shares"] + 0.08, name
    assert rows["table, 3 nodes, saw that half"]["over best table"] > 0


def test_a_model_carried_over_has_not_seen_the_half_it_predicts(parts):
    train, test = parts
    world = labyrinth()
    there = halves(world) == 2
    models = list(carried(0.5, 3, (30.0,), 2))
    model = next(m for m in models if m.name == "habits, no foresight")
    found = carry(model, (train, test), there)
    inside = there[test.states] & (test.actions >= 0) & (test.step >= 1)
    assert found.score.num_decisions == inside.sum()
    # Other decisions inside, in training, change nothing; those outside do.
    mirrored = train.actions.copy()
    mirrored[mirrored < 2] = 1 - mirrored[mirrored < 2]
    for region, same in ((there, True), (halves(world) == 1, False)):
        free = region[train.states] & (train.actions < 2)
        changed = replace(train, actions=np.where(free, mirrored, train.actions))
        again = carry(model, (changed, test), there)
        assert (again.weights == found.weights) is same


def test_contrasts_are_differences_of_scores(done):
    tables = done[0].tables
    scores = {
        "test trajectories": named(tables["scores"]),
        "the other half": named(tables["halves"]),
    }
    for row in tables["contrasts"]:
        one, other = (
            scores[row["predicted"]][row[side]]["nats_per_decision"] for side in ("model", "over")
        )
        assert row["gain"] == pytest.approx(one - other, abs=2e-5)
        assert row["error"] > 0
    pairs = {(row["model"], row["over"]) for row in tables["contrasts"]}
    assert ("every feature", "habits, turns, patterns") in pairs
    assert ("habits", "habits, no foresight") in pairs


def test_each_ablation_leaves_out_one_part(parts):
    models = {m.name: m for m in tied_rewards(0.0, 3, (30.0,), 2)}
    habits, full = (fit_and_score(models[name], *parts) for name in ("habits", "every feature"))
    found = list(ablations(habits, full))
    assert [smaller.name for _, smaller in found][-2:] == [
        "every feature without turns",
        "every feature without patterns",
    ]
    for whole, smaller in found:
        left_out = set(whole.groups) - set(smaller.groups)
        assert left_out == (
            set(HABITS) if smaller.name.endswith(" habits") else {smaller.name.rpartition(" ")[2]}
        )
        assert smaller.solver.strength == 30.0


def test_halves_are_the_subtrees_below_home():
    half = halves(labyrinth())
    assert half[:7].tolist() == [0, 1, 2, 1, 1, 2, 2]
    assert (half == 1).sum() == (half == 2).sum() == 63
    assert half[116] == 2


def test_only_keeps_decisions_taken_there(parts):
    train, _ = parts
    there = halves(labyrinth()) == 1
    kept = only(train, there)
    np.testing.assert_array_equal(kept.states, train.states)
    np.testing.assert_array_equal(kept.actions >= 0, there[train.states])


def test_a_tied_table_counts_by_level_and_last_moves(parts):
    train, _ = parts
    world = labyrinth()
    walk = tied(train, world)
    shares = action_probabilities(
        fit(walk, CountTable(order=2, smoothing=1e-9, backoff=False), tied_world(world)), walk
    )
    level = np.log2(train.states + 1).astype(int)
    side = {int(world.mdp.successors[n, a, 0]): a for n in range(63) for a in (0, 1)}
    moves = []
    for row in range(train.num_decisions):
        before, node = train.states[row - 1] if row else -1, train.states[row]
        if row in train.starts or row == 0:
            moves.append("start")
        elif before == node:
            moves.append("leave")
        else:
            moves.append(("in", side[node]) if node > before else ("out", side[before]))
    action = [a if a < 2 else "out" for a in train.actions]
    for row in (1, 2, 777, 2001, 3500):
        last = lambda r: (level[r], moves[r], None if moves[r] == "start" else moves[r - 1])  # noqa: E731
        alike = [r for r in range(train.num_decisions) if last(r) == last(row)]
        right = np.mean([action[r] == 1 for r in alike])
        assert shares[row, 1] == pytest.approx(right, abs=1e-6), row


def test_habits_and_places_are_told(done):
    found, _ = done
    assert len(found.tables["habits"]) == 18
    assert all(row["low"] <= row["high"] for row in found.tables["habits"])
    assert [row["node"] for row in found.tables["places"]] == [*range(127)]
    assert [*found.facts["discounts"]] == ["0.5"]
    assert set(found.figures) == {"scores", "halves", "habits", "places"}


def test_models_are_fitted_in_the_world_they_need():
    every = tuple(LABYRINTH_FEATURES)
    table = CountTable(order=2)
    assert Model("t", "table", 2, table).world().history is None
    assert Model("t", "tied table", 2, table).world().num_states == 42
    assert Model("r", "tied reward", 3, table, 0.5, every).world().history.length == 3


def test_strengths_are_chosen_on_the_training_part(parts):
    model = next(m for m in carried(0.0, 3, (1.0, 1e4), 2) if m.name == "habits, no foresight")
    assert fit_and_score(model, *parts).strength == 1.0


def test_what_cannot_be_done_is_refused():
    with pytest.raises(InputError, match="3 nodes or more; got 2"):
        run(Settings(history=2), Effort())
