"""Each group by itself: the same as analysing its part, side by side."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

import inverseq as iq
from inverseq import Demonstrations, InputError, Plan, analyse
from inverseq.analysis.animals import compare_animals
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
        ("herd", PLAN, r"^no column 'herd' .*\['subject', 'trajectory'\]"),
        ("subject", Plan(intentions=2), "told by one reward each; drop intentions"),
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


@pytest.fixture(scope="module")
def cohort():
    """Eight animals on a board; to four of them the last place is worth more."""
    world, parts = iq.worlds.maze(["....", ".#..", "...."]), []
    mdp = replace(world.mdp, discount=0.8)
    for number in range(8):
        group = ("ko", "wt")[number % 2]
        wanted = np.zeros((mdp.num_states, 1))
        wanted[-1] = 2.5 * (group == "wt")
        reward = np.where(mdp.allowed, wanted, 0.0)
        policy = iq.forward.soft_policy_iteration(mdp, reward).policy
        data = iq.forward.simulate(mdp, policy, trajectories=6, steps=30, seed=number)
        names = {"subject": f"m{number}", "genotype": group}
        told = {name: np.repeat(value, 6) for name, value in names.items()}
        told |= {"drug": np.array(["yes", "no"] * 3), "session": np.array([1, 1, 2, 2, 3, 3])}
        parts.append(
            Demonstrations.from_arrays(
                data.states, data.actions, trajectory=data.trajectory_of, trajectories=told
            )
        )
    return iq.concatenate(parts), replace(world, mdp=mdp)


def test_animals_are_compared_and_places_drawn(cohort):
    data, world = cohort
    plan = Plan(bootstrap=0, history=1, folds=2, world=world)
    found = analyse_each(data, plan, "genotype", compare=True).compared
    assert found.differences.design.nested
    last = world.mdp.num_states - 1
    places = found.places.differences
    assert len(places) == world.mdp.num_states
    assert np.argmax([each.difference for each in places]) == last
    assert places[last].clear
    assert all(kind == "elsewhere" for kind, _ in found.names)
    assert {str(verdict) for verdict in found.verdicts} == {"settled by the gauge"}


def test_each_animal_is_compared_with_itself_where_it_was_in_all_groups(cohort):
    data, world = cohort
    found = compare_animals(data, Plan(history=1, solver="iavi", world=world), "drug")
    assert str(found.differences.design.kind) == "within animals"
    assert found.differences.labellings == 2**8
    assert not any(each.clear for each in found.differences.differences)
    assert found.places is None  # rewards of actions


def test_actions_are_compared_where_there_is_no_map(animals):
    known = animals.select(subject=["Ann", "Ben"])
    told = {"subject": np.repeat(list("abcd"), 4), "side": np.repeat(["l", "r"], 8)}
    data = replace(known, trajectories={**known.trajectories, **told})
    found = compare_animals(data, Plan(history=1, solver="iavi"), "side")
    assert {kind for kind, _ in found.names} == {"actions"}


def test_nothing_is_compared_without_animals(cohort):
    data, world = cohort
    columns = {k: v for k, v in data.trajectories.items() if k != "subject"}
    with pytest.raises(InputError, match=r'never over decisions.*subject="COLUMN"'):
        compare_animals(replace(data, trajectories=columns), Plan(world=world), "genotype")


def test_the_command_compares_groups_over_animals(cohort, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    data, _ = cohort
    names = ["subject", "genotype", "session", "trajectory", "state", "action"]
    data.to_pandas()[names].to_csv("t.csv", index=False)
    command = "fit t.csv --groups genotype --bootstrap 0 --history 1 --folds 2"
    assert main(command.split()) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "8 animals (subject) in 2 groups of genotype: 4 ko, 4 wt." in told
    page = (tmp_path / "out/report.html").read_text()
    assert "Do animals of different groups want different things?" in page
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    assert summary["compared"]["animals"] == {"ko": 4, "wt": 4}
    assert summary["compared"]["smallest_p"] == 2 / 70
    with open(tmp_path / "out/tables/differences.csv") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(summary["compared"]["differences"])
    assert main([*command.split(), "--per", "subject"]) == 2
    assert "drop --per" in capsys.readouterr().err
