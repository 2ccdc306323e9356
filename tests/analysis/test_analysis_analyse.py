"""The whole analysis from Python: what the command line writes, and no sentence in it."""

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import fields, is_dataclass
from enum import Enum

import numpy as np
import pytest

import inverseq as iq
from inverseq.analysis.behaviour import behaviour_of
from inverseq.analysis.findings import Findings
from inverseq.cli import main
from inverseq.reporting.report import SECTIONS

ROOMS = ("hall", "nest <script>", "water")
QUICK = {"folds": 2, "bootstrap": 20, "history": 1, "test": 0.5}
TYPED = [part for name, value in QUICK.items() for part in (f"--{name}", str(value))] + ["--quiet"]


@pytest.fixture(scope="module")
def walks(tmp_path_factory):
    """Twelve walks between three rooms, one of them with a hostile name."""
    rng = np.random.default_rng(0)
    lines = ["trajectory,trial,state,action"]
    for walk in range(12):
        room = 0
        for trial in range(15):
            action = int(rng.random() < (0.3, 0.8, 0.6)[room])
            lines.append(f"{walk},{trial},{ROOMS[room]},{('left', 'right')[action]}")
            room = (room + (1, 2)[action]) % 3
    path = tmp_path_factory.mktemp("walks") / "walks.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(walks):
    """One reward, several intentions, models compared, and numbers of intentions compared."""
    data = iq.read_table(walks)
    several = {"intentions": 2, "restarts": 2, "simulations": 2, "bootstrap": 2, "history": 1}
    compared = {"cross_validate": True, "folds": 2, "history": 1}
    return {
        "one": iq.analyse(data, iq.Plan(**QUICK)),
        "several": iq.analyse(data, iq.Plan(**several)),
        "compared": iq.analyse(data, iq.Plan(**compared)),
        "choice": iq.analyse(data, iq.Plan(**compared, intentions=(1, 2), restarts=2)),
    }


def test_python_finds_what_the_command_line_writes(walks, found, tmp_path):
    told = [str(walks), *TYPED]
    assert main(["fit", *told, "--out", str(tmp_path / "cli")]) == 0
    iq.report(found["one"], tmp_path / "python")
    made = [json.loads((tmp_path / n / "summary.json").read_text()) for n in ("cli", "python")]
    for name in ("headline", "scores", "contrasts", "settings", "division", "chosen"):
        assert made[0][name] == made[1][name]
    states = [(tmp_path / n / "tables/states.csv").read_text() for n in ("cli", "python")]
    assert states[0] == states[1]


def test_an_analysis_goes_on_from_what_it_kept(walks, found, tmp_path):
    keep = tmp_path / "kept"
    told = [str(walks), *TYPED]
    for name in ("first", "again"):
        out = ["--out", str(tmp_path / name), "--keep", str(keep)]
        assert main(["fit", *told, *out]) == 0
        files = sorted(keep.iterdir()) if name == "first" else files
    assert sorted(keep.iterdir()) == files
    made = [json.loads((tmp_path / n / "run.json").read_text()) for n in ("first", "again")]
    assert made[0]["seconds_by_model"] == made[1]["seconds_by_model"]  # nothing was fitted again
    compared = {"cross_validate": True, "folds": 2, "history": 1, "keep": str(keep)}
    plan = iq.Plan(**compared, intentions=(1, 2), restarts=2)
    choice = iq.analyse(iq.read_table(walks), plan)
    for one, other in zip(choice.scores, found["choice"].scores, strict=True):
        assert one.key == other.key
        np.testing.assert_array_equal(one.score.sums, other.score.sums)


def texts_in(value, path=""):
    """Every text in a record, with where it stands."""
    if isinstance(value, str) and not isinstance(value, Enum):
        yield path, value
    elif is_dataclass(value):
        for each in fields(value):
            yield from texts_in(getattr(value, each.name), f"{path}.{each.name}")
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from texts_in(each, f"{path}.{name}")
    elif isinstance(value, tuple | list):
        for each in value:
            yield from texts_in(each, path)


@pytest.mark.parametrize("kind", ["one", "several", "compared", "choice"])
def test_findings_hold_no_sentences(found, kind):
    # The doctor's findings have sentences of their own; errors are quoted as they came.
    quoted = (".diagnosis", ".failures", ".error", ".source", ".message", ".failure")
    settings = found[kind].settings
    assert all(isinstance(settings.get(name, 0), int) for name in ("seed", "folds", "bootstrap"))
    assert all(isinstance(settings.get(name, 0.0), float) for name in ("discount", "smoothing"))
    texts = [(p, t) for p, t in texts_in(found[kind]) if not any(q in p for q in quoted)]
    assert len(texts) > 5
    sentences = [(p, t) for p, t in texts if t.rstrip().endswith(".") or t.count(" ") > 5]
    assert sentences == []


@pytest.mark.parametrize(
    ("kind", "speaking"),
    [
        (
            "one",
            {
                "what_they_want",
                "how_well",
                "what_it_adds",
                "the_data",
                "methods",
                "references",
            },
        ),
        (
            "several",
            {
                "what_they_are",
                "what_they_go_with",
                "when_they_change",
                "how_well",
                "how_sure",
                "does_it_behave",
                "the_data",
                "methods",
                "references",
            },
        ),
        ("compared", {"how_well", "methods"}),
        ("choice", {"how_many", "how_well", "methods"}),
    ],
)
def test_every_section_knows_when_it_has_nothing_to_say(found, kind, speaking):
    assert {section.__name__ for section in SECTIONS if section(found[kind])} == speaking


def test_with_nothing_found_every_section_is_silent():
    empty = Findings(iq.Plan(), "t", "s", None, "f", (), ())
    assert repr(empty) == "<Findings: data t, 0 models>"
    assert [section(empty) for section in SECTIONS] == [None] * len(SECTIONS)


@pytest.mark.parametrize("kind", ["one", "several", "compared", "choice"])
def test_hostile_names_are_escaped_on_the_page(found, kind, tmp_path):
    page = iq.report(found[kind], tmp_path).read_text("utf-8")
    assert "<script" not in page
    # Every element is closed, every bare sign escaped.
    ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
    if kind == "one":
        assert "nest &lt;script&gt;" in page


def test_findings_tell_themselves_in_a_line(found):
    assert repr(found["one"]).startswith("<Findings: data walks.csv")
    assert "\n" not in repr(found["one"])


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"smoothing": -1.0}, "smoothing must be"),
        ({"restarts": 3}, "restarts=3 goes with several intentions; give intentions=3"),
        ({"intentions": 0}, "1 or more"),
        ({"intentions": (1, 2)}, "cross_validate"),
        ({"anchor": "up"}, 'gauge="anchor"'),
        ({"solver": iq.CountTable(1)}, r"CountTable .* has no reward.*with inverseq\.compare"),
        ({"solver": iq.ColumnTable(("x",))}, "ColumnTable .* has no reward"),
        ({"solver": iq.ColumnLogit(("x",), (1.0,))}, "ColumnLogit .* has no reward"),
        ({"solver": iq.BehaviourCloning(0)}, "BehaviourCloning .* has no reward"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(settings, words):
    with pytest.raises(iq.InputError, match=words):
        iq.Plan(**settings)


def test_a_solver_without_a_reward_is_compared_and_explains_intentions():
    for question in ({"cross_validate": True}, {"intentions": 2}):
        assert iq.Plan(solver=iq.CountTable(1), **question).solver == iq.CountTable(1)


def test_what_is_no_data_is_refused():
    with pytest.raises(iq.InputError, match="read_table"):
        behaviour_of([[0, 1]], iq.Plan())
