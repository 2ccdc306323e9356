"""Tables as people really have them: each is read, or told in words what to do that then works."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from inverseq import IAVI, compare, read_table
from inverseq.cli import main
from inverseq.cli.load import load
from inverseq.cli.options import Columns, World
from inverseq.evaluate.comparison import Estimate

HERE = Path(__file__).parent
PREVIOUS = "--action choice --previous choice,outcome"
WALKS = ["16 decisions in 4 trajectories of 4 to 4"]

SAID = {
    # Case: the command, its exit code, and what it says.
    "signed choices": ("doctor signed_choices.csv", 0, ["4 of 4 state-action", "--missing -1"]),
    "-1 is none": (
        "doctor signed_choices.csv --missing -1",
        0,
        ["missing: 153 '-1' in 'action'", "(51.0%) have no action", "2 of 2 state-action pairs"],
    ),
    "choices from 1": (
        f"doctor choices_numbered_from_1.csv {PREVIOUS} --subject subjID",
        0,
        ["10 of 10 state-action pairs"],
    ),
    "an unusual subject": (
        f"doctor subject_column_unusual.csv {PREVIOUS}",
        0,
        ["subject from 'subjID'", "in 4 trajectories"],
    ),
    "long identifiers": ("doctor long_ids.csv", 0, ["20 decisions in 4 trajectories of 5 to 5"]),
    "n/a": (
        "doctor bids_missing.tsv --state trial_type --action response --time onset",
        0,
        ["missing: 4 'n/a' in 'response'", "4 of 12 rows (33.3%) have no action"],
    ),
    "a dot": ("doctor missing_dot.csv", 0, [*WALKS, "missing: 1 '.' in 'action'", "(rows 4)"]),
    "#N/A": ("doctor missing_hash_na.csv", 0, [*WALKS, "missing: 1 '#N/A' in 'action'"]),
    "-nan": ("doctor missing_minus_nan.csv", 0, [*WALKS, "missing: 1 '-nan' in 'action'"]),
    "None": ("doctor none_as_name.csv", 2, ["row 1", "'state'", "--named state"]),
    "None as a name": ("doctor none_as_name.csv --named state", 0, WALKS),
    "mixed line ends": ("doctor mixed_line_ends.csv", 0, WALKS),
    "doubled returns": ("doctor doubled_carriage_returns.csv", 0, WALKS),
    "sep=": ("doctor sep_line.csv", 0, WALKS),
    "spaces": ("doctor space_separated.txt", 0, WALKS),
    "quotes after a space": ("doctor quoted_after_space.csv", 0, WALKS),
    "an empty first line": ("doctor blank_first_line.csv", 0, WALKS),
    "a footer": ("doctor footer_row.csv", 2, ["row 17, the last", "'Total'", "Delete this row"]),
    "a date": ("doctor bad_date.csv", 2, ["row 1, column 'time'", "25/08/2023 23:00:00"]),
    "dollars": ("fit dollar_names.csv --bootstrap 0 --folds 2 --history 1", 0, ["Report: out"]),
    "an animal without actions": (
        "fit animal_without_actions.csv --by subject --folds 2 --bootstrap 0 --history 1",
        0,
        ["Mind: s2 has no action at all"],
    ),
    "the doctor names it": (
        "doctor animal_without_actions.csv",
        0,
        ["1 subject has no action at all: s2"],
    ),
    "one-step trials": (
        "doctor one_step_trials.csv",
        2,
        ["ERROR one-step trajectories", "--trajectory none --time COLUMN", "or a world"],
    ),
    "one-step trials in a fit": (
        "fit one_step_trials.csv --bootstrap 0",
        2,
        ["--trajectory none --time COLUMN", "or a world"],
    ),
    "a single state": (
        "fit single_state.csv --intentions 2 --restarts 2 --simulations 2 --bootstrap 0",
        0,
        ["Report: out"],
    ),
    "a column of ends": ("doctor done_column.csv", 0, ["--terminated done"]),
    "two worlds": ("doctor two_worlds.csv", 0, ["names 2 worlds (A, B)", "--world worlds.csv"]),
    "destinations": (
        "doctor destinations.csv --world destinations_world.csv",
        0,
        ["add --goal destination"],
    ),
}

FOLLOWED = {
    # Case: the command that the advice asks for, and what it says then.
    "-1 is a name": ("doctor signed_choices.csv --named action", ["4 of 4 state-action pairs"]),
    "one-step trials": (
        "doctor one_step_trials.csv --trajectory none --time trajectory",
        ["in 5 trajectories of 8 to 8"],
    ),
    "a column of ends": ("doctor done_column.csv --terminated done", ["20 decisions in 5"]),
    "two worlds": (
        "doctor two_worlds.csv --world two_worlds_world.csv",
        ["6 of 6 states visited"],
    ),
    "two worlds compared": (
        "compare two_worlds.csv --by world --folds 2 --world two_worlds_world.csv --history 1",
        ["MaxEnt on state-actions"],
    ),
    "destinations": (
        "doctor destinations.csv --world destinations_world.csv --goal destination",
        ["12 of 16 states visited"],
    ),
    "destinations fitted": (
        "fit destinations.csv --world destinations_world.csv --goal destination --bootstrap 0 "
        "--folds 2 --history 1 --solver maxent-features",
        ["Report: out"],
    ),
}
GIVEN = ("--missing", "--named", "--terminated", "--goal", "--subject", "Delete this row")
"""Advice that is not given again to those who followed it."""


@pytest.fixture
def typed(capsys, tmp_path, monkeypatch):
    """Type a command where the tables lie: exit code, what it printed, what it complained of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    for path in HERE.iterdir():
        if path.suffix in (".csv", ".tsv", ".txt"):
            (tmp_path / path.name).symlink_to(path)
    before = signal.getsignal(signal.SIGTERM)

    def call(command):
        code = main(command.split())
        told = capsys.readouterr()
        return code, " ".join(told.out.split()), told.err

    yield call
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("case", SAID)
def test_each_table_is_read_or_told_what_to_do(typed, tmp_path, case):
    command, expected, words = SAID[case]
    code, out, err = typed(command)
    assert code == expected, (out, err)
    for word in words:
        assert word in (out or err)
    assert ".py" not in err
    if err:
        assert err.startswith("inverseq: error: ")
        assert err.count("\n") == 1
        assert len(re.findall(r"[.;] [A-Z]", err)) <= 1  # two sentences at most
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("case", FOLLOWED)
def test_advice_works_when_it_is_followed_and_is_not_given_again(typed, case):
    command, words = FOLLOWED[case]
    code, out, err = typed(command)
    assert (code, err) == (0, "")
    for word in words:
        assert word in out
    for flag in GIVEN:
        assert flag not in out or flag not in command, (flag, out)


def test_a_deleted_footer_is_the_end_of_it(typed, tmp_path):
    text = (HERE / "footer_row.csv").read_text().rsplit("Total", 1)[0]
    (tmp_path / "cut.csv").write_text(text)
    code, out, _ = typed("doctor cut.csv")
    assert code == 0
    assert WALKS[0] in out


def test_dates_written_as_the_message_asks_are_read(typed, tmp_path):
    text = (HERE / "bad_date.csv").read_text()
    text = re.sub(r"(\d\d)/(\d\d)/(\d{4})", r"\3-\2-\1", text)
    (tmp_path / "good.csv").write_text(text)
    assert typed("doctor good.csv")[0] == 0


def test_signed_choices_are_the_choices_0_and_1():
    signed = read_table(HERE / "signed_choices.csv")
    plain = read_table(HERE / "signed_choices_as_0_1.csv")
    assert signed.action_names == ("-1", "1")
    assert (signed.states == plain.states).all()
    assert (signed.actions == plain.actions).all()


def test_an_animal_without_actions_is_left_out_and_the_others_are_compared():
    demos = read_table(HERE / "animal_without_actions.csv")
    world = Estimate(discount=0.9)
    found = compare(demos, {"IAVI": IAVI()}, world, folds=7, by="subject")["IAVI"]
    assert (found.failure, found.score.sums.size, found.score.num_decisions) == ("", 6, 72)


def test_choices_from_1_are_those_of_names():
    same = {"action": "choice", "state_from_previous": ("choice", "outcome"), "subject": "subjID"}
    found = read_table(HERE / "choices_numbered_from_1.csv", **same)
    named = read_table(HERE / "choices_numbered_from_1.csv", **same, named="choice")
    assert found.action_names == named.action_names == ("1", "2")
    assert (found.states == named.states).all()
    assert (found.actions == named.actions).all()


@pytest.mark.parametrize(
    ("column", "role"),
    [
        *((name, "subject") for name in ("subjID", "SubjectID", "subj_idx", "MouseID")),
        *((name, "subject") for name in ("animal_id", "participant_id", "Rat-Nr", "sub")),
        *((name, "session") for name in ("SessionNumber", "session idx")),
    ],
)
def test_who_decided_is_found_whatever_the_column_is_called(column, role):
    table = {column: ["a", "a", "b", "b"], "state": [0, 1, 0, 1], "action": [0, 1, 1, 0]}
    assert read_table(table).trajectories[role].tolist() == ["a", "b"]


@pytest.mark.parametrize("column", ["TrialNr", "trial_index", "Time", "step_no"])
def test_the_time_is_found_whatever_the_column_is_called(column):
    table = {column: [1, 0], "state": [0, 1], "action": [0, 1]}
    assert read_table(table).states.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("column", "flag"),
    [
        ("Date", "--session Date"),
        ("who", "--subject who"),
        ("recordingID", "--session recordingID"),
        ("onset", "--time onset"),
        ("is_terminal", "--terminated is_terminal"),
        ("terminations", "--terminated terminations"),
    ],
)
def test_an_unused_column_that_looks_like_a_part_is_named_with_its_flag(
    typed, tmp_path, column, flag
):
    values = {"onset": range(8), "is_terminal": [0, 0, 0, 1] * 2, "terminations": [False, True] * 4}
    kept = values.get(column, ["x"] * 4 + ["y"] * 4)
    rows = [f"{k % 2},{(k // 3) % 2},{value}" for k, value in enumerate(kept)]
    (tmp_path / "t.csv").write_text("\n".join([f"state,action,{column}", *rows]))
    assert flag in typed("doctor t.csv")[1]
    assert flag not in typed(f"doctor t.csv {flag}")[1]


@pytest.mark.parametrize("what", ["int64", "uint64", "huge", "polars", "with empty rows"])
def test_identifiers_are_never_rounded(tmp_path, what):
    polars = pytest.importorskip("polars")
    base = {"uint64": 2**63 + 10, "huge": 10**25}.get(what, 1693000000123456700)
    ids = [base + k for k in (0, 0, 1, 1)]
    table = {"state": [0, 1, 0, 1], "action": [0, 1, 1, 0]}
    path = tmp_path / "t.parquet"
    if what == "huge":
        lines = [f"{i},{k % 2},{k // 2}" for k, i in enumerate(ids)]
        path = tmp_path / "t.csv"
        path.write_text("\n".join(["session,state,action", *lines]))
    elif what == "with empty rows":
        frame = polars.DataFrame({**table, "note": [None, *ids[1:]]})
        assert read_table(frame).decisions["note"].tolist() == ["", *map(str, ids[1:])]
        return
    else:
        kind = polars.UInt64 if what == "uint64" else polars.Int64
        frame = polars.DataFrame({**table, "session": polars.Series(ids, dtype=kind)})
        frame.write_parquet(path)
    source = frame if what == "polars" else path
    for named in ((), ("session",)):
        found = read_table(source, named=named).trajectories["session"]
        assert [*map(str, found)] == [str(base), str(base + 1)]


def test_a_limit_for_long_steps_cuts_few_and_says_how_many(typed, tmp_path):
    rng = np.random.default_rng(0)
    steps = np.where(rng.random(1000) < 0.016, 300.0, rng.lognormal(0, 0.5, 1000))
    steps = np.minimum(steps, 300)
    times = np.cumsum(steps)
    rows = [f"{t:.3f},{k % 2},{(k // 3) % 2}" for k, t in enumerate(times)]
    (tmp_path / "t.csv").write_text("\n".join(["time,state,action", *rows]))
    _, out, _ = typed("doctor t.csv")
    told = re.search(r"--longest-step ([\d.]+), which makes (\d+) of 999 steps gaps", out)
    assert int(told[2]) == (steps[1:] == 300).sum()
    assert (
        f"after {told[2]} rows the recording" in typed(f"doctor t.csv --longest-step {told[1]}")[1]
    )


def test_names_that_differ_by_case_or_form_are_told(typed, tmp_path):
    rows = ["Hall,l", "hall,r", "caf\u00e9,l", "cafe\u0301,r"]
    (tmp_path / "t.csv").write_text("\n".join(["state,action", *rows]), encoding="utf-8")
    _, out, _ = typed("doctor t.csv")
    assert "2 states have names that differ only by letter case" in out


def test_a_world_takes_the_names_of_the_table_in_any_letter_case(typed, tmp_path):
    (tmp_path / "t.csv").write_text("Place,Choice\n" + "a,l\nb,r\n" * 8)
    (tmp_path / "w.csv").write_text(
        "PLACE,Choice,NEXT_STATE,Prob\n".replace("PLACE", "Place")
        + "a,l,b,1\na,r,a,1\nb,l,b,1\nb,r,a,1\n"
    )
    code, out, err = typed("doctor t.csv --state Place --action Choice --world w.csv")
    assert (code, err) == (0, "")
    assert "2 of 2 states visited" in out


def test_output_goes_to_a_code_page_of_windows(tmp_path):
    wrong = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(
        [sys.executable, "-m", "inverseq.cli", "doctor", str(HERE / "signed_choices.csv")],
        capture_output=True,
        env=os.environ | wrong,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.fixture
def track(tmp_path):
    """Two animals that drift to the upper right of a video, in `track.csv`."""
    rng = np.random.default_rng(0)
    rows = ["animal,frame,x,y"]
    for animal in "ab":
        steps = rng.normal([0.3, -0.2], 2, (300, 2))
        places = np.clip(np.array([20, 80]) + steps.cumsum(0), 0, 99.9)
        rows += [f"{animal},{k},{x:.2f},{y:.2f}" for k, (x, y) in enumerate(places)]
    (tmp_path / "track.csv").write_text("\n".join(rows))


def test_a_track_becomes_decisions_by_following_the_messages(typed, track):
    command = "doctor track.csv --state x,y --time frame"
    code, _, err = typed(command)
    assert (code, "--action moves" in err) == (2, True)
    code, _, err = typed(f"{command} --action moves")
    assert (code, "--bins x=10,y=10" in err) == (2, True)
    code, out, _ = typed(f"{command} --action moves --bins x=10,y=10")
    assert code == 0
    assert "in 2 trajectories" in out


def test_intervals_become_squares_of_a_map(track, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for upwards, sign in ((False, 1), (True, -1)):
        binned = {"bins": "x=0:20:40:60:80:100,y=0:20:40:60:80:100", "upwards": upwards}
        loaded = load("track.csv", Columns(state="x,y", action="moves", **binned), World())
        lows = [re.findall(r"(\d+)–", name) for name in loaded.data.state_names]
        squares = np.array(lows, dtype=float) / 20
        expected = (squares - squares.min(0)) * (1, sign)
        assert (loaded.settings["coordinates"] == expected).all()
