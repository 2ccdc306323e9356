"""Worlds of states and ways: from the canvas to files that the command line takes, and back."""

import asyncio
import json
from types import SimpleNamespace

import numpy as np
import pytest

from inverseq import InputError
from inverseq.app.api import Api
from inverseq.app.networks import as_json, as_tables, drawn, from_tables
from inverseq.app.project import opened
from inverseq.cli import desk, main
from inverseq.readers.world import read_world

STATES = [{"name": n, "x": x, "y": 2} for n, x in (("home", 1), ("fork, left", 5.5), ("food", 9))]
WAYS = [
    {"from": "home", "action": "go", "to": "fork, left", "weight": 1},
    {"from": "fork, left", "action": "go", "to": "food", "weight": 3},
    {"from": "fork, left", "action": "go", "to": "home", "weight": 1},
    {"from": "fork, left", "action": "back", "to": "home", "weight": 2},
]
DRAWN = {"states": STATES, "ways": WAYS}


@pytest.fixture
def project(tmp_path):
    with opened(tmp_path / "mine") as project:
        yield project


def saved(project):
    """The two files of the world."""
    for name, text in zip(("net", "net-places"), as_tables(drawn(DRAWN)), strict=True):
        (project.root / "worlds" / f"{name}.csv").write_text(text)
    return project.root / "worlds" / "net.csv"


def test_what_is_drawn_is_the_world_that_is_read(project):
    path = saved(project)
    world = read_world(path, discount=0.9, places=path.with_name("net-places.csv"))
    order = [world.state_names.index(each["name"]) for each in STATES]
    act = [world.action_names.index(name) for name in ("go", "back")]
    full = world.transition_matrix.toarray().reshape(3, 2, 3)[np.ix_(order, act, order)]
    np.testing.assert_allclose(full[0], [[0, 1, 0], [0, 0, 0]])
    np.testing.assert_allclose(full[1], [[0.25, 0, 0.75], [1, 0, 0]])
    assert world.terminal[order].tolist() == [False, False, True]
    assert world.coordinates[order].tolist() == [[1, 2], [5.5, 2], [9, 2]]
    assert drawn(as_json(from_tables(path))) == from_tables(path)
    assert [*from_tables(path).states] == [each["name"] for each in STATES]
    assert project.worlds() == ["worlds/net.csv"]
    assert project.places_of("worlds/net.csv") == "worlds/net-places.csv"
    assert project.places_of("worlds/other.csv") == project.places_of("labyrinth") == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"states": STATES[:1]}, "a world has two states"),
        ({"ways": []}, "a way between them"),
        ({"states": [*STATES, STATES[0] | {"name": "lone"}]}, "no way leads to 'lone'"),
        ({"states": [*STATES, STATES[0]]}, "two states are called 'home'"),
        ({"states": [*STATES, STATES[0] | {"name": "=1+1"}]}, "for a formula"),
        ({"states": [*STATES, STATES[0] | {"name": "a\nb"}]}, "names have 1 to 60 letters"),
        ({"states": [*STATES, STATES[0] | {"name": 3}]}, "names have 1 to 60 letters"),
        ({"states": [*STATES, {"name": "x"}]}, "do not understand each other"),
        ({"states": [*STATES, {"name": "x", "x": 1e999, "y": 0}]}, "do not understand each other"),
        ({"ways": [*WAYS, WAYS[0] | {"to": "nowhere"}]}, "'nowhere', which is no state"),
        ({"ways": [*WAYS, WAYS[0]]}, "'go' leads from 'home' to 'fork, left' twice"),
        ({"ways": [WAYS[0] | {"weight": 0}]}, "is a number above 0"),
        ({"ways": [WAYS[0] | {"weight": float("nan")}]}, "is a number above 0"),
        ({"states": [{"name": f"s{i}", "x": 0, "y": 0} for i in range(301)]}, "too many to draw"),
    ],
)
def test_what_is_no_network_is_refused(change, words):
    with pytest.raises(InputError, match=words):
        drawn(DRAWN | change)


@pytest.mark.parametrize("text", ["", "a,b\n", "state,action,next_state,probability\nx\n"])
def test_a_table_that_was_not_drawn_here_is_not_changed_here(project, text):
    path = saved(project)
    path.write_text(text)
    with pytest.raises(InputError, match=r"net\.csv was not drawn here"):
        from_tables(path)


def test_states_of_a_table_are_laid_drawn_and_understood_by_the_command_line(
    project, capsys, monkeypatch
):
    rng, lines = np.random.default_rng(0), ["mouse,walk,state,action"]
    for walk in range(8):
        at = "home"
        while at != "food":
            act = "back" if at != "home" and rng.random() < 0.3 else "go"
            lines.append(f"m,{walk},{at},{act}")
            at = {"home": "fork", "fork": "home" if act == "back" else "food"}[at]
        lines.append(f"m,{walk},food,")
    (project.root / "tables" / "a.csv").write_text("\n".join(lines))
    monkeypatch.chdir(project.root)
    asked = desk.Desk(project)
    told = asked.answer({"do": "states", "table": "tables/a.csv", "options": {}})
    assert {each["name"] for each in told["states"]} == {"home", "fork", "food"}
    ways = {(w["from"], w["action"], w["to"]): w["weight"] for w in told["ways"]}
    assert ways.keys() == {("home", "go", "fork"), ("fork", "go", "food"), ("fork", "back", "home")}
    assert ways["fork", "go", "food"] == 8
    places = [{"name": s["name"], "x": i, "y": 0} for i, s in enumerate(told["states"])]
    for name, text in zip("wp", as_tables(drawn(told | {"states": places})), strict=True):
        (project.root / f"{name}.csv").write_text(text)
    said = asked.answer({"do": "network", "path": "w.csv", "places": "p.csv", "name": "w"})
    assert said["told"][0].startswith("w: 3 states, 2 actions, 3 pairs that exist, 1 end(s)")
    command = ["doctor", "tables/a.csv", "--world", "w.csv", "--places", "p.csv", "--json"]
    assert main(command) == 0
    facts = json.loads(capsys.readouterr().out)["facts"]
    assert (facts["states"], facts["pairs"]) == (3, 3)
    mice = asked.answer({"do": "states", "table": "mice", "options": {}})
    assert "the world of a bundled set is known" in mice["error"]


def test_what_is_wrong_with_a_drawn_world_names_the_world_not_a_file_in_passing(project):
    async def ask(**question):
        return {"error": f"{question['path']}, row 2: no. {question['places']} has none"}

    api = Api.__new__(Api)
    api._office = SimpleNamespace(project=project, tables=SimpleNamespace(ask=ask))
    with pytest.raises(InputError) as raised:
        asyncio.run(api._save_network(DRAWN | {"name": "net"}))
    assert str(raised.value) == "worlds/net.csv, row 2: no. worlds/net-places.csv has none"
    assert project.worlds() == []
