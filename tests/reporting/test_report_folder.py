import csv
import io
import json

import numpy as np
import pytest

from inverseq import InputError
from inverseq.reporting.document import Column, Picture, Prose, Report, Section, Table
from inverseq.reporting.folder import require_writable, to_csv, to_json, write_report

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


def test_the_page_comes_last(tmp_path, monkeypatch):
    def fail(value):
        raise KeyboardInterrupt

    monkeypatch.setattr("inverseq.reporting.folder.to_json", fail)
    with pytest.raises(KeyboardInterrupt):
        write_report(tmp_path, REPORT, {})
    assert (tmp_path / "tables/scores.csv").exists()
    assert not (tmp_path / "report.html").exists()


def test_csv_keeps_every_digit_and_every_letter():
    rows = list(csv.reader(io.StringIO(to_csv(TABLE))))
    assert rows == [
        ["Model", "nats"],
        ['say "two", steps', "-0.123456789012345"],
        ["none", ""],
    ]


def test_json_has_no_nan_and_knows_numpy():
    value = {"a": np.array([1.0, np.nan]), 2: (np.int64(3), None, True), "b": {"c": np.float32(1)}}
    assert json.loads(to_json(value)) == {"a": [1.0, None], "2": [3, None, True], "b": {"c": 1.0}}


@pytest.mark.parametrize("place", ["file/out", "file"])
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("I am no folder")
    with pytest.raises(InputError, match="cannot write to"):
        require_writable(tmp_path / place)


def test_a_folder_is_made_and_left_empty(tmp_path):
    folder = require_writable(tmp_path / "a" / "b")
    assert folder.is_dir()
    assert list(folder.iterdir()) == []


def test_no_spreadsheet_takes_a_name_for_a_formula():
    names = ("=1+1", "+cmd|' /C calc'!A0", "-left", "@SUM(A1)", "\tx", "-1.5", "plain", "1=2")
    table = Table("t", "T", (Column("=head()"), Column("n")), tuple((n, -2.5) for n in names))
    head, *rows = csv.reader(io.StringIO(to_csv(table)))
    assert head == ["'=head()", "n"]
    found = [name for name, _ in rows]
    assert found == [f"'{name}" for name in names[:5]] + [*names[5:]]
    assert {number for _, number in rows} == {"-2.5"}
