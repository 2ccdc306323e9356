"""Types reach the user: what pyright, and so an editor, says of a program that uses the package.

A line of it ends with the type it should reveal, or with the word its error should hold.
"""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import inverseq as iq
from test_docs import PAGES, ROOT, blocks

SOURCE = Path(iq.__file__).parents[1]

PROGRAM = """
import inverseq as iq
from inverseq import IntentionSolution
from inverseq.worlds import GridWorldRules

demos = iq.read_table("mice.csv")
mdp = iq.MDP.estimate(demos, discount=0.9, smoothing=1.0)
solution = iq.fit(demos, iq.IAVI(), mdp)
several = iq.fit(demos, iq.Intentions(3, iq.MaxEnt(reward="states")), mdp)
findings = iq.analyse(demos, iq.Plan(solver="iavi"))

reveal_type(demos)  # is Demonstrations
reveal_type(mdp)  # is MDP
reveal_type(solution)  # is Solution
reveal_type(iq.fit(demos, iq.CountTable(2)))  # is Solution
reveal_type(iq.fit(demos, iq.IQLearn(0, value="hard")))  # is Solution
reveal_type(several)  # is IntentionSolution
reveal_type(several.intentions)  # is tuple[Solution, ...]
reveal_type(iq.log_likelihood(solution, demos))  # is Score
reveal_type(findings)  # is Findings
reveal_type(iq.load("solution.npz", iq.Solution))  # is Solution
reveal_type(iq.worlds.labyrinth())  # is World
reveal_type(iq.forward.value_iteration(mdp))  # is Plan
reveal_type(iq.networks.Planner)  # is type[Planner]
reveal_type(iq.play.QAgent)  # is type[QAgent]
reveal_type(GridWorldRules().win)  # is tuple[int, int] | Literal['bottom right', 'random']
reveal_type(iq.__version__)  # is str
wanted: IntentionSolution = several

iq.fitt(demos, iq.IAVI())  # wrong: fitt
iq.worlds.labrynth()  # wrong: labrynth
iq.play.QAgnt  # wrong: QAgnt
from inverseq import read_tabel  # wrong: read_tabel
iq.fit(demos, iq.IAVI)  # wrong: IAVI
iq.fit(demos, iq.IAVI(method="slove"))  # wrong: slove
iq.IAVI(gauge="zero-maen")  # wrong: zero-maen
iq.MaxEnt(reward="fetures")  # wrong: fetures
iq.Plan(solver="iavy")  # wrong: iavy
iq.Intentions(2, assignment="sample")  # wrong: sample
iq.worlds.objectworld(seed=0, features="discret")  # wrong: discret
several.q  # wrong: q
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory) -> dict[str, dict[int, list[str]]]:
    """What pyright says of each line of the program and of the pages, all in one call."""
    folder = tmp_path_factory.mktemp("program")
    settings = {"extraPaths": [str(SOURCE)], "pythonVersion": "3.11", "exclude": ["typings"]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    (folder / "program.py").write_text(PROGRAM)
    for page in PAGES:
        lines: list[str] = []
        for head, text, line in blocks(page):
            if head == "python":
                lines += [""] * (line - 1 - len(lines)) + text.splitlines()
        if lines:
            (folder / program_of(page)).write_text("\n".join(lines), encoding="utf-8")
    # pynwb hides its signatures from checkers, and pandas guesses what an index gives.
    for package in ("pynwb", "pandas"):
        (folder / "typings" / package).mkdir(parents=True)
        stub = "from typing import Any\ndef __getattr__(name: str) -> Any: ...\n"
        (folder / "typings" / package / "__init__.pyi").write_text(stub)
    command = [sys.executable, "-m", "pyright", "--outputjson", "--pythonpath", sys.executable]
    done = subprocess.run(
        [*command, "-p", folder], capture_output=True, text=True, check=False, cwd=folder
    )
    found: dict[str, dict[int, list[str]]] = {"program.py": {}}
    for message in json.loads(done.stdout)["generalDiagnostics"]:
        file, line = Path(message["file"]).name, message["range"]["start"]["line"]
        told = f"{message['severity']}: {message['message']}"
        found.setdefault(file, {}).setdefault(line, []).append(told)
    return found


def program_of(page: Path) -> str:
    """The file that holds the Python blocks of a page, each line at its place."""
    return "_".join(page.relative_to(ROOT).with_suffix(".py").parts).replace("-", "_")


def test_what_the_pages_show_is_understood(said):
    assert len({program_of(page) for page in PAGES}) == len(PAGES)
    assert {file: told for file, told in said.items() if file != "program.py"} == {}


def test_a_program_is_understood_line_by_line(said):
    said = said["program.py"]
    for number, line in enumerate(PROGRAM.splitlines()):
        about = said.pop(number, [])
        if match := re.search(r"# is (.*)", line):
            assert about == [f'information: Type of "{line[12:].split(")  #")[0]}" is "{match[1]}"']
        elif match := re.search(r"# wrong: (.*)", line):
            assert len(about) == 1, (line, about)
            assert match[1] in about[0], (line, about)
            assert about[0].startswith("error"), (line, about)
        else:
            assert about == [], line
    assert said == {}


def _stubs():
    """The script that makes the stubs."""
    spec = importlib.util.spec_from_file_location("stubs", ROOT / "scripts" / "stubs.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stubs_are_what_the_packages_say():
    assert _stubs().differing() == {}, "run: python scripts/stubs.py"


@pytest.mark.parametrize("name", ["", "worlds", "networks", "forward", "play"])
def test_a_stub_lists_every_public_name_and_no_other(name):
    package = importlib.import_module(f"inverseq.{name}".rstrip("."))
    text = Path(package.__file__).with_suffix(".pyi").read_text()
    listed = re.findall(r" as (\w+)$|^(\w+):", text, re.MULTILINE)
    assert sorted(a or b for a, b in listed) == sorted(package.__all__)
    assert list(SOURCE.rglob("*.pyi")), "stubs"


def test_a_stub_that_drifted_is_found(tmp_path, monkeypatch):
    stubs = _stubs()
    monkeypatch.setattr(stubs, "SOURCE", tmp_path)
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text(
        'from shop.till import Till\nVERSION = "1"\n_HOME = {"apple": "fruit", "Pear": "fruit"}\n'
        '_MODULES = ("cellar",)\n__all__ = ["VERSION", "Till", *_HOME, *_MODULES]\n'
    )
    (wanted,) = stubs.differing(tmp_path).values()
    assert wanted.splitlines()[1:] == [
        "from shop import cellar as cellar",
        "from shop.fruit import Pear as Pear",
        "from shop.fruit import apple as apple",
        "from shop.till import Till as Till",
        "VERSION: str",
    ]
    (package / "__init__.pyi").write_text(wanted)
    assert stubs.differing(tmp_path) == {}
    (package / "__init__.py").write_text("")
    assert list(stubs.differing(tmp_path).values()) == [None]
