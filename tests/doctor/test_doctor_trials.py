"""Trials with times: in order, apart, and their events inside them."""

import numpy as np
import pytest

import inverseq as iq
from inverseq.cli import main
from inverseq.doctor import About

STARTS = 100.0 + 2.0 * np.arange(20)


def table(**columns):
    """Two sessions of ten trials of one second, with the columns changed that are given."""
    made = {
        "state": np.arange(20) % 3,
        "action": np.arange(20) % 2,
        "session": np.repeat(["a", "b"], 10),
        "trial_start": STARTS,
        "trial_end": STARTS + 1.0,
        "cue": STARTS + 0.3,
        "delay": np.full(20, 0.3),
        "reward": np.arange(20) % 2 * 1.5,
    }
    return made | columns


def found(columns, **roles):
    diagnosis = iq.diagnose(iq.read_table(columns, **roles))
    about = (About.BACKWARDS, About.TRIALS_OVERLAP, About.EVENTS_SHIFTED, About.EVENTS_OUTSIDE)
    return {f.about: f for f in diagnosis.findings if f.about in about}


@pytest.mark.parametrize("time", ["trial_start", None])
def test_good_trials_need_no_word(time):
    assert found(table(), time=time) == {}


@pytest.mark.parametrize("time", ["trial_start", None])
def test_events_of_the_next_trial_are_shifted(time):
    late = found(table(cue=STARTS + 2.3), time=time)[About.EVENTS_SHIFTED]
    assert late.values == {"column": "cue", "where": "after"}
    assert late.count == 18  # the last of each session has no trial after it
    early = found(table(cue=STARTS - 1.7), time=time)[About.EVENTS_SHIFTED]
    assert early.values["where"] == "before"


def test_single_events_outside_are_counted_with_their_rows():
    cue = STARTS + 0.3
    cue[[4, 7]] += 1.0
    cue[9] = np.nan
    outside = found(table(cue=cue))[About.EVENTS_OUTSIDE]
    assert (outside.count, outside.rows, outside.values["of"]) == (2, (5, 8), 19)


def test_ends_before_beginnings_and_overlaps_are_named():
    ends = STARTS + 1.0
    ends[3], ends[5] = STARTS[3] - 0.1, STARTS[5] + 2.5
    here = found(table(trial_end=ends))
    assert here[About.BACKWARDS].rows == (4,)
    assert here[About.TRIALS_OVERLAP].rows == (6,)


def test_a_time_that_only_counts_is_no_beginning():
    columns = table(trial=np.arange(20), trial_end=np.full(20, -1.0) - np.arange(20))
    del columns["trial_start"], columns["cue"]
    assert found(columns, time="trial") == {}


def test_actions_that_were_never_seen_at_a_state_do_not_exist_where_that_is_said(tmp_path, capsys):
    file = tmp_path / "t.csv"
    file.write_text("state,action\n" + "a,go\na,stay\nb,back\n" * 20)
    main(["doctor", str(file)])
    told = " ".join(capsys.readouterr().out.split())
    assert "3 of 6 state-action pairs" in told
    assert "--actions seen" in told
    main(["doctor", str(file), "--actions", "seen"])
    assert "3 of 3 state-action pairs taken" in " ".join(capsys.readouterr().out.split())


def test_empty_cells_settle_what_the_doctor_said(tmp_path, capsys):
    file = tmp_path / "t.csv"
    for cell in ("109.9", ""):
        rows = [f"{i % 3},{i % 2},{10 * i},{10 * i + 5},{10 * i + 2}" for i in range(20)]
        rows[3] = f"0,1,30,35,{cell}"
        file.write_text("\n".join(["state,action,start_time,end_time,cue_time", *rows]) + "\n")
        main(["doctor", str(file), "--time", "start_time"])
        told = capsys.readouterr().out
        assert ("of 20 times in cue_time lie outside" in told) == bool(cell)


def test_visits_that_lasted_lack_no_rows():
    t = np.arange(200)
    x = np.minimum(t % 40, 39 - t % 40) // 3
    walk = {"x": x, "y": np.zeros(200, dtype=int), "frame": t}
    diagnosis = iq.diagnose(iq.read_table(walk, state=("x", "y"), action="moves", time="frame"))
    assert About.PAUSES not in {f.about for f in diagnosis.findings}
    holes = table(trial_start=None, trial_end=None, cue=None, t=np.arange(20) + (t[:20] > 8))
    holes = {name: values for name, values in holes.items() if values is not None}
    (pause,) = (f for f in iq.diagnose(iq.read_table(holes, time="t")).findings
                if f.about is About.PAUSES)  # fmt: skip
    assert (pause.rows, pause.values["limit"]) == ((9,), 1.5)


@pytest.mark.parametrize("name", ["done", "Finished", "episode_ended"])
def test_a_column_of_ends_is_named(name):
    diagnosis = iq.diagnose(iq.read_table(table() | {name: np.arange(20) % 10 == 9}))
    told = [f.values["column"] for f in diagnosis.findings if f.about is About.UNUSED_END]
    assert told == [name]
