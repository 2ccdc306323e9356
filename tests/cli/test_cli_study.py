"""`inverseq study`: every study by its name, with its own settings and parts."""

import json

import pytest

from inverseq.cli import study as command
from inverseq.studies import STUDIES


def test_the_lecture_gives_its_values(inside, tmp_path):
    code, out, err = inside("study", "lecture", "--small", "--json", "--seed", "3")
    assert (code, err) == (0, "")
    told = json.loads(out)
    written = json.loads((tmp_path / "out/lecture/lecture.json").read_text())
    assert told == written | {"files": [f"out/lecture/{name}" for name in written["files"]]}
    assert (told["seed"], told["settings"]["runs"]) == (3, 2)
    values = [row["value"] for row in told["parts"]["lecture"]["tables"]["values"]]
    assert [round(value, 3) for value in values[:3]] == [0.812, 0.868, 0.918]
    assert (tmp_path / "out/lecture/policies.png").exists()


def test_a_part_is_shown_with_what_it_found(inside, tmp_path):
    code, out, _ = inside(
        *("study", "intentions", "abandon", "--small", "--restarts", "1"),
        *("--workers", "1", "--out", "here"),
    )
    assert code == 0
    for words in ("abandon: scores", "two maps, by state", "published at 1,024: one map 13.96"):
        assert words in " ".join(out.split())
    assert "Written: here/abandon_curves.png" in out
    told = json.loads((tmp_path / "here/intentions.json").read_text())
    assert [*told["parts"]] == ["abandon"]
    assert told["settings"] == {"restarts": 1}


@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name)
def test_each_study_explains_its_settings_and_parts(inside, study):
    code, out, _ = inside("study", study.name, "--help")
    assert code == 0
    options = dict(vars(study.settings))
    options |= vars(options.pop("board")) if "board" in options else {}
    for name in ("out", "small", "seed", "workers", "json", *options):
        dashed = name.replace("_", "-")
        assert f"--{dashed}" in out or f"--no-{dashed}" in out, name
    assert ("PART" in out) == (len(study.parts) > 1)


def test_settings_and_effort_are_passed_on(inside, monkeypatch, tmp_path):
    seen = []

    def run(study, folder, *, parts, settings, effort):
        seen.append((study.name, str(folder), parts, settings, effort))
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run_study", run)
    inside("study", "people", "--small", "--folds", "3", "--workers", "2")
    name, folder, parts, settings, effort = seen.pop()
    assert (name, folder, parts) == ("people", "out/people", ())
    assert (settings.folds, settings.subjects, settings.ablations) == (3, 6, False)
    assert (effort.seed, effort.small, effort.workers) == (0, True, 2)
    inside("study", "mice", "--discounts", "0.5", "0.9", "--seed", "4")
    _, _, _, settings, effort = seen.pop()
    assert settings.discounts == (0.5, 0.9)
    assert (settings.replicates, effort.seed, effort.small) == (100, 4, False)
    inside("study", "intentions", "bandit", "mice")
    assert seen.pop()[2] == ("bandit", "mice")
    inside("study", "gridworld", "--games", "mine.parquet")
    assert seen.pop()[3].games == "mine.parquet"


@pytest.mark.parametrize(
    "arguments", [["rats"], ["intentions", "rats"], ["mice", "--games", "mine.parquet"], []]
)
def test_what_no_study_has_is_refused(inside, arguments):
    code, out, err = inside("study", *arguments)
    assert code == 2
    assert out == ""
    assert "Traceback" not in err


def test_a_setting_out_of_range_is_one_line(inside):
    code, _, err = inside("study", "people", "--folds", "13")
    assert code == 2
    assert "folds must be 2 to 12, the number of mazes; got 13" in err
    assert err.count("\n") == 1
