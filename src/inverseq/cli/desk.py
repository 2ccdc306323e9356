"""`python -m inverseq.cli.desk PROJECT`: what the page asks of tables and results, line by line.

A process beside the server that reads tables and plans, so that the server stays small and quick,
and a table that is too large for the memory ends this process and not the page. Each line that
comes in is a question in JSON, each line that goes out its answer.
"""

import json
import os
import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from inverseq import datasets
from inverseq._core.errors import FitError, InputError, as_option, spelt
from inverseq._core.files import to_json
from inverseq.analysis import Plan
from inverseq.analysis.behaviour import DISCOUNT, behaviour_of
from inverseq.analysis.held_out import diagnosis_of
from inverseq.app.asked import ROLES, SETTINGS, arguments_of
from inverseq.app.project import Project
from inverseq.app.rows import look_at
from inverseq.app.scenes import scales_of, scene_of, solution_of, trajectories_of, walk_of
from inverseq.app.states import observed
from inverseq.app.what_if import Change, planned
from inverseq.cli.load import load
from inverseq.cli.parse import parse
from inverseq.cli.worlds import describe
from inverseq.demonstrations import Demonstrations
from inverseq.doctor import as_dict
from inverseq.doctor.contents import describe_contents
from inverseq.inverse.explanation import Explanation
from inverseq.mdp import MDP
from inverseq.readers.world import read_world
from inverseq.worlds import read_mazes
from inverseq.worlds.examining import examine

_KEPT = 6
"""Solutions that are kept at hand."""

_BLANK = ("...", "COLUMN", "worlds.csv")
"""Values in messages that stand for what only the visitor knows."""


class _Spelling:
    """Spells arguments like the command line, and remembers those that can be taken as they are."""

    def __init__(self) -> None:
        self._told: dict[str, tuple[str, str]] = {}

    def __call__(self, name: str, value: object) -> str:
        said = as_option(name, value)
        if said and value not in _BLANK:
            option, _, told = said.removeprefix("--").partition(" ")
            self._told[said] = (option.replace("-", "_"), told.strip("'") or "yes")
        return said

    def remedies(self, text: str) -> list[dict[str, str]]:
        """The options that a text names with a value: what a click can add."""
        found = {option for said, option in self._told.items() if said in text}
        taken = sorted(each for each in found if each[0] in (*ROLES, *SETTINGS))
        return [{"option": name, "value": value} for name, value in taken]


class Desk:
    """Answers questions about a project.

    Args:
        project: Which.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._solutions: OrderedDict[int, Explanation] = OrderedDict()

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a question, or under "error" why there is none, with what could be added
        to the options under "remedies".
        """
        spelling = _Spelling()
        asked: dict[str, Callable[..., Any]] = {
            "rows": self._rows,
            "check": self._check,
            "scene": self._scene,
            "walk": self._walk,
            "plan": self._plan,
            "maze": self._maze,
            "network": self._network,
            "states": self._states,
        }
        told = {name: value for name, value in question.items() if name != "do"}
        try:
            with spelt(spelling):
                if question["do"] == "check":
                    told["spelling"] = spelling
                return asked[question["do"]](**told)
        except (InputError, FitError) as error:
            return {"error": str(error), "remedies": spelling.remedies(str(error))}
        except MemoryError:
            return {"error": "there is not enough memory for this table", "remedies": []}
        except Exception as error:  # the page would be told that the memory is full
            said = f"inverseq made a mistake ({type(error).__name__}: {error}). Please report it"
            return {"error": said, "remedies": []}

    def _rows(self, table: str, decisions: str) -> dict[str, Any]:
        path = Path(table) if "/" in table else None
        made = look_at(table, path, decisions or "trials")
        if "nwb" in made:
            parts = made["nwb"].parts
            made["tables"] = [each.name for each in parts if each.kind in ("intervals", "events")]
            made["nwb"] = describe_contents(made["nwb"])
        return made

    def _check(self, table: str, options: dict[str, str], spelling: _Spelling) -> dict[str, Any]:
        """What `inverseq doctor` says."""
        arguments = arguments_of("doctor", table, options)
        made = _parsed(arguments)
        loaded = load(made.table, made.columns, made.world)
        behaviour = behaviour_of(loaded.data, Plan(**loaded.settings))
        found = as_dict(diagnosis_of(behaviour))
        for each in found["findings"]:
            each["remedies"] = spelling.remedies(each["remedy"])
        labels = [n for n in behaviour.demonstrations.trajectories if n != "trajectory"]
        return found | {"digest": loaded.digest, "labels": labels}

    def _scene(self, fit: int) -> dict[str, Any]:
        solution, trajectories = self._solution(fit), trajectories_of(self._project.result(fit))
        told = {"trajectories": trajectories, "scales": scales_of(solution)}
        try:
            return scene_of(solution) | told
        except InputError as error:  # decisions can be gone through without a map
            return {"error": str(error), "remedies": []} | told

    def _walk(self, fit: int, begins: int) -> dict[str, Any]:
        return walk_of(self._project.result(fit), self._solution(fit), begins)

    def _plan(
        self,
        fit: int,
        intention: int,
        within: list[int],
        start: int | None,
        closed: list[list[int]],
        swapped: list[int] | None,
        discount: float | None,
    ) -> dict[str, Any]:
        parts = self._solution(fit).intentions
        if not 0 <= intention < len(parts):
            raise InputError(f"there are {len(parts)} intentions")
        pair = None if swapped is None else (swapped[0], swapped[1])
        wanted = Change(tuple((a, b) for a, b in closed), pair, discount)
        return planned(parts[intention], wanted, (within[0], within[1]), start)

    def _maze(self, path: str) -> dict[str, Any]:
        """What there is to say of a maze that was drawn."""
        found = read_mazes(path)
        lines = []
        for name, world in found.items():
            lines += describe(name, world.mdp, examine(world.mdp))
        return {"told": lines}

    def _network(self, path: str, places: str, name: str) -> dict[str, Any]:
        """The same of states and ways that were drawn."""
        world = read_world(Path(path), discount=DISCOUNT, places=Path(places))
        assert isinstance(world, MDP)  # it has no column of worlds
        return {"told": describe(name, world, examine(world))}

    def _states(self, table: str, options: dict[str, str]) -> dict[str, Any]:
        """What a table says of its world, to be drawn."""
        read = {name: value for name, value in options.items() if name not in ("world", "places")}
        made = _parsed(arguments_of("doctor", table, read))
        loaded = load(made.table, made.columns, made.world)
        if not isinstance(loaded.data, Demonstrations):
            raise InputError("the world of a bundled set is known: there is nothing to draw")
        return observed(loaded.data, loaded.settings.get("coordinates"))

    def _solution(self, fit: int) -> Explanation:
        """The solution of a fit; the last few are kept at hand."""
        if fit not in self._solutions:
            self._solutions[fit] = solution_of(self._project.result(fit))
            if len(self._solutions) > _KEPT:
                self._solutions.popitem(last=False)
        self._solutions.move_to_end(fit)
        return self._solutions[fit]


def _parsed(arguments: list[str]) -> Any:
    """The record of options of `inverseq doctor`.

    Raises:
        InputError: They mean nothing.
    """
    try:
        return parse("doctor", "Doctor", "", arguments[1:])
    except SystemExit as stop:
        raise InputError("these settings mean nothing; look at the command line below") from stop


def serve(project: Project) -> None:
    """Answer line by line until there are no more questions."""
    out, known = sys.stdout, datasets.names()
    os.chdir(project.root)
    desk = Desk(project)
    with redirect_stdout(sys.stderr):  # nobody else may write among the answers
        print(json.dumps({"datasets": known}), file=out, flush=True)
        for line in sys.stdin:
            told = to_json(desk.answer(json.loads(line)))
            print(json.dumps(json.loads(told), ensure_ascii=False), file=out, flush=True)


if __name__ == "__main__":
    serve(Project(Path(sys.argv[1]).absolute()))
