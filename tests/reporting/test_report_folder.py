import json

import numpy as np
import pytest

from inverseq.reporting.document import Column, Picture, Prose, Report, Section, Table
from inverseq.reporting.folder import result_folder, write_report

TABLE = Table(
    "scores",
    "Scores",
    (Column("Model"), Column("Nats", ".3f", "nats")),
    (('say "two", steps', -0.123456789012345), ("none", None)),
)
PICTURE = Picture("map", "a map", "A map.", lambda: ("<svg/>", b"\x89PNG"))
REPORT = Report("T", ("H",), (Section("S", (TABLE, PICTURE, Prose(("p",)))),), "now")


def test_every_file_is_written_and_nothing_else_is_left(tmp_path):
    with result_folder(tmp_path / "out") as folder:
        write_report(folder, REPORT, {"score": np.float64(-0.5)}, {"made": "now"})
    found = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    assert found == {
        "figures/map.png",
        "figures/map.svg",
        "tables/scores.csv",
        "summary.json",
        "run.json",
        "report.html",
    }
    page = tmp_path / "out" / "report.html"
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert (tmp_path / "out/figures/map.png").read_bytes() == b"\x89PNG"
    assert json.loads((tmp_path / "out/summary.json").read_text()) == {"score": -0.5}
    written = (tmp_path / "out/tables/scores.csv").read_text("utf-8").splitlines()
    assert written == ["Model,nats", '"say ""two"", steps",-0.123456789012345', "none,"]


def test_the_run_says_which_files_are_its_own(tmp_path):
    with result_folder(tmp_path) as folder:
        write_report(folder, REPORT, {}, {"made": "now"})
    told = json.loads((tmp_path / "run.json").read_text())
    assert told["made"] == "now"
    assert told["files"] == {
        name: (tmp_path / name).stat().st_size
        for name in ("figures/map.png", "figures/map.svg", "summary.json", "tables/scores.csv")
    }


def test_a_figure_that_cannot_be_drawn_loses_no_table(tmp_path):
    def fail():
        raise RuntimeError("no ink")

    broken = Picture("map", "a map", "A map.", fail)
    report = Report("T", ("H",), (Section("S", (broken, TABLE)),), "now")

    def run():
        with result_folder(tmp_path) as folder:
            write_report(folder, report, {}, {})

    with pytest.raises(RuntimeError, match="no ink") as said:
        run()
    kept = tmp_path / "inverseq-unfinished"
    assert said.value.__notes__ == [f"What was written until then lies in {kept}"]
    assert (kept / "tables/scores.csv").read_text("utf-8").startswith("Model,nats\n")
    assert [*tmp_path.iterdir()] == [kept]
