"""Several intentions on the command line: everything written, the truth found, clear refusals."""

import json
import xml.etree.ElementTree as ElementTree

import duckdb
import numpy as np
import pytest

import inverseq as iq

QUICK = ("--restarts", "3", "--simulations", "4", "--bootstrap", "3", "--history", "1")
FILES = {
    "report.html",
    "summary.json",
    "solution.npz",
    "tables/scores.csv",
    "tables/intentions.csv",
    "tables/restarts.csv",
    "tables/transitions.csv",
    "tables/predictive_checks.csv",
    "tables/states_intention_2.csv",
    "tables/posterior.parquet",
    "figures/scores.svg",
    "figures/session_1.png",
    "figures/intention_occupancy.svg",
    "figures/transitions.svg",
    "figures/dwell_intention_1.svg",
    "figures/predictive_checks.svg",
    "figures/reward_map_intention_2.svg",
}


@pytest.fixture
def moods(tmp_path):
    """Twelve trajectories of an animal that wants one of two things, in `moods.csv`."""
    rng = np.random.default_rng(0)
    lines = ["animal,trajectory,trial,state,action,light,sky"]
    for walk in range(12):
        room, mood = 0, 0
        for trial in range(40):
            mood = mood if rng.random() < 0.92 else 1 - mood
            right = ((0.05, 0.9, 0.8), (0.95, 0.1, 0.2))[mood][room]
            action = int(rng.random() < right)
            where, what = ("hall", "nest", "water")[room], ("left", "right")[action]
            sky = ("clear", "grey")[trial % 2]
            lines.append(f"{'AB'[walk % 2]},{walk},{trial},{where},{what},{trial % 2},{sky}")
            room = (room + 1 + action) % 3
    path = tmp_path / "moods.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def written(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def test_two_moods_are_found_reported_and_written(outside, moods, tmp_path):
    done = outside("fit", moods, "--intentions", "2", "--test", "0.5", "--out", "out", *QUICK)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Two intentions explain the behaviour" in done.stdout.replace("\n", " ")
    assert "Report: out/report.html" in done.stdout
    folder = tmp_path / "out"
    assert written(folder) >= FILES
    assert not [name for name in written(folder) if ".part" in name]
    text = (folder / "report.html").read_text("utf-8")
    page = ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))
    assert all(e.attrib["alt"] for e in page.iter("img"))
    told = "".join(page.itertext())
    for words in ("Two intentions", "Markov chain", "other searches", "Multi-intention", "SHA-256"):
        assert words in told
    solution = iq.load(folder / "solution.npz", iq.IntentionSolution)
    assert solution.num_intentions == 2
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    rows = {row["key"]: row for row in summary["scores"]}
    assert {"marginal", "table-1", "table-2", "one", "intentions"} <= set(rows)
    assert rows["intentions"]["nats"] > rows["table-1"]["nats"] + 0.1
    assert summary["chance"] == pytest.approx(-np.log(2))
    # One intention under IAVI is the one-step table.
    assert rows["one"]["nats"] == pytest.approx(rows["table-1"]["nats"], abs=1e-9)
    # The score, again, from the saved model and the stated split.
    _, test = iq.read_table(moods).split(0.5, seed=0)
    again = float(iq.log_likelihood(solution, test))
    assert rows["intentions"]["nats"] == pytest.approx(again, abs=1e-9)
    beliefs = duckdb.sql(f"select * from '{folder / 'tables/posterior.parquet'}'").fetchnumpy()
    assert {"subject", "trajectory", "time", "smoothed_2", "path", "part"} <= set(beliefs)
    np.testing.assert_allclose(beliefs["smoothed_1"] + beliefs["smoothed_2"], 1.0)
    assert set(beliefs["part"]) == {"train", "test"}
    assert (beliefs["part"] == "test").sum() == test.num_decisions


@pytest.mark.parametrize("law", ["mixture", "state,previous light"])
def test_the_other_laws_are_reported(inside, moods, tmp_path, law):
    told = ("--switching", law, "--json", "--out", "out", *QUICK)
    code, out, err = inside("fit", moods, "--intentions", "2", *told)
    assert (code, err) == (0, "")
    summary = json.loads(out)
    assert summary["settings"]["switching"] == law
    assert (summary["transitions"] is None) == (law == "mixture")
    if law != "mixture":
        np.testing.assert_allclose(np.sum(summary["transitions"], axis=1), 1.0)


def test_nothing_is_simulated_or_resampled_where_that_was_asked_for(inside, moods, tmp_path):
    told = ("--simulations", "0", "--bootstrap", "0", "--restarts", "1", "--history", "1")
    code, out, _ = inside("fit", moods, "--intentions", "2", "--out", "out", "--json", *told)
    assert code == 0
    summary = json.loads(out)
    assert summary["checks"] == []
    assert summary["transitions_low"] is None
    np.testing.assert_allclose(np.sum(summary["transitions"], axis=1), 1.0)
    assert "figures/predictive_checks.svg" not in written(tmp_path / "out")


def test_too_many_intentions_are_said(inside, moods):
    told = ("--simulations", "0", "--bootstrap", "0", "--restarts", "4", "--history", "1")
    code, out, _ = inside("fit", moods, "--intentions", "8", "--out", "out", *told)
    assert code == 0
    assert "is the most probable one at less than 0.5% of the decisions" in " ".join(out.split())


def test_the_number_of_intentions_is_chosen_by_what_was_held_out(inside, moods, tmp_path):
    told = ("--folds", "3", "--restarts", "2", "--history", "1", "--json", "--out", "out")
    code, out, err = inside("compare", moods, "--intentions", "3,1,2", *told)
    assert (code, err) == (0, "")
    summary = json.loads(out)
    assert summary["chosen"] == 2
    assert [row["k"] for row in summary["alternatives"]] == [1, 2, 3]
    rows = {row["key"]: row for row in summary["scores"]}
    assert rows["k=1"]["nats"] == pytest.approx(rows["table-1"]["nats"], abs=1e-9)
    assert written(tmp_path / "out") >= {
        "report.html",
        "summary.json",
        "tables/choice.csv",
        "tables/scores.csv",
        "figures/choice.svg",
        "figures/scores.svg",
    }
    assert "Choose k=2" in (tmp_path / "out/report.html").read_text("utf-8")


def test_comparing_prints_what_to_choose_and_what_failed(inside, moods, tmp_path):
    told = ("--folds", "2", "--restarts", "1", "--history", "1")
    code, out, _ = inside("compare", moods, "--intentions", "1,999", *told)
    assert code == 0
    out = " ".join(out.split())
    assert "Choose k=1" in out
    assert "999 intentions are too many" in out
    assert "give --intentions" in out
    assert not (tmp_path / "out").exists()


REFUSED = {
    "none": (("--intentions", "0"), "--intentions 0 must be 1 or more"),
    "more than decisions": (("--intentions", "9999"), "give --intentions"),
    "more than trajectories": (
        ("--intentions", "11", "--switching", "mixture"),
        "11 intentions are too many for 9 trajectories",
    ),
    "an unknown law": (("--intentions", "2", "--switching", "warp"), "--switching warp"),
    "an unknown column": (
        ("--intentions", "2", "--switching", "state,previous food"),
        "--switching 'previous food': there is no such law and no such column; give mixture, "
        "markov, or some of state, step, time, light",
    ),
    "a column of texts": (
        ("--intentions", "2", "--switching", "previous sky"),
        "column 'sky' must hold numbers",
    ),
    "no column": (("--intentions", "2", "--switching", ","), "--switching ,"),
    "a solver that takes none": (
        ("--intentions", "2", "--solver", "maxent-history"),
        "--solver maxent-history cannot explain several intentions",
    ),
    "features that are not there": (
        ("--intentions", "2", "--solver", "maxent-features"),
        "needs a world with features",
    ),
    "no searches": (("--intentions", "2", "--restarts", "0"), "--restarts must be 1 or more"),
    "one simulation": (("--intentions", "2", "--simulations", "1"), "--simulations must be 0"),
    "a law without intentions": (
        ("--switching", "state"),
        "--switching state goes with several intentions; give --intentions 3",
    ),
    "simulations without intentions": (("--simulations", "9"), "--simulations 9 goes with"),
}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_bad_input_is_one_line_and_leaves_no_file(inside, moods, tmp_path, name):
    options, expected = REFUSED[name]
    code, out, err = inside("fit", moods, "--out", "out", *options)
    assert (code, out) == (2, "")
    assert err.startswith("inverseq: error: ")
    assert err.count("\n") == 1
    assert expected in err
    assert written(tmp_path / "out") == set()


@pytest.mark.parametrize("given", ["0,1", "two", ","])
def test_numbers_of_intentions_to_compare_must_be_numbers(inside, moods, given):
    code, _, err = inside("compare", moods, "--intentions", given)
    assert code == 2
    assert "--intentions must be whole numbers from 1" in err


def test_what_explains_intentions_means_nothing_without_them(inside, moods):
    code, _, err = inside("compare", moods, "--solver", "iavi")
    assert code == 2
    assert "--solver iavi goes with several intentions" in err
