"""The processes beside the server: what they refuse, and that a mistake of theirs is told."""

import json

import pytest

from inverseq.app.asked import SETTINGS, arguments_of
from inverseq.app.fits import State
from inverseq.app.project import opened
from inverseq.cli import desk, main, worker


@pytest.fixture
def project(tmp_path):
    with opened(tmp_path / "mine") as project:
        yield project


@pytest.fixture
def typed(monkeypatch):
    """What was typed, in place of doing it."""
    made = []
    monkeypatch.setattr(worker, "main", lambda arguments: made.append(arguments) or 0)
    monkeypatch.setattr(worker.os, "chdir", lambda _: None)
    monkeypatch.setattr(worker.sys, "argv", [])
    return made


def test_what_the_pages_ask_for_is_run(project, typed):
    (project.root / "tables" / "a.csv").write_text("state,action\n0,0\n")
    (project.root / "worlds" / "w.json").write_text("{}")
    read = {"state": "--out", "missing": "-1", "upwards": "yes", "world": "worlds/w.json"}
    for command, asked in (("fit", {"groups": "a b"}), ("neural", {"seed": "3"})):
        number = project.fits.ask(
            arguments_of(command, "tables/a.csv", read, asked), "fits", "kept"
        )
        assert worker.work(project, number) == 0
        fit = project.fits.get(number)
        assert (fit.state, typed[-1]) == (State.DONE, fit.arguments)


@pytest.mark.parametrize(
    ("arguments", "keep", "out"),
    [
        (["fit", "mice", "--cluster", "tcp://evil.example:8786"], "kept", "fits"),
        (["fit", "../a.csv"], "kept", "fits"),
        (["fit", "mice", "--world", "/etc/passwd"], "kept", "fits"),
        (["study", "mice"], "kept", "fits"),
        (["fit", "mice"], "../kept", "fits"),
        (["fit", "mice"], "kept", "../fits"),
        (["fit"], "kept", "fits"),
        ([], "kept", "fits"),
    ],
)
def test_a_list_from_elsewhere_runs_nothing_that_the_pages_do_not_ask(
    project, typed, arguments, keep, out
):
    number = project.fits.ask(arguments, out, keep)
    assert worker.work(project, number) != 0
    fit = project.fits.get(number)
    assert (fit.state, "is nothing that this app asks for" in fit.told) == (State.FAILED, True)
    assert typed == []


def test_a_mistake_is_told_and_the_next_question_answered(project, monkeypatch, capsys):
    monkeypatch.setattr(desk, "look_at", lambda *_: {}["mistake"])
    monkeypatch.setattr(desk.os, "chdir", lambda _: None)
    questions = [{"do": "rows", "table": "mice", "decisions": ""}]
    questions += [{"do": "walk", "fit": 9, "begins": 0}]
    monkeypatch.setattr(desk.sys, "stdin", map(json.dumps, questions))
    desk.serve(project)
    _, first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert "made a mistake (KeyError: 'mistake')" in first["error"]
    assert "no solution" in second["error"]


def test_a_remedy_is_a_button_only_where_the_page_can_take_it():
    spelling = desk._Spelling()
    told = [spelling("decisions", "trials"), spelling("cluster", "a:1"), spelling("blocks", 5)]
    options = [each["option"] for each in spelling.remedies(" ".join(told))]
    assert options == ["blocks", "decisions"]
    assert {*options} <= {*SETTINGS}


@pytest.mark.parametrize("limit", ["0", "nan", "inf"])
def test_a_limit_that_is_none_is_refused(limit, tmp_path, capsys):
    assert main(["app", str(tmp_path), "--limit", limit, "--no-browser", "--port", "0"]) == 2
    assert "--limit must be a number of gigabytes" in capsys.readouterr().err
