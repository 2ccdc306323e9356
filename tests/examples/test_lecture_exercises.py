"""The lecture's exercises: the solutions pass, every blank is announced, mistakes are found."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
EXERCISES = (EXAMPLES / "lecture_exercises.py").read_text(encoding="utf-8").splitlines()
SOLUTIONS = (EXAMPLES / "lecture_solutions.py").read_text(encoding="utf-8").splitlines()
BLANKS = [line for line, text in enumerate(EXERCISES) if text.endswith("...")]
NAMES = ["action_values", "backup", "value_iteration", "best_actions", "choose", "learn"]
NAMES.append("q_learning")


@pytest.fixture
def attempt(tmp_path, monkeypatch):
    """Run some lines as the notebook, beside the checks."""
    monkeypatch.syspath_prepend(str(EXAMPLES))

    def run(lines):
        path = tmp_path / "notebook.py"
        path.write_text("\n".join(lines), encoding="utf-8")
        return runpy.run_path(str(path))

    return run


def test_the_solutions_differ_in_the_blanks_alone():
    assert len(EXERCISES) == len(SOLUTIONS)
    assert len(BLANKS) == 9
    for line, (blank, filled) in enumerate(zip(EXERCISES, SOLUTIONS, strict=True)):
        if line in BLANKS:
            assert filled.startswith(blank.removesuffix("..."))
            assert not filled.endswith("...")
        else:
            assert blank == filled


def test_the_solutions_pass_as_a_program(tmp_path):
    program = [sys.executable, str(EXAMPLES / "lecture_solutions.py")]
    done = subprocess.run(program, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    wanted = [f"exercise {n}, {name}: right" for n, name in enumerate(NAMES, start=1)]
    assert done.stdout.splitlines() == wanted


def test_the_blank_notebook_says_what_is_missing(tmp_path):
    program = [sys.executable, str(EXAMPLES / "lecture_exercises.py")]
    done = subprocess.run(program, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        "exercise 1, action_values: replace the three dots by an expression"
    )


@pytest.mark.parametrize("blank", BLANKS)
def test_each_blank_is_announced(attempt, blank):
    lines = [*SOLUTIONS[:blank], EXERCISES[blank], *SOLUTIONS[blank + 1 :]]
    name = next(
        line.split("(")[0][4:] for line in reversed(lines[:blank]) if line.startswith("def ")
    )
    with pytest.raises(Exception, match=f"{name}: replace the three dots") as raised:
        attempt(lines)
    assert type(raised.value).__name__ == "NotYet"


MISTAKES = {
    "values[successors]).sum(axis=2)": ("values[successors]).max(axis=2)", "state 0, action 0"),
    "return action_values(values).max(axis=1)": (
        "return action_values(values).mean(axis=1)",
        "backup: the value of state 0",
    ),
    "better = backup(values)": ("better = 0.9 * backup(values)", "value_iteration: the value of"),
    "np.abs(better - values).max()": ("np.abs(better - values).min()", "value_iteration: "),
    "argmax(axis=1)": ("argmin(axis=1)", "best_actions: the best action of state 0 is right"),
    "int(rng.integers(4))": ("int(rng.integers(3))", "choose: at exploration 0.4"),
    "reward if over else": ("reward if not over else", "learn: after a step that goes on, Q of"),
    "visits[state, action] ** -0.6": ("1e-6", "q_learning: after 3,000 games"),
}


@pytest.mark.parametrize("right", MISTAKES)
def test_mistakes_are_found_and_placed(attempt, right):
    wrong, words = MISTAKES[right]
    text = "\n".join(SOLUTIONS)
    assert text.count(right) == 1
    with pytest.raises(Exception, match=words) as raised:
        attempt(text.replace(right, wrong).splitlines())
    assert type(raised.value).__name__ == "NotYet"
