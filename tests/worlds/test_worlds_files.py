"""Mazes from files: every form says the same, and what cannot be used is named with its place."""

import json

import matplotlib.image
import numpy as np
import pytest

from inverseq import MDP, InputError, worlds
from inverseq.worlds.examining import examine

ROWS = ["S.#.", "...A", "##.G"]


def written(tmp_path):
    """The same maze in every form."""
    cells = np.array([[".#SG".find(c) if c != "A" else 0 for c in row] for row in ROWS])
    (tmp_path / "a.txt").write_text("\n".join(ROWS) + "\n")
    (tmp_path / "b.json").write_text(json.dumps({"b": ROWS}))
    np.save(tmp_path / "c.npy", cells)
    np.savez(tmp_path / "d.npz", d=cells)
    colours = np.array([[255, 255, 255], [0, 0, 0], [0, 200, 0], [230, 20, 0]], np.uint8)
    picture = colours[cells].repeat(7, 0).repeat(7, 1)
    matplotlib.image.imsave(tmp_path / "e.png", picture)
    return tmp_path


def test_every_form_of_a_maze_is_the_same_world(tmp_path):
    found = worlds.read_mazes(written(tmp_path), discount=0.8)
    assert [*found] == ["a", "b", "c", "d", "e"]
    same = worlds.maze(ROWS, discount=0.8)
    for name, world in found.items():
        assert world.name == name
        assert world.mdp.reward is None
        np.testing.assert_array_equal(world.mdp.successors, same.mdp.successors)
        np.testing.assert_array_equal(world.mdp.terminal, same.mdp.terminal)
        np.testing.assert_array_equal(world.mdp.initial, same.mdp.initial)
    assert found["a"].drawing.marks["A"] == (same.state_at(3, 1),)


def test_a_file_of_text_holds_several(tmp_path):
    (tmp_path / "m.txt").write_text("[one]\nS.G\n\n[two]\nS..\n.#G\n")
    found = worlds.read_mazes(tmp_path / "m.txt")
    assert {name: world.mdp.num_states for name, world in found.items()} == {"one": 3, "two": 5}


BAD = {
    "a hole": ("m.txt", "[x]\nS..\n.#\n..G\n", r"m.txt, line 3: the row has 2 cells"),
    "an empty line": ("m.txt", "S..\n\n..G\n", r"m.txt, line 2: an empty line inside maze 'm'"),
    "one name twice": (
        "m.txt",
        "[x]\nS.G\n[x]\nS.G\n",
        r"two mazes are called 'x' \(m.txt, line 2 and m.txt, line 4\)",
    ),
    "one name twice in JSON": ("m.json", '{"x": ["SG"], "x": ["SG"]}', "m.json: two mazes"),
    "no way": ("m.json", '{"x": ["S#G"]}', r"m.json, maze 'x': no win can be reached from cell"),
    "a strange sign": ("m.txt", "S.G\n.?.\n", r"m.txt, maze 'm' \(from line 1\): row 2, column 2"),
    "a hole in JSON": ("m.json", '{"x": ["S..", "G"]}', "row 2 of maze 'x': the row has 1 cells"),
    "no rows": ("m.json", '{"x": 3}', "maze 'x': rows are texts"),
    "no JSON": ("m.json", "{", "m.json cannot be read"),
    "nothing": ("m.txt", "\n", "m.txt holds no maze"),
    "another kind": ("m.doc", "S.G", "m.doc is no kind of file that holds mazes"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_used_is_named(tmp_path, case):
    name, text, words = BAD[case]
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words):
        worlds.read_mazes(tmp_path / name)


@pytest.mark.parametrize("name", ["a.npy", "a.npz"])
@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more"])
def test_an_archive_that_is_empty_or_broken_is_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name} cannot be read"):
        worlds.read_mazes(tmp_path / name)


def test_a_mark_of_the_byte_order_is_no_cell(tmp_path):
    (tmp_path / "m.txt").write_text("S.G\n", encoding="utf-8-sig")
    (tmp_path / "n.json").write_text('{"n": ["S.G"]}', encoding="utf-8-sig")
    assert {w.mdp.num_states for w in worlds.read_mazes(tmp_path).values()} == {3}


def test_a_name_that_two_files_share_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("S.G\n")
    (tmp_path / "a.json").write_text('{"a": ["S.G"]}')
    with pytest.raises(InputError, match=r"two mazes are called 'a' \(a.json and a.txt, line 1\)"):
        worlds.read_mazes(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="folder none holds no maze"):
        worlds.read_mazes(tmp_path / "none")


@pytest.mark.parametrize("values", [np.zeros(3, int), np.full((2, 2), 7), np.zeros((2, 2))])
def test_an_array_of_something_else_is_refused(tmp_path, values):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(InputError, match="an array has two axes"):
        worlds.read_mazes(tmp_path / "a.npy")


def test_a_picture_without_cells_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 2, (211, 223, 1)).repeat(3, 2)
    matplotlib.image.imsave(tmp_path / "a.png", (255 * noise).astype(np.uint8))
    with pytest.raises(InputError, match="its edges are no cells"):
        worlds.read_mazes(tmp_path / "a.png")


def test_a_maze_is_examined():
    found = examine(worlds.maze(["S.#.", "...#", "##.G"]).mdp)
    assert (found.states, found.actions, found.ends.size) == (8, 4, 1)
    assert found.unreachable.tolist() == found.endless.tolist() == [2]
    assert found.closed.tolist() == [2]
    assert len(found.duplicates) == 0


def test_actions_that_lead_to_the_same_are_found():
    table = {"state": [0, 0, 1, 2], "action": [0, 1, 0, 0], "next_state": [1, 1, 0, 2]}
    mdp = MDP.from_table({**table, "probability": [1.0] * 4}, discount=0.9)
    found = examine(mdp)
    assert found.duplicates.tolist() == [[0, 0, 1]]
    assert found.closed.tolist() == [2]
    assert found.unreachable.size == found.ends.size == found.endless.size == 0
