"""Odd terminals, encodings and surroundings: what can be done is done, in silence if asked."""

import os
import subprocess
import sys

import pytest
from often import chance, times

HEAD = "state,action,mouse\n"
ROWS = "".join(f"größe{i % 3},läuft{i % 2},α{i // 8}\n" for i in range(48))

ENVIRONMENTS = {
    "plain": {},
    "cp1252": {"PYTHONIOENCODING": "cp1252"},
    "ascii": {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
    "posix": {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "narrow": {"COLUMNS": "40", "TERM": "xterm-256color", "FORCE_COLOR": "1"},
    "dumb": {"TERM": "dumb", "NO_COLOR": "1"},
    "no such backend": {"MPLBACKEND": "nope"},
    "no home": {"HOME": "/nonexistent", "MPLCONFIGDIR": "/nonexistent/mpl"},
}
VALUES = {
    "PYTHONIOENCODING": ("cp1252", "ascii", "utf-8", "latin-1", "cp437"),
    "PYTHONUTF8": ("0", "1"),
    "LC_ALL": ("POSIX", "C.UTF-8", "de_DE@euro", "nowhere"),
    "LANG": ("", "tr_TR.UTF-8"),
    "COLUMNS": ("40", "1", "0", "-3", "wide", "9999"),
    "TERM": ("dumb", "", "xterm-256color", "unknown"),
    "FORCE_COLOR": ("1", ""),
    "NO_COLOR": ("1", ""),
    "MPLBACKEND": ("nope", "TkAgg"),
    "HOME": ("/nonexistent", "", "relative"),
    "TZ": ("Nowhere/Town", "Asia/Kathmandu"),
    "PYTHONHASHSEED": ("0", "7"),
    "PYTHONWARNINGS": ("error", "default"),
    "PYTHONOPTIMIZE": ("2",),
    "OMP_NUM_THREADS": ("0", "3"),
    "DISPLAY": (":99",),
}


def surroundings(number):
    """Some variables, each with one of its values."""
    rng = chance(3, number)
    names = rng.choice([*VALUES], rng.integers(1, 7), replace=False)
    return {name: VALUES[name][rng.integers(len(VALUES[name]))] for name in names}


def run(folder, *arguments, close_errors=False, **environment):
    """The program on a table with names beyond ASCII."""
    (folder / "t.csv").write_text(HEAD + ROWS, encoding="utf-8")
    command = [sys.executable, "-m", "inverseq.cli", *arguments]
    if close_errors:
        command = ["sh", "-c", '"$@" 2>&-', "sh", *command]
    return subprocess.run(
        command, cwd=folder, capture_output=True, env={**os.environ, **environment}, check=False
    )


@pytest.mark.parametrize(
    "environment", [*ENVIRONMENTS.values(), *map(surroundings, range(times(1, 50)))]
)
def test_a_run_ends_well_wherever_its_words_go(tmp_path, environment):
    done = run(tmp_path, "doctor", "t.csv", **environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert b"Traceback" not in done.stderr + done.stdout


def test_a_report_is_written_where_only_ascii_can_be_said(tmp_path):
    done = run(
        tmp_path,
        *("fit", "t.csv", "--out", "o", "--bootstrap", "0", "--history", "1"),
        **ENVIRONMENTS["ascii"],
        MPLBACKEND="nope",
    )
    assert done.returncode == 0, done.stderr
    tables = (tmp_path / "o" / "tables").glob("*.csv")
    assert any("größe1" in table.read_text(encoding="utf-8") for table in tables)


def test_quiet_is_quiet(tmp_path):
    code = (
        "import sys, warnings\n"
        "from inverseq import cli, doctor\n"
        "import inverseq.cli.doctor as command\n"
        "before = command.run\n"
        "def run(options):\n"
        "    warnings.warn('overflow', RuntimeWarning)\n"
        "    return before(options)\n"
        "command.run = run\n"
        "sys.exit(cli.main(['doctor', 't.csv', '--quiet']))\n"
    )
    (tmp_path / "t.csv").write_text(HEAD + ROWS, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_errors_never_go_to_the_output(tmp_path):
    done = run(tmp_path, "doctor", "absent.csv", close_errors=True)
    assert (done.returncode, done.stdout) == (2, b"")


def test_lines_are_no_wider_than_the_terminal(tmp_path):
    done = run(tmp_path, "doctor", "t.csv", COLUMNS="40", PYTHONUTF8="1")
    assert max(map(len, done.stdout.decode().splitlines())) <= 40
