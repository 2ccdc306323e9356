"""NWB files made here as labs make them: what is read, what is said, what goes back in."""

import shlex
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from test_readers_nwb_newcomers import NAMES, blank, written

import inverseq as iq
from inverseq import InputError, Signal
from inverseq.app.rows import FIRST, look_at
from inverseq.cli import main

pynwb = pytest.importorskip("pynwb")
h5py = pytest.importorskip("h5py")

TRIALS = 12


def session(
    path, *, subject="m1", name="day1", trials=TRIALS, cue=0.2, rows=None, units=True, **about
):
    """A session with trials of 0.8 s every second, three units in two areas, signals and events."""
    file = pynwb.NWBFile(
        session_description="a mouse chooses",
        identifier=f"{subject}-{name}",
        session_id=name,
        session_start_time=datetime(2026, 1, 2, tzinfo=UTC),
        experimenter=["Doe, Jane"],
        institution="nowhere",
        keywords=["choice"],
        experiment_description="made up",
    )
    known = {"species": "Mus musculus", "sex": "M", "age": "P90D", "description": "made up"}
    file.subject = pynwb.file.Subject(subject_id=subject, **known | about)
    for column in ("contrast", "choice", "cue_time", "lick_times") if trials else ():
        file.add_trial_column(column, "as it says", index=column == "lick_times")
    rng = np.random.default_rng(0)
    for i in range(trials):
        start = 10.0 + i
        told = {"start_time": start, "stop_time": start + 0.8, "cue_time": start + cue}
        told |= {"contrast": float(i % 3), "choice": ["left", "right"][int(rng.integers(2))]}
        told |= (rows or {}).get(i, {})
        file.add_trial(**told, lick_times=[start + 0.3, start + 0.4])
    if units:
        device = file.create_device("probe", description="made up")
        group = file.create_electrode_group("g", "made up", "VISp", device)
        for area in ("VISp", "CA1"):
            file.add_electrode(location=area, group=group)
        file.add_unit_column("quality", "of sorting")
        for u in range(3):
            times = np.sort(rng.uniform(10, 20, 30))
            file.add_unit(spike_times=times, electrodes=[u % 2], quality=f"q{u}")
    file.add_acquisition(
        pynwb.TimeSeries(
            name="lfp", data=np.arange(50, dtype=np.int16), unit="V", conversion=0.5, rate=10.0
        )
    )
    behaviour = file.create_processing_module("behavior", "made up")
    behaviour.add(
        pynwb.TimeSeries(
            name="wheel", data=np.ones((4, 2)), unit="cm", timestamps=[1.0, 2.0, 4.0, 8.0]
        )
    )
    behaviour.add(
        pynwb.TimeSeries(name="broken", data=np.ones(3), unit="cm", timestamps=[1.0, 3.0, 2.0])
    )
    licks = file.create_events_table(name="licks", description="made up")
    for when in (10.5, 11.5, 12.5):
        licks.add_event(timestamp=when)
    with pynwb.NWBHDF5IO(str(path), "w") as stream:
        stream.write(file)
    return path


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    return session(tmp_path_factory.mktemp("nwb") / "day1.nwb")


def test_trials_are_decisions(day):
    demos = iq.read_nwb(day, **NAMES)
    assert demos.num_decisions == TRIALS
    assert demos.states.tolist() == [0, 1, 2] * 4
    assert demos.action_names == ("left", "right")
    assert demos.time.tolist() == [10.0 + i for i in range(TRIALS)]
    assert {*demos.decisions} == {"start_time", "stop_time", "cue_time"}
    assert demos.trajectories["subject"].tolist() == ["m1"]
    assert demos.trajectories["session"].tolist() == ["day1"]
    assert "lick_times" not in demos.decisions  # listed as not read, below


def test_events_and_other_intervals_are_decisions_by_name(day):
    with pytest.raises(InputError, match=r"'state'.*'timestamp'"):
        iq.read_nwb(day, decisions="licks")
    demos = iq.read_nwb(day, decisions="licks", state="subject", action="session")
    assert demos.time.tolist() == [10.5, 11.5, 12.5]


def test_sessions_of_a_folder_are_joined(tmp_path):
    session(tmp_path / "a.nwb", name="a", units=False)
    session(tmp_path / "b.nwb", name="b", trials=5, units=False)
    demos = iq.read_nwb(tmp_path, **NAMES)
    assert np.diff(demos.starts).tolist() == [TRIALS, 5]
    assert demos.trajectories["session"].tolist() == ["a", "b"]
    shutil.copy(tmp_path / "a.nwb", tmp_path / "c.nwb")
    with pytest.raises(InputError, match=r"a\.nwb and c\.nwb both hold session 'a'"):
        iq.read_nwb(tmp_path, **NAMES)


def test_what_a_file_says_of_its_subject_tells_groups_apart(tmp_path):
    for subject, genotype in (("m1", "wt"), ("m2", "ko"), ("m3", None)):
        session(tmp_path / f"{subject}.nwb", subject=subject, units=False, genotype=genotype)
    found = iq.read_nwb(tmp_path, **NAMES).trajectories
    assert [*map(str, found["genotype"])] == ["wt", "ko", ""]
    assert found["sex"].tolist() == ["M"] * 3
    assert "strain" not in found


def test_the_page_offers_the_columns_of_trials(day, tmp_path):
    seen = look_at("tables/day1.nwb", day)
    assert {"contrast", "choice", "subject"} <= {*seen["columns"]}
    assert "lick_times" not in seen["columns"]
    assert seen["guesses"] == {"subject": "subject", "session": "session", "time": "start_time"}
    assert (seen["count"], len(seen["rows"])) == (TRIALS, FIRST)
    late = session(tmp_path / "late.nwb", units=False, rows={0: {"cue_time": np.nan}})
    cells = dict(zip(seen["columns"], look_at("late.nwb", late)["rows"][0], strict=True))
    assert (cells["cue_time"], cells["contrast"]) == (None, "0.0")
    none = session(tmp_path / "none.nwb", trials=0)
    assert look_at("none.nwb", none)["columns"] == []


def test_units_signals_events_and_intervals_are_a_recording(day):
    found = iq.read_recording(day)
    assert found.num_units == 3
    assert all((np.diff(found.unit(u)) >= 0).all() for u in range(3))
    assert found.units["area"].tolist() == ["VISp", "CA1", "VISp"]
    assert found.units["quality"].tolist() == ["q0", "q1", "q2"]
    assert found.take(found.units["area"] == "CA1").unit(0).tolist() == [*found.unit(1)]
    lfp, wheel = found.signals["lfp"], found.signals["wheel"]
    assert (lfp.values[:, 0] == np.arange(50) * 0.5).all()
    assert lfp.times[:3].tolist() == [0.0, 0.1, 0.2]
    assert wheel.times.tolist() == [1.0, 2.0, 4.0, 8.0]
    assert wheel.values.shape == (4, 2)
    assert found.events["licks"].tolist() == [10.5, 11.5, 12.5]
    assert found.intervals["trials"].shape == (TRIALS, 2)
    assert "sample 2 is not after the last" in found.left_out["broken"]
    assert {*iq.read_recording(day, signals=("wheel",)).signals} == {"wheel"}
    with pytest.raises(InputError, match=r"'broken'.*times of samples must rise; sample 2"):
        iq.read_recording(day, signals=("broken",))
    with pytest.raises(InputError, match=r"no signal 'whel'; there are .*'wheel'"):
        iq.read_recording(day, signals=("whel",))


def test_a_recording_is_one_file(day, tmp_path):
    found = iq.read_recording(day)
    back = iq.load(iq.save(found, tmp_path / "r.npz"), iq.Recording)
    assert (back.spikes == found.spikes).all()
    assert back.units["area"].tolist() == found.units["area"].tolist()
    assert (back.signals["wheel"].values == found.signals["wheel"].values).all()


def test_pynapple_has_the_same_numbers(day):
    pytest.importorskip("pynapple")
    found = iq.read_recording(day)
    made = iq.to_pynapple(found)
    assert (made["units"][1].times() == found.unit(1)).all()
    assert [*made["units"]["area"]] == ["VISp", "CA1", "VISp"]
    assert (made["wheel"].values == found.signals["wheel"].values).all()
    assert made["licks"].times().tolist() == [10.5, 11.5, 12.5]


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"rows": {3: {"start_time": np.nan}}}, "row 4, column 'start_time': the time is"),
        ({"trials": 0}, "holds no table 'trials', and .* .'licks'. have times alone"),
    ],
)
def test_trials_that_cannot_be_read_are_refused(tmp_path, how, message):
    path = session(tmp_path / "x.nwb", units=False, **how)
    with pytest.raises(InputError, match=message):
        iq.read_nwb(path, **NAMES)


def test_a_file_without_units_says_so(tmp_path):
    found = iq.read_recording(session(tmp_path / "x.nwb", units=False))
    with pytest.raises(InputError, match=r"x\.nwb holds 0 units, and no unit 0"):
        found.unit(0)


def with_other(path, target, place, values):
    """A copy of a file in which other values stand at one place."""
    shutil.copy(path, target)
    with h5py.File(target, "r+") as file:
        attributes = dict(file[place].attrs)
        del file[place]
        made = file.create_dataset(place, data=values)
        for name, value in attributes.items():
            made.attrs[name] = value
    return target


@pytest.mark.parametrize("index", [[60, 30, 90], [30, 60, 80], [30, 60, 100]])
def test_spikes_whose_index_does_not_fit_are_refused(day, tmp_path, index):
    path = with_other(day, tmp_path / "x.nwb", "units/spike_times_index", index)
    with pytest.raises(InputError, match=r"x\.nwb: .*spike_times_index must rise to the 90 spikes"):
        iq.read_recording(path)
    assert iq.read_recording(path, units=False).num_units == 0  # as the message says


def test_spikes_without_a_time_name_their_file(day, tmp_path):
    path = with_other(day, tmp_path / "x.nwb", "units/spike_times", np.full(90, np.nan))
    with pytest.raises(InputError, match=r"x\.nwb: unit 0 has 30 spikes without a time"):
        iq.read_recording(path)


def test_events_without_a_time_are_left_out_and_said(day, tmp_path):
    path = with_other(day, tmp_path / "x.nwb", "events/licks/timestamp", [1.0, np.nan, 0.5])
    found = iq.read_recording(path)
    assert found.events["licks"].tolist() == [0.5, 1.0]
    assert found.left_out["licks"] == "1 of 3 events without a time"


def test_the_advice_for_a_large_signal_works(day, monkeypatch):
    monkeypatch.setattr("inverseq.readers.nwb.recording._LARGEST", 100)
    reason = iq.read_recording(day).left_out["lfp"]
    assert reason.endswith('read it with signals="lfp"')
    assert {*iq.read_recording(day, signals="lfp").signals} == {"lfp"}


def test_a_listing_reads_no_waveforms(tmp_path, monkeypatch):
    file = pynwb.NWBFile(
        session_description="s", identifier="i", session_start_time=datetime(2026, 1, 2, tzinfo=UTC)
    )
    file.add_unit_column("quality", "of sorting")
    for _ in range(2):
        file.add_unit(spike_times=[1.0], waveform_mean=np.ones((40, 3)), quality="good")
    with pynwb.NWBHDF5IO(str(tmp_path / "w.nwb"), "w") as stream:
        stream.write(file)
    read, plain = [], h5py.Dataset.__getitem__

    def watched(self, *where):
        read.append(self.name)
        return plain(self, *where)

    monkeypatch.setattr(h5py.Dataset, "__getitem__", watched)
    (units,) = [part for part in iq.list_nwb(tmp_path / "w.nwb").parts if part.kind == "units"]
    assert units.columns == ("quality",)
    assert units.unread == ("waveform_mean",)
    assert "/units/quality" in read
    assert "/units/waveform_mean" not in read


def test_rows_of_several_files_are_told_apart(tmp_path, capsys):
    session(tmp_path / "a.nwb", name="a", units=False)
    session(tmp_path / "b.nwb", name="b", units=False, rows={3: {"start_time": np.nan}})
    with pytest.raises(InputError, match="row 16, column 'start_time'") as error:
        iq.read_nwb(tmp_path, **NAMES)
    note = "rows are counted through all files: a.nwb 1 to 12, b.nwb 13 to 24"
    assert error.value.__notes__ == [note]
    assert main(["doctor", str(tmp_path), "--state", "contrast", "--action", "choice"]) == 2
    assert note in capsys.readouterr().err


def test_what_is_no_nwb_file_is_refused(tmp_path):
    broken = tmp_path / "it is broken.nwb"
    broken.write_bytes(b"not at all")
    with pytest.raises(InputError, match="pynwb-validate") as error:
        iq.list_nwb(broken)
    typed = shlex.split(str(error.value).split("`")[1])
    assert shutil.which(typed[0], path=str(Path(sys.executable).parent)) is not None
    assert typed[1] == str(broken)
    for read in (iq.read_nwb, iq.read_recording, iq.list_nwb):
        with pytest.raises(InputError, match=r"broken\.nwb cannot be read as NWB: .* whole"):
            read(broken)
    with pytest.raises(InputError, match="there is no file"):
        iq.read_nwb(tmp_path / "missing.nwb")


def test_without_the_package_the_line_to_type_is_said(monkeypatch, day):
    monkeypatch.setitem(sys.modules, "pynwb", None)
    with pytest.raises(InputError, match=r'pip install "inverseq\[nwb\]"'):
        iq.read_nwb(day)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"cue": 1.2}, "cue_time do not lie in their own trial but in the one after it"),
        ({"cue": -0.8}, "cue_time do not lie in their own trial but in the one before it"),
        ({"rows": {2: {"stop_time": 11.0}}}, "1 trials end before they begin"),
        ({"rows": {2: {"stop_time": 13.5}}}, "1 trials go on (stop_time) after the next"),
        ({"rows": {4: {"cue_time": 99.0}}}, "1 of 12 times in cue_time lie outside their trial"),
        ({}, "units units: 3 units with quality"),
        ({}, "events licks: 3 rows with timestamp"),
        ({}, "not read (several values per row, or references): lick_times"),
        ({}, "signal wheel: 4 samples"),
    ],
)
def test_the_doctor_lists_the_file_and_looks_at_its_trials(tmp_path, capsys, how, words):
    path = session(tmp_path / "x.nwb", **how)
    code = main(["doctor", str(path), "--state", "contrast", "--action", "choice"])
    told = " ".join(capsys.readouterr().out.split())
    assert words in told
    assert code == (2 if "ERROR" in told else 0)
    assert how or "their trial" not in told


def test_the_advice_of_the_doctor_works(tmp_path, capsys):
    def told(path, *options):
        code = main(["doctor", str(path), *options])
        found = capsys.readouterr()
        return code, " ".join((found.out + found.err).split())

    file = blank()
    for name, rows in (("epochs", 2), ("task", 12), ("lights", 20)):
        table = pynwb.epoch.TimeIntervals(name=name, description="made up")
        for column in ("stim", "went") if name != "lights" else ():
            table.add_column(column, "as it says")
        for i in range(rows):
            row = {} if name == "lights" else {"stim": f"s{i % 3}", "went": "ab"[i % 2]}
            table.add_row(start_time=2.0 * i, stop_time=2.0 * i + 1.0, **row)
        file.add_time_intervals(table)
    path = written(file, tmp_path / "x.nwb")
    code, said = told(path)
    assert (code, "--decisions task" in said) == (2, True)  # the longest with more than times
    task = ("--decisions", "task", "--state", "stim", "--action", "went")
    assert told(path, *task)[0] == 0
    code, said = told(path, "--decisions", "lights")
    assert (code, "times alone" in said, "--act stop_time" in said) == (2, True, True)
    assert told(path, "--decisions", "lights", "--act", "stop_time")[0] == 0


def test_fitted_series_go_into_a_copy(day, tmp_path):
    demos = iq.read_nwb(day, **NAMES)
    copy = tmp_path / "copy.nwb"
    value = Signal(
        demos.time, 1.0 * demos.states[:, None], unit="reward", description="Value of each trial."
    )
    both = Signal(demos.time + 0.1, np.ones((TRIALS, 2)), channels=("one", "two"))
    before = day.read_bytes()
    assert iq.write_nwb(day, copy, {"value": value, "posterior": both}) == copy
    assert day.read_bytes() == before
    found = iq.read_recording(copy)
    assert (found.signals["value"].values == value.values).all()
    assert np.allclose(found.signals["posterior"].times, both.times)
    assert found.num_units == 3
    errors = pynwb.validate(path=str(copy))
    assert [*errors] == []
    with pytest.raises(InputError, match="has a series 'value' already"):
        iq.write_nwb(copy, tmp_path / "again.nwb", {"value": value})
    assert not (tmp_path / "again.nwb").exists()
    with pytest.raises(InputError, match="is the file itself"):
        iq.write_nwb(copy, copy, {"more": value})
    assert iq.write_nwb(copy, tmp_path / "again.nwb", {"more": value}).exists()


def test_inspectors_and_pynapple_take_the_copy(day, tmp_path):
    inspector = pytest.importorskip("nwbinspector")
    nap = pytest.importorskip("pynapple")
    demos = iq.read_nwb(day, **NAMES)
    times = demos.time + 0.01 * demos.states
    values = Signal(times, 1.0 * demos.states[:, None], unit="reward", description="Value.")
    copy = iq.write_nwb(day, tmp_path / "copy.nwb", {"value": values})
    found = [m for m in inspector.inspect_nwbfile(nwbfile_path=str(copy)) if "value" in str(m)]
    critical = (inspector.Importance.CRITICAL, inspector.Importance.ERROR)
    assert [m for m in found if m.importance in critical] == []
    opened = nap.load_file(str(copy))
    assert (opened["value"].values == values.values[:, 0]).all()
    assert len(opened["units"]) == 3


def test_commands_take_a_file_or_a_folder(tmp_path, capsys):
    for k in range(2):
        session(tmp_path / f"{k}.nwb", name=f"d{k}", units=False)
    told = ["--state", "contrast", "--action", "choice"]
    assert main(["doctor", str(tmp_path), *told]) == 0
    assert "24 decisions in 2 trajectories" in capsys.readouterr().out
    table = tmp_path / "t.csv"
    table.write_text("state,action\n0,1\n")
    assert main(["doctor", str(table), "--decisions", "licks"]) == 2
    assert "--decisions names a table in an NWB file" in capsys.readouterr().err
