import os
import subprocess
import sys

import pytest

from inverseq import __version__

COMMANDS = ("fit", "compare", "doctor", "study", "play", "datasets")


def test_help_names_every_command_and_shows_first_steps(inside):
    code, out, err = inside("--help")
    assert (code, err) == (0, "")
    for command in COMMANDS:
        assert f"\n  {command} " in out
    assert "inverseq fit mice --out out/mice" in out


def test_nothing_shows_help_and_says_that_something_is_missing(inside):
    code, out, _ = inside()
    assert code == 2
    assert out.startswith("usage: inverseq")


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(inside, command):
    code, out, _ = inside(command, "--help")
    assert code == 0
    assert f"usage: inverseq {command}" in out
    assert "--json" in out


def test_fit_teaches_what_each_model_is(inside):
    _, out, _ = inside("fit", "--help")
    for word in ("IAVI", "MaxEnt", "uniform", "back-off", "inverseq fit mine.csv", "Exit code"):
        assert word in out


def test_version(inside):
    assert inside("--version") == (0, f"inverseq {__version__}\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fot"], "there is no command 'fot'"),
        (["doctor", "nothing.csv"], "there is no file 'nothing.csv', and no data set"),
        (["fit", "mice", "--state", "node"], "columns of the data set 'mice' are known"),
        (["fit", "mice", "--world", "estimated"], "leave --world out"),
    ],
)
def test_a_wrong_word_is_one_line_and_exit_2(inside, arguments, words):
    code, out, err = inside(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("inverseq: error: ")
    assert err.count("\n") == 1
    assert words in err


@pytest.mark.parametrize(
    "arguments", [["fit"], ["fit", "mice", "--bootstrap", "many"], ["fit", "--no"]]
)
def test_arguments_that_cannot_be_understood_are_exit_2(inside, arguments):
    code, _, err = inside(*arguments)
    assert code == 2
    assert "Traceback" not in err


def test_help_loads_nothing_heavy_and_comes_at_once():
    code = (
        "import sys; from inverseq.cli import main; main(['--help']); "
        "heavy = {'numpy', 'scipy', 'jax', 'matplotlib', 'duckdb'} & set(sys.modules); "
        "sys.exit(f'loaded {heavy}' if heavy else 0)"
    )
    began = _seconds_of_children()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert _seconds_of_children() - began < 1.0


def _seconds_of_children():
    """CPU time of the processes that were started here and have ended."""
    used = os.times()
    return used.children_user + used.children_system


def test_a_reader_that_goes_away_is_no_error_of_ours():
    program = f"{sys.executable} -m inverseq.cli datasets | head -n 1"
    done = subprocess.run(program, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("bandit")
    assert done.stderr == ""


def test_data_sets_are_listed_with_sources_and_licences(inside):
    code, out, _ = inside("datasets")
    assert code == 0
    for word in ("mice", "people", "bandit", "MIT", "Rosenberg", "119,000 decisions"):
        assert word in out
