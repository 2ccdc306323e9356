"""The part "mice", small: contexts by hand, names only where the numbers say so, whole tables."""

import numpy as np
import pytest
from study_form import has_the_form

from inverseq.datasets import mice
from inverseq.studies.intentions.mice_models import (
    AGAINST,
    KS,
    LAWS,
    Memory,
    grid,
    habit_of,
    with_contexts,
)
from inverseq.studies.intentions.mice_readable import names_of
from inverseq.worlds import labyrinth


@pytest.fixture(scope="module")
def part(small):
    return small("intentions", "mice")[0].results["mice"]


@pytest.fixture(scope="module")
def decisions():
    return with_contexts(mice().demonstrations.take(range(6)), labyrinth())


def test_it_has_the_form_of_all_studies(small):
    has_the_form(small, "intentions", "mice")


def test_time_since_water_by_hand(decisions):
    water = labyrinth().drawing.marks["water"][0]
    for trajectory in range(6):
        rows = np.flatnonzero(decisions.trajectory_of == trajectory)
        last = rows[0]
        for row in rows:
            last = row if decisions.states[row] == water else last
            assert decisions.decisions["since water"][row] == int(np.log2(1 + row - last))


def test_grid_holds_every_number_law_and_history():
    cells = [c for c in grid(small=False) if c.solver == "IAVI"]
    assert {(c.k, c.law, c.history) for c in cells if c.k > 1} == {
        (k, law, history) for k in KS[1:] for law in LAWS for history in (1, 2, 3)
    }
    assert sum(c.k == 1 for c in cells) == 3  # one intention needs no law


def test_a_habit_remembers_no_more_than_it_is_said_to():
    short, long = habit_of(Memory(2, 2), 3.0), habit_of(Memory(6, 5), 3.0)
    assert short.columns == ("moves 0", "moves 1", "moves 2", "nodes 1", "nodes 2")
    assert {*short.columns} < {*long.columns}
    assert {*long.columns} - {*short.columns} == {
        *(f"moves {m}" for m in (3, 4, 5, 6)),
        *(f"nodes {n}" for n in (3, 4, 5)),
    }


def test_names_need_numbers():
    clear = {
        "to_water": np.array([0.03, 0.01, 0.005]),
        "to_home": np.array([0.06, 0.02, 0.005]),
        "long_unseen": np.array([0.2, 0.35, 0.05]),
    }
    assert names_of(clear) == ("ports", "explore", "patrol")
    alike = {name: np.full(3, 0.1) for name in clear}
    assert names_of(alike) == ("intention 1", "intention 2", "intention 3")


def test_every_model_is_compared_with_the_yardsticks(part):
    rows = part.tables["scores"]
    kinds = {row["kind"] for row in rows}
    assert kinds == {"table", "tied table", "habit", "intentions", "above a habit"}
    own = {row["model"]: row for row in rows}
    for name in AGAINST:
        assert own[name][f"over {name}"] == 0.0
        for row in rows:
            gap = row["test"] - own[name]["test"]
            assert row[f"over {name}"] == pytest.approx(gap, abs=2e-4)


def test_readable_intentions_are_described(part):
    rows = part.tables["readable"]
    assert sum(row["share"] for row in rows) == pytest.approx(1.0, abs=2e-3)
    assert all(0 <= row["to_ends"] <= 1 and row["lasts"] >= 1 for row in rows)
    names = [row["intention"] for row in rows]
    for line in part.tables["weights"]:  # less their mean
        assert sum(line[name] for name in names) == pytest.approx(0.0, abs=2e-3)
    assert set(part.figures) == {"scores", "grid", "rewards", "session"}
    assert len(part.sentences) == 3 + len(rows)
