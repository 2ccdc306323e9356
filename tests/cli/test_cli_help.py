"""Help for people, and completions for shells."""

import json
import shutil
import subprocess
import sys

import pytest

from inverseq import datasets
from inverseq.cli import _COMMANDS
from inverseq.studies import STUDIES

ASKED = [[], *([name] for name in _COMMANDS), *(["study", study.name] for study in STUDIES)]


@pytest.mark.parametrize("command", ASKED, ids=" ".join)
def test_help_fits_into_80_columns_and_offers_no_none(command, inside, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = inside(*command, "--help")
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if len(line) > 80] == []
    assert "None" not in out
    assert "usage: inverseq" in out


@pytest.mark.parametrize("command", [[], ["fit"], ["show"], ["study"], ["study", "mice"]])
def test_on_a_narrow_terminal_help_and_errors_fit_into_40_columns(command, inside, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    code, out, err = inside(*command, "--help")
    assert (code, err) == (0, "")
    assert [line for line in out.splitlines() if len(line) > 40] == []
    code, _, err = inside("fit", "no such file.csv")
    assert code == 2
    assert "spontaneous" in err
    assert [line for line in err.splitlines() if len(line) > 40] == []


def test_the_overview_and_that_of_studies_list_all(inside):
    out = inside("--help")[1]
    assert [name for name in _COMMANDS if f"\n  {name} " not in out] == []
    out = inside("study", "--help")[1]
    assert [study.name for study in STUDIES if f"\n  {study.name} " not in out] == []


def test_a_choice_that_is_none_is_refused(inside):
    for command in (["fit", "x.csv", "--gauge"], ["compare", "x.csv", "--solver"]):
        code, _, err = inside(*command, "None")
        assert code == 2
        assert "invalid choice" in err


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["inverseq", ""], {"fit", "show", "study", "datasets"}),
        (["inverseq", "study", ""], {"lecture", "gridworld"}),
        (["inverseq", "fit", "--boot"], {"--bootstrap"}),
        (["inverseq", "study", "gridworld", "--ga"], {"--games"}),
        (["inverseq", "fit", "--gauge", ""], {"zero-mean", "anchor"}),
    ],
)
def test_bash_completes_commands_studies_options_and_choices(words, wanted, completions):
    told = " ".join(f"'{word}'" for word in words)
    script = f"{completions}\nCOMP_WORDS=({told})\nCOMP_CWORD={len(words) - 1}\n_tyro_inverseq\n"
    done = subprocess.run(
        ["bash", "-c", script + 'printf "%s\\n" "${COMPREPLY[@]}"'],
        capture_output=True,
        text=True,
        check=True,
    )
    found = set(done.stdout.split())
    assert wanted <= found
    assert "None" not in found


@pytest.fixture(scope="module")
def completions():
    assert shutil.which("bash")
    program = ["-m", "inverseq.cli", "--completion", "bash"]
    return subprocess.run(
        [sys.executable, *program], capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("shell", [[], ["tcsh"]])
def test_other_shells_are_told_which_there_are(shell, inside):
    code, out, err = inside("--completion", *shell)
    assert (code, out) == (2, "")
    assert "--completion takes one of bash, zsh, fish" in err


def test_data_sets_are_listed_without_the_package_that_one_of_them_needs(inside, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynwb", None)
    code, out, _ = inside("datasets")
    assert code == 0
    assert 'lever: NWB files need PyNWB: pip install "inverseq[nwb]"' in out
    assert "mice" in out
    told = {each["name"]: each for each in json.loads(inside("datasets", "--json")[1])}
    assert {*told} == {*datasets.names()}
    assert "pip install" in told["lever"]["error"]


def test_all_data_sets_are_listed_whole(inside, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    out = " ".join(inside("datasets")[1].split())
    told = json.loads(inside("datasets", "--json")[1])
    assert [each["name"] for each in told] == [*datasets.names()]
    for each in told:
        for name in ("name", "title", "description", "source", "licence", "citation"):
            assert " ".join(str(each[name]).split()) in out, (each["name"], name)
