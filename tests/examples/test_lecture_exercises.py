"""The lecture's exercises: the solutions pass, every blank is announced, mistakes are found."""

import importlib.util
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = EXAMPLES.parent / "scripts"
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
    assert done.stderr == (
        "exercise 1, action_values: replace the three dots by an expression. It should return an "
        "array [11, 4], a value for each state and action.\n"
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
RAISED = {
    "values[successors]).sum(axis=2)": (
        "values[successors]).sum(axis=1)",
        r"action_values: ValueError in the line `return np.where\(.*It should return an array",
    ),
    "return action_values(values).max(axis=1)": (
        "return action_values(values).max(axis=0)",
        r"backup: the shape of the value should be \(11,\), it is \(4,\)\. It should return",
    ),
    "int(rng.integers(4))": ("rng.integers(4, size=2)", r"choose: it returned \["),
    "    return q\n": ("    return q.max(1)\n", r"q_learning: the shape of Q should be \(11, 4\)"),
}


@pytest.mark.parametrize("right", MISTAKES)
def test_mistakes_are_found_and_placed(attempt, right):
    wrong, words = MISTAKES[right]
    text = "\n".join(SOLUTIONS)
    assert text.count(right) == 1
    with pytest.raises(Exception, match=words) as raised:
        attempt(text.replace(right, wrong).splitlines())
    assert type(raised.value).__name__ == "NotYet"


@pytest.mark.parametrize("right", RAISED)
def test_errors_and_shapes_are_messages(attempt, right):
    wrong, words = RAISED[right]
    text = "\n".join(SOLUTIONS) + "\n"
    assert text.count(right) == 1
    with pytest.raises(Exception, match=words) as raised:
        attempt(text.replace(right, wrong).splitlines())
    assert type(raised.value).__name__ == "NotYet"
    assert raised.value.__suppress_context__


def test_a_notebook_shows_the_message_alone(attempt):
    with pytest.raises(Exception, match="exercise 1") as raised:
        attempt(EXERCISES)
    assert raised.value._render_traceback_() == [str(raised.value)]


def test_the_notebook_is_made_of_the_exercises():
    spec = importlib.util.spec_from_file_location("notebooks", SCRIPTS / "notebooks.py")
    notebooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(notebooks)
    assert notebooks.differing() == {}, "run: python scripts/notebooks.py"
    cells = json.loads((EXAMPLES / "lecture_exercises.ipynb").read_text("utf-8"))["cells"]
    assert {cell["cell_type"] for cell in cells} == {"markdown", "code"}
    assert "".join(cells[0]["source"]).startswith("# Value iteration and Q-learning")
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert sum(text.count("...") for text in code) == len(BLANKS)
    assert [text for text in code if text.startswith("check(")] == [
        f'check("{name}", {name})' for name in NAMES
    ]
