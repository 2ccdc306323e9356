"""`inverseq worlds`, and mazes beside a table of positions."""

import json

import pytest

from inverseq.cli import main

MAZES = "[one]\nS.#.\n...A\n##.G\n[two]\nS...\n.#.G\n"
WALKS = """world,trajectory,x,y
one,1,0,0
one,1,0,1
one,1,1,1
one,1,2,1
one,1,2,2
one,1,3,2
two,2,0,0
two,2,1,0
two,2,2,0
two,2,2,1
two,2,3,1
"""


@pytest.fixture
def typed(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mazes.txt").write_text(MAZES)
    (tmp_path / "walks.csv").write_text(WALKS)

    def call(command):
        code = main(command.split())
        told = capsys.readouterr()
        return code, told.out, told.err

    return call


def test_worlds_are_drawn_and_examined(typed, tmp_path):
    code, out, _ = typed("worlds check mazes.txt --out w")
    assert code == 0
    assert "one: 9 states, 4 actions, 32 pairs that exist, 1 end(s)" in out
    assert (tmp_path / "w" / "one.png").read_bytes()[:4] == b"\x89PNG"
    (tmp_path / "net.csv").write_text(
        "state,action,next_state,probability\na,x,b,1\na,y,b,1\nb,x,b,1\nc,x,a,1\nc,y,d,1\n"
    )
    code, out, _ = typed("worlds check net.csv --json")
    assert code == 2
    found = json.loads(out)["worlds"]["net"]
    assert (found["closed"], found["endless"], found["ends"]) == (["b"], ["a", "b"], ["d"])
    assert found["duplicate_actions"] == [[0, 0, 1]]


def test_positions_are_placed_and_read_back(typed, tmp_path):
    where = "--world mazes.txt --state x,y --action moves"
    code, out, _ = typed(f"worlds place walks.csv {where} --out placed.csv")
    assert (code, "9 decisions in 2 trajectories, 2 of which end" in out) == (0, True)
    code, out, _ = typed("doctor placed.csv --world mazes.txt --json")
    known = json.loads(out)["facts"]
    assert (code, known["decisions"], known["terminated"]) == (0, 9, 2)
    code, out, _ = typed(f"doctor walks.csv {where} --json")
    assert json.loads(out)["facts"] == known


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("worlds place walks.csv --state x,y --out a.csv", "needs a file or folder of mazes"),
        ("worlds place walks.csv --state x,y --world mazes.txt", "say where with --out"),
        ("worlds check none.txt", "there is no such file"),
        ("doctor walks.csv --state x,y --action moves --upwards --world mazes.txt", "--upwards"),
    ],
)
def test_what_cannot_be_done_is_said(typed, command, words):
    code, _, err = typed(command)
    assert (code, words in err, err.count("\n")) == (2, True, 1)
