import json

import numpy as np
import pytest

from inverseq.reporting.document import Column, Picture, Prose, Report, Section, Table
from inverseq.reporting.folder import write_report

TABLE = Table(
    "scores",
    "Scores",
    (Column("Model"), Column("Nats", ".3f", "nats")),
    (('say "two", steps', -0.123456789012345), ("none", None)),
)
PICTURE = Picture("map", "a map", "A map.", "<svg/>", b"\x89PNG")
REPORT = Report("T", ("H",), (Section("S", (TABLE, PICTURE, Prose(("p",)))),), "now")


def test_every_file_is_written_and_nothing_else_is_left(tmp_path):
    page = write_report(tmp_path / "out", REPORT, {"score": np.float64(-0.5)})
    found = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    assert found == {
        "figures/map.png",
        "figures/map.svg",
        "tables/scores.csv",
        "summary.json",
        "report.html",
    }
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert (tmp_path / "out/figures/map.png").read_bytes() == b"\x89PNG"
    assert json.loads((tmp_path / "out/summary.json").read_text()) == {"score": -0.5}
    written = (tmp_path / "out/tables/scores.csv").read_text("utf-8").splitlines()
    assert written == ["Model,nats", '"say ""two"", steps",-0.123456789012345', "none,"]


def test_the_page_comes_last(tmp_path, monkeypatch):
    def fail(value):
        raise KeyboardInterrupt

    monkeypatch.setattr("inverseq.reporting.folder.to_json", fail)
    with pytest.raises(KeyboardInterrupt):
        write_report(tmp_path, REPORT, {})
    assert (tmp_path / "tables/scores.csv").exists()
    assert not (tmp_path / "report.html").exists()
