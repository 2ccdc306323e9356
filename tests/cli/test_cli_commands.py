"""doctor, compare, datasets, and the main job on the bundled mice."""

import csv
import json
import xml.etree.ElementTree as ElementTree

import pytest


def test_the_doctor_speaks_and_its_json_is_all_there_is(inside, walks):
    code, out, err = inside("doctor", walks)
    assert (code, err) == (0, "")
    assert "180 decisions in 12 trajectories" in out
    told = json.loads(inside("doctor", walks, "--json")[1])
    assert told["facts"]["decisions"] == 180


def test_the_doctor_stops_where_a_fit_would(inside, walks, tmp_path):
    # In this world the nest is never reached from the hall, which the table says happens.
    rows = ["hall,left,hall,1", "hall,right,water,1", "nest,left,water,1", "nest,right,hall,1"]
    rows += ["water,left,hall,1", "water,right,nest,1"]
    text = "state,action,next_state,probability\n" + "\n".join(rows) + "\n"
    (tmp_path / "world.csv").write_text(text)
    code, out, _ = inside("doctor", walks, "--world", "world.csv")
    assert "impossible" in out
    assert code == 2


def test_compare_writes_a_page_where_a_folder_is_given(inside, walks, tmp_path):
    code, out, err = inside("compare", walks, "--folds", "2", "--history", "1", "--out", "out")
    assert (code, err) == (0, "")
    assert "Report: out/report.html" in out
    text = (tmp_path / "out/report.html").read_text("utf-8")
    page = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))
    assert "Models compared: walks" in "".join(page.itertext())
    with open(tmp_path / "out/tables/scores.csv", newline="") as stream:
        rows = list(csv.DictReader(stream))
    summary = json.loads((tmp_path / "out/summary.json").read_text())
    nats = {row["model"]: row["nats"] for row in summary["scores"]}
    assert {r["model"]: float(r["nats"]) for r in rows if r["model"] in nats} == nats
    assert float(rows[-1]["nats"]) == pytest.approx(-0.6931, abs=1e-4)


def test_compare_without_a_folder_writes_nothing(inside, walks, tmp_path):
    before = set(tmp_path.rglob("*"))
    assert inside("compare", walks, "--folds", "2", "--history", "1", "--quiet") == (0, "", "")
    assert set(tmp_path.rglob("*")) == before


def test_more_folds_than_units_are_refused(inside, walks):
    code, _, err = inside("compare", walks, "--by", "subject", "--folds", "3")
    assert code == 2
    assert "3 folds by subject need as many units; there are 2" in err


def test_the_bundled_mice_give_the_published_yardsticks(outside, tmp_path):
    done = outside("fit", "mice", "--out", "out", "--json", "--history", "1")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    rows = {row["key"]: row for row in told["scores"]}
    assert told["chance"] == pytest.approx(-0.921, abs=5e-4)
    assert told["decisions"] == 23_952
    assert told["forced"] / told["decisions"] == pytest.approx(0.162, abs=5e-4)
    assert rows["table-1"]["nats"] == pytest.approx(-0.874, abs=5e-4)
    assert rows["table-2"]["nats"] == pytest.approx(-0.679, abs=5e-4)
    assert rows["table-2"]["error"] == pytest.approx(0.009, abs=5e-4)
    assert rows["backoff-2"]["nats"] > rows["table-2"]["nats"]
    assert abs(rows["iavi"]["nats"] - rows["table-1"]["nats"]) < 1e-9
    assert [rows[k]["parameters"] for k in ("maxent-states", "maxent-state-actions")] == [127, 253]
    settled = [c for c in told["contrasts"] if c["verdict"] == "settled by behaviour"]
    assert len(settled) == 6
    assert all(c["low"] > 0 for c in settled)  # at every branching the water's side is preferred
    assert {c["name"] for c in told["contrasts"]} >= {"water − elsewhere", "water − home"}
    assert (tmp_path / "out/figures/occupancy.png").stat().st_size > 5_000
