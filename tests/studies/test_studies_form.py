"""The one form of all studies: what they declare and write, and that they own no mathematics."""

import ast
from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path

import pytest
from study_form import has_the_form

from inverseq import InputError
from inverseq.studies import STUDIES, Effort, Part, Study, run

SOURCE = Path(run.__file__).parent
ELSEWHERE = {
    ("control", "offline"): "test_studies_control.py",
    ("experts", "experts"): "test_studies_control.py",
    ("highway", "highway"): "test_studies_highway.py",
    ("mice", "mice"): "test_mice.py",
    ("people", "people"): "test_people.py",
    ("intentions", "mice"): "test_studies_intentions_mice.py",
}
"""Parts whose results other tests look at too, in a file of their own: they are made once."""
PARTS = [(study.name, part.name) for study in STUDIES for part in study.parts]
PARTS = [each for each in PARTS if each not in ELSEWHERE]
every_study = pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
every_part = pytest.mark.parametrize(("study", "part"), PARTS)


def test_every_folder_is_a_study_and_every_study_has_a_folder():
    folders = {path.parent.name for path in SOURCE.glob("*/__init__.py")}
    assert folders == {study.name.replace("-", "_") for study in STUDIES}
    assert len(folders) == len(STUDIES)


@every_study
def test_parts_and_settings_are_declared(study):
    assert study.summary
    names = [part.name for part in study.parts]
    assert len({*names}) == len(names) > 0
    for part in study.parts:
        home = f"inverseq.studies.{study.name.replace('-', '_')}."
        assert part.module.startswith(home)
        assert callable(import_module(part.module).run)
    assert is_dataclass(study.settings)
    assert type(study.small) is type(study.settings)
    assert fields(study.settings), "settings are options"
    assert study.small != study.settings


@every_part
def test_a_part_has_the_form_of_all_studies(study, part, small):
    has_the_form(small, study, part)


@pytest.mark.parametrize("study_and_part", ELSEWHERE)
def test_the_others_are_held_to_it_where_they_are_looked_at_closely(study_and_part):
    study, part = study_and_part
    beside = (Path(__file__).parent / ELSEWHERE[study_and_part]).read_text(encoding="utf-8")
    assert f'has_the_form(small, "{study}", "{part}")' in beside


def test_studies_own_no_mathematics():
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not any(name.partition(".")[0] == "scipy" for name in names), path
            linear = isinstance(node, ast.Attribute) and node.attr == "linalg"
            assert not linear, f"{path}:{node.lineno}"


def test_what_is_not_there_is_refused(tmp_path):
    study = next(study for study in STUDIES if study.name == "intentions")
    with pytest.raises(InputError, match="intentions has no part 'rats'; there are switching-grid"):
        run.run(study, tmp_path, parts=("rats",))
    with pytest.raises(InputError, match="restarts"):
        type(study.settings)(restarts=0)
    assert study.choose(("bandit", "abandon", "bandit")) == (study.parts[2], study.parts[1])
    assert study.choose(()) == study.parts


def test_a_folder_that_cannot_be_written_to_is_refused_before_any_work(tmp_path):
    blocker = tmp_path / "out"
    blocker.write_text("here already")
    with pytest.raises(InputError, match="cannot write"):
        run.run(Study("none", "no parts", (Part("none", "no.such.module"),)), blocker)
    assert blocker.read_text() == "here already"


def test_each_does_every_task_in_order_and_tells():
    steps = []
    effort = Effort(workers=1, progress=lambda *step: steps.append(step))
    assert effort.each("powers", pow, [(2, 3), (3, 2), (5, 1)]) == [8, 9, 5]
    assert steps[-1] == ("powers", 3, 3)
    assert Effort(workers=2).each("powers", pow, [(2, 3), (3, 2)]) == [8, 9]
