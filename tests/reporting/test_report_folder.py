import csv
import io
import json

import numpy as np
import pytest

from inverseq.reporting.document import Column, Picture, Prose, Report, Section, Table
from inverseq.reporting.folder import result_folder, to_csv, to_json, write_report

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
    assert (kept / "tables/scores.csv").read_text() == to_csv(TABLE)
    assert [*tmp_path.iterdir()] == [kept]


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


def test_no_spreadsheet_takes_a_name_for_a_formula():
    names = ("=1+1", "+cmd|' /C calc'!A0", "-left", "@SUM(A1)", "\tx", "-1.5", "plain", "1=2")
    table = Table("t", "T", (Column("=head()"), Column("n")), tuple((n, -2.5) for n in names))
    head, *rows = csv.reader(io.StringIO(to_csv(table)))
    assert head == ["'=head()", "n"]
    found = [name for name, _ in rows]
    assert found == [f"'{name}" for name in names[:5]] + [*names[5:]]
    assert {number for _, number in rows} == {"-2.5"}
