"""The bundled data are what their sources say, fit their worlds, and need nothing outside."""

import subprocess
import sys
from importlib.resources import files

import numpy as np
import pytest

from inverseq import datasets
from inverseq._core.errors import InputError
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.mdp import MDP, unite


@pytest.fixture(scope="module", params=datasets.names())
def dataset(request):
    return datasets.load(request.param)


def test_every_row_fits_its_world(dataset):
    worlds = dataset.mdp
    mdp = worlds if isinstance(worlds, MDP) else unite(worlds)
    demos = dataset.demonstrations
    counted = count(demos, mdp)
    assert counted.state_action.sum() == (demos.actions >= 0).sum()
    if dataset.worlds:
        count(demos, mdp.with_history(2))  # no step is impossible


def test_a_data_set_says_where_it_comes_from(dataset):
    for text in (dataset.title, dataset.description, dataset.source, dataset.citation):
        assert len(text) > 10
    assert dataset.licence == "MIT"
    told = (files("inverseq.datasets") / "data" / "SOURCES.md").read_text(encoding="utf-8")
    assert f"(`{dataset.name}`)" in told
    assert "Permission is hereby granted" in told


def test_a_published_split_has_both_parts(dataset):
    if dataset.split is None:
        return
    parts = dataset.demonstrations.trajectories[dataset.split]
    assert set(parts.tolist()) == {"train", "test"}


def test_every_bundled_file_is_told_of_and_all_are_small():
    folder = files("inverseq.datasets") / "data"
    told = (folder / "SOURCES.md").read_text(encoding="utf-8")
    sizes = {f.name: len(f.read_bytes()) for f in folder.iterdir() if f.name != "SOURCES.md"}
    assert all(name in told for name in sizes)
    assert sum(sizes.values()) < 1_200_000


def test_unknown_names_are_refused_with_a_hint():
    with pytest.raises(InputError, match=r"no data set 'Mice'; there are .* Did you mean 'mice'"):
        datasets.load("Mice")


def shares(demos: Demonstrations, actions: int) -> np.ndarray:
    """p(a | s) with 0.5 added."""
    table = np.full((demos.num_states, actions), 0.5)
    acted = demos.actions >= 0
    np.add.at(table, (demos.states[acted], demos.actions[acted]), 1)
    return table / table.sum(1, keepdims=True)


def test_the_mice_have_the_published_sizes_and_scores():
    mice = datasets.mice()
    demos, mdp = mice.demonstrations, mice.mdp
    assert (demos.num_decisions, demos.num_trajectories) == (119_000, 238)
    assert set(np.diff(demos.starts)) == {500}
    assert (mdp.num_states, mdp.num_actions) == (127, 4)
    assert demos.action_names == mdp.action_names
    test = demos.select(split="test")
    every_fifth = demos.trajectories["trajectory"][demos.trajectories["split"] == "test"]
    assert every_fifth.tolist() == [*range(0, 238, 5)]
    scored = test.step >= mice.score_from_step
    assert scored.sum() == 23_952
    s, a = test.states[scored], test.actions[scored]
    np.testing.assert_allclose((mdp.allowed[s].sum(1) == 1).mean(), 0.162, atol=5e-4)
    np.testing.assert_allclose(np.log(mdp.allowed[s].sum(1)).mean(), 0.921, atol=5e-4)
    policy = shares(demos.select(split="train"), 4) * mdp.allowed
    policy /= policy.sum(1, keepdims=True)
    np.testing.assert_allclose(np.log(policy[s, a]).mean(), -0.874, atol=1e-3)


def test_each_step_of_the_mice_is_the_one_their_action_leads_to():
    mice = datasets.mice()
    demos, mdp = mice.demonstrations, mice.mdp
    assert (mdp.successors[demos.states, demos.actions, 0] == demos.next_states).all()
    assert (demos.next_states >= 0).all()


def test_the_people_have_the_published_sizes_and_all_arrive():
    people = datasets.people()
    demos = people.demonstrations
    assert (demos.num_decisions, demos.num_trajectories) == (46_437, 1_907)
    assert np.unique(demos.trajectories["subject"]).size == 161
    assert set(demos.trajectories["world"]) == {*people.worlds} == {*people.mdp}
    assert len(people.worlds) == 12
    assert (demos.endings[demos.starts[1:] - 1] == Ending.TERMINATED).all()
    np.testing.assert_allclose((demos.states == demos.next_states).mean(), 0.052, atol=5e-4)


def test_people_walk_from_start_to_goal_as_their_keys_say():
    people = datasets.people()
    demos = people.demonstrations
    step = {"up": (0, -1), "right": (1, 0), "down": (0, 1), "left": (-1, 0)}
    moves = np.array([step[name] for name in demos.action_names])
    for name, world in people.worlds.items():
        here = demos.select(world=name)
        marks = world.drawing.marks
        assert set(here.states[here.starts[:-1]]) == {*marks["start"]}
        assert set(here.next_states[here.starts[1:] - 1]) == {*marks["goal"]}
        at = world.mdp.coordinates
        wanted = at[here.states] + moves[here.actions]
        moved = here.states != here.next_states
        np.testing.assert_array_equal(at[here.next_states][moved], wanted[moved])
        inside = ((wanted >= 0) & (wanted < 11)).all(1) & ~moved
        x, y = wanted[inside].astype(int).T
        assert world.drawing.blocked[y, x].all()


def test_the_bandit_has_the_published_sizes_and_score():
    bandit = datasets.bandit()
    demos = bandit.demonstrations
    assert (demos.num_decisions, (demos.actions >= 0).sum()) == (4_032, 3_363)
    assert np.unique(demos.trajectories["subject"]).size == 7
    train, test = demos.select(split="train"), demos.select(split="test")
    acted = test.actions >= 0
    assert acted.sum() == 669
    policy = shares(train, 2)
    score = np.log(policy[test.states[acted], test.actions[acted]]).mean()
    np.testing.assert_allclose(score, -0.393, atol=1e-3)


def test_the_bandits_test_part_goes_on_where_its_training_part_ends():
    demos = datasets.bandit().demonstrations
    ends = demos.starts[1:-1:2]
    assert (demos.states[ends] == demos.next_states[ends - 1]).all()
    assert "start" not in {demos.state_names[s] for s in demos.states[ends]}


def test_the_bandits_world_remembers_the_choice_made():
    mdp = datasets.bandit().mdp
    assert isinstance(mdp, MDP)
    names = mdp.state_names
    for s, a, b in np.argwhere(mdp.probabilities > 0):
        assert names[mdp.successors[s, a, b]].startswith(f"{a}|")


def test_nothing_outside_is_asked_for():
    """Loading works with every door to a network shut."""
    code = """
import socket
from inverseq import datasets
def shut(*args, **kwargs):
    raise OSError("no network here")
socket.socket = socket.create_connection = socket.getaddrinfo = shut
print(sum(datasets.load(name).demonstrations.num_decisions for name in datasets.names()))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == str(119_000 + 46_437 + 4_032 + 250_000 + 47_700 + 1_842), (
        done.stderr
    )
