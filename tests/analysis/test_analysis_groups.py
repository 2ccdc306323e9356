"""Each group by itself: the same as analysing its part, side by side."""

import csv
import json

import numpy as np
import pytest

from inverseq import Demonstrations, InputError, Plan, analyse
from inverseq.analysis.groups import analyse_each
from inverseq.cli import main
from inverseq.reporting.groups import folders_of, rewards_of_groups

PLAN = Plan(bootstrap=0, history=1, folds=2)


@pytest.fixture(scope="module")
def animals():
    """Three animals of eight trajectories, the last of one trajectory only."""
    rng = np.random.default_rng(3)
    states = rng.integers(0, 3, 17 * 12)
    actions = (rng.random(states.size) < np.array([0.2, 0.5, 0.8])[states]).astype(int)
    # Ben is never in the last state.
    states[8 * 12 : 16 * 12] %= 2
    return Demonstrations.from_arrays(
        states,
        actions,
        trajectory=np.arange(states.size) // 12,
        trajectories={"subject": np.array(["Ann"] * 8 + ["Ben"] * 8 + ["Cy"])},
        state_names=("a", "b", "c"),
        source="animals",
    )


@pytest.fixture(scope="module")
def groups(animals):
    return analyse_each(animals, PLAN, "subject")


def test_each_group_is_what_its_part_gives(animals, groups):
    alone = analyse(
        animals.select(subject="Ann"), Plan(bootstrap=0, history=1, folds=2, solver="iavi")
    )
    found = groups.findings["Ann"]
    assert found.row("iavi").score.mean == alone.row("iavi").score.mean
    np.testing.assert_array_equal(found.solution.reward, alone.solution.reward)


def test_what_cannot_be_analysed_is_left_out_and_said(groups):
    assert [*groups.findings] == ["Ann", "Ben"]
    assert "only one trajectory" in groups.failures["Cy"]


def test_rewards_stand_side_by_side_and_are_empty_where_nobody_decided(groups):
    table = rewards_of_groups(groups)
    assert [column.title for column in table.columns] == ["World", "State", "Name", "Ann", "Ben"]
    assert [row[2] for row in table.rows] == ["a", "b", "c"]
    assert all(row[3] is not None for row in table.rows)
    assert [row[4] is None for row in table.rows] == [False, False, True]


@pytest.mark.parametrize(
    ("per", "plan", "words"),
    [
        ("herd", PLAN, r"no such column .*\['subject', 'trajectory'\]"),
        ("subject", Plan(intentions=2), "one reward per group; drop intentions"),
        ("subject", Plan(by="subject"), 'by="trajectory"'),
    ],
)
def test_what_has_no_meaning_is_refused(animals, per, plan, words):
    with pytest.raises(InputError, match=words):
        analyse_each(animals, plan, per)


def test_one_group_is_none(animals):
    with pytest.raises(InputError, match="names 1 groups"):
        analyse_each(animals.select(subject="Ann"), PLAN, "subject")


def test_folders_are_told_apart_whatever_groups_are_called(groups):
    names = ["a/b", "a b", "A_B", "ü", "x"]
    found = dict.fromkeys(names, groups.findings["Ann"])
    made = folders_of(type(groups)("per", "t", found, {}))
    assert len({folder.lower() for folder in made.values()}) == len(names)
    assert all(folder.isascii() and " " not in folder for folder in made.values())


def test_the_command_writes_a_page_and_a_report_of_each(animals, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    animals.to_pandas()[["subject", "trajectory", "step", "state", "action"]].to_csv("t.csv")
    command = "fit t.csv --per subject --bootstrap 0 --history 1 --folds 2 --json"
    assert main(command.split()) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["subject"] for row in told["groups"]] == ["Ann", "Ben"]
    assert "Cy" in told["failures"]
    page = (tmp_path / "out/report.html").read_text()
    assert "Cy is left out: there is only one trajectory" in page
    for row in told["groups"]:
        assert (tmp_path / "out" / row["report"]).is_file()
    with open(tmp_path / "out/tables/rewards_of_groups.csv") as stream:
        assert [row["Ann"] != "" for row in csv.DictReader(stream)] == [True] * 3
