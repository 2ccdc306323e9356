"""`inverseq neural`: from an NWB file to a page about its neurons, and what it says of bad ones."""

import csv
import json
import re
import sys
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import inverseq as iq
from inverseq import datasets
from inverseq.cli import main
from inverseq.datasets.files import bundled
from inverseq.neural.series import possible

pynwb = pytest.importorskip("pynwb")

QUICK = ("--folds", "2", "--configurations", "1", "--shuffles", "99")


@pytest.fixture
def unwritten(monkeypatch):
    """No report is written: its figures take most of the time."""
    monkeypatch.setattr("inverseq.cli.neural.write", lambda *_: None)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder of the bundled session."""
    folder = tmp_path_factory.mktemp("neural")
    out = folder / "out"
    told = ("--lags", "0,0.1", "--quiet", "--write-nwb", "--out", str(out))
    assert main(["neural", "lever", *QUICK, *told]) == 0
    return out


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return [*csv.DictReader(file)]


def test_the_page_and_all_beside_it_are_written(made):
    page = (made / "report.html").read_text(encoding="utf-8")
    for title in (
        "Which neurons follow it",
        "When it can be read out",
        "Who foretells the release",
    ):
        assert f"<h2>{title}</h2>" in page
    for name in ("raster", "encoding", "decoding", "match", "embedding", "silencing"):
        for ending in ("svg", "pdf", "png"):
            assert (made / "figures" / f"{name}.{ending}").stat().st_size > 1000
    assert iq.load(made / "solution.npz", iq.Solution).reward is not None


def test_tables_hold_every_relation_and_the_movement_neurons_are_found(made):
    rows = rows_of(made / "tables" / "encoding.csv")
    asked = {row["regressor"] for row in rows}
    assert len(rows) == 2 * 15 * len(asked)
    units = datasets.lever().recording.units["population"]
    found = {
        units[int(row["series"].split()[1])]
        for row in rows
        if row["regressor"] == "prediction error" and float(row["adjusted"]) <= 0.05
    }
    assert "movement" in found
    assert "untuned" not in found
    assert {row["area"] for row in rows} == {"M1", "other"}
    # Both lags were asked, so each p-value counts twice.
    assert all(float(row["adjusted"]) >= min(2 * float(row["p"]), 1.0) - 1e-9 for row in rows)
    assert len(rows_of(made / "tables" / "decoding.csv")) == 4 * len(asked)
    match = {row["method"]: row for row in rows_of(made / "tables" / "match.csv")}
    assert float(match["NeuRL"]["near_1"]) > float(match["random"]["near_1"]) + 0.2
    assert {*match} == {*iq.neural.METHODS}


def test_the_summary_says_the_same(made):
    told = json.loads((made / "summary.json").read_text(encoding="utf-8"))["neural"]
    rows = rows_of(made / "tables" / "encoding.csv")
    clear = {row["series"] for row in rows if float(row["adjusted"]) <= 0.05}
    assert told["follow"] == len(clear)
    assert sum(each["follow"] for each in told["areas"]) == len(clear)
    assert told["foretold"]["event"] == "release"
    assert len(told["foretold"]["silenced"]) == 2 * 4
    assert told["covariates"] == ["action", "step"]
    assert ["surprise", "advantage"] in [pair[:2] for pair in told["alike"]]
    remarks = json.loads((made / "summary.json").read_text(encoding="utf-8"))["remarks"]
    assert "Surprise and advantage say the same of these decisions" in " ".join(remarks)
    assert not [each for each in remarks if each[0].islower()]
    page = (made / "report.html").read_text(encoding="utf-8")
    assert re.search(r"<strong>[A-Z][a-z ]+ can be read out best from", page)


def test_fitted_series_are_in_a_copy_that_is_valid(made):
    copy = made / "fitted.nwb"
    data = datasets.lever()
    found = iq.read_recording(copy)
    solution = iq.load(made / "solution.npz", iq.Solution)
    series = iq.neural.regressors(solution, data.demonstrations)
    assert {*found.signals} == {name.replace(" ", "_") for name in series.series}
    assert {*series.series} == {*possible(None)}
    assert np.allclose(found.signals["value"].values[:, 0], series.series["value"])
    assert np.allclose(found.signals["value"].times, data.demonstrations.time)
    assert found.num_units == 15
    require_valid(copy)


def require_valid(path):
    """Neither PyNWB's validator nor nwbinspector finds anything that is wrong."""
    inspector = pytest.importorskip("nwbinspector")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)  # that no version is cached in it
        assert [*pynwb.validate(path=str(path))] == []
    worst = (inspector.Importance.CRITICAL, inspector.Importance.ERROR)
    told = [*inspector.inspect_nwbfile(nwbfile_path=str(path))]
    assert [each for each in told if each.importance in worst] == []


def test_series_of_intentions_are_valid_too(unwritten, tmp_path, inside):
    path = session(tmp_path / "s.nwb")
    told = (*TOLD, *QUICK, "--intentions", "2", "--restarts", "1", "--write-nwb", "--quiet")
    code, _, err = inside("neural", path, *told)
    assert code == 0, err
    copy = tmp_path / "out" / "fitted.nwb"
    signals = iq.read_recording(copy).signals
    assert {*signals} == {name.replace(" ", "_") for name in possible(2)}
    begins = np.isnan(signals["switch"].values[:, 0])
    assert begins.sum() == 10  # of each block, before which nothing is known
    both = signals["intention_1"].values + signals["intention_2"].values
    assert np.allclose(both, 1)
    require_valid(copy)


def test_trials_alone_are_cut_into_steps_and_foretold_alike(tmp_path, inside):
    with bundled("lever.nwb") as path:
        trials = ("neural", path, "--act", "release", *QUICK)
        code, out, err = inside(*trials, "--json")
    assert code == 0, err
    made = json.loads(out)
    page = unescape((tmp_path / "out" / "report.html").read_text(encoding="utf-8"))
    assert "lever.nwb, trials (steps of 0.1 s from 'start_time' to 'release')" in page
    data = datasets.lever()
    plan = iq.NeuralPlan(shuffles=19, configurations=1)
    own = iq.analyse(
        data.demonstrations, iq.Plan(folds=2, bootstrap=0, neural=plan), recording=data.recording
    ).neural.foretold
    told = {each["method"]: each for each in made["neural"]["foretold"]["methods"]}
    for number, name in enumerate(own.found.methods):
        if name == "NNC and clock":  # begins at random numbers, one per state, outcomes included
            continue
        assert told[name]["near_1"] == own.found.matches[number, :, 1].mean(), name


@pytest.mark.parametrize(
    ("told", "message"),
    [
        (("--act", "relase"), "Did you mean 'release'.*--act"),
        (("--act", "release", "--start", "cue"), "trial 1 has no time in 'cue'"),
        (("--start", "cue"), "--start, --stop and --step go with --act"),
        (("--act", "release", "--state", "cue"), "leave out all options of columns but --start"),
        (("--act", "release", "--step", "0"), "--step 0.1 is a time above 0"),
        (("--act", "release", "--decisions", "steps"), "--decisions"),
    ],
)
def test_what_cannot_be_cut_into_steps_is_said(inside, told, message):
    with bundled("lever.nwb") as path:
        code, out, err = inside("neural", path, *told, "--quiet")
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert re.search(message, err), err


def test_trials_in_other_files_are_cut_in_python(inside, walks):
    code, _, err = inside("fit", walks, "--act", "time")
    assert code == 2
    assert "inverseq.steps_of takes any table of trials" in err


def test_the_same_findings_come_from_python(made):
    data = datasets.lever()
    plan = iq.NeuralPlan(shuffles=99, lags=(0.0, 0.1), foretell=None)
    found = iq.analyse(data, iq.Plan(folds=2, bootstrap=0, neural=plan)).neural
    rows = rows_of(made / "tables" / "encoding.csv")
    mine = np.concatenate([each.adjusted.ravel() for each in found.encoding])
    assert mine.tolist() == [float(row["adjusted"]) for row in rows]
    assert found.foretold is None
    assert found.unforetold is None


def session(path, *, units=2, trials=40, area="region", session="s", second=1.0, signal=None):
    """A session with a trial every two seconds, whose first unit answers to what is chosen.

    Its clock of trials may count other seconds; a signal has (start, stop, rate).
    """
    rng = np.random.default_rng(1)
    file = pynwb.NWBFile(
        session_description="a mouse chooses",
        identifier=f"m-{session}",
        session_id=session,
        session_start_time=datetime(2026, 1, 2, tzinfo=UTC),
        subject=pynwb.file.Subject(subject_id="m", species="Mus musculus", sex="F", age="P90D"),
    )
    for name in ("contrast", "choice", "reward") if trials else ():
        file.add_trial_column(name, name)
    for i in range(trials):
        side = int(rng.integers(2))
        told = {"contrast": ("weak", "strong")[side], "choice": ("left", "right")[side]}
        told["reward"] = float(rng.integers(2))
        start = 2.0 * i * second
        file.add_trial(start_time=start, stop_time=start + second, **told)
    if signal is not None:
        start, stop, rate = signal
        values = rng.normal(size=round((stop - start) * rate))
        kept = {"starting_time": float(start), "rate": rate, "unit": "1", "data": values}
        file.add_acquisition(pynwb.TimeSeries(name="dff", **kept))
    if units:
        file.add_unit_column(area, "where it is")
    for unit in range(units):
        times = np.sort(rng.uniform(0, 2 * max(trials, 1), 400))
        file.add_unit(spike_times=times, **{area: ("CA1", "VISp")[unit % 2]})
    with pynwb.NWBHDF5IO(str(path), "w") as stream:
        stream.write(file)
    return path


TOLD = ("--state", "contrast", "--action", "choice", "--blocks", "10")


def test_trials_of_any_laboratory_are_related(tmp_path, inside, monkeypatch):
    monkeypatch.setattr("inverseq.reporting.report._MOST_AS_TEXT", 7)
    path = session(tmp_path / "s.nwb")
    told = (*TOLD, *QUICK, "--area", "region", "--window=-0.5,0.5", "--correction", "bh")
    code, out, err = inside("neural", path, *told, "--json")
    assert code == 0, err
    made = json.loads(out)["neural"]
    assert made["series"] == 2
    assert {each["area"] for each in made["areas"]} == {"CA1", "VISp"}
    assert made["covariates"] == ["action", "step", "reward"]
    assert "foretold" not in made
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "comes after the decision" in page
    assert not (tmp_path / "out" / "fitted.nwb").exists()
    tables = tmp_path / "out" / "tables"
    assert (tables / "encoding.parquet").exists()  # of more relations than stand in a text
    assert not (tables / "encoding.csv").exists()


@pytest.mark.parametrize(
    ("how", "told", "message", "then"),
    [
        ({"units": 0}, (), "s.nwb holds no units and no signals", None),
        ({"trials": 0}, (), "holds no trials, nor any other intervals or events", None),
        (
            {"second": 1000.0},
            (),
            r"0 of 40 decisions have all recorded .* 0 to 78000 s, spikes at .* give times in seco",
            None,
        ),
        (
            {"units": 0, "signal": (0, 80, 1.0)},
            (),
            r"0 of 40 decisions .* a sample every 1 s.* --window=-6.0,0.0 --bin-width 2",
            ("--window=-6,0", "--bin-width", "2"),
        ),
        (
            {},
            ("--area", "place"),
            "no column 'place'; there are .*--area area",
            ("--area", "area"),
        ),
        ({}, ("--units", "region=V4"), "no unit has region=V4; there region is", None),
        ({}, ("--units", "quality=good"), "--units area=CA1", ("--units", "area=CA1")),
        ({}, ("--units", "good"), "--units quality=good is its form; got good", None),
        ({}, ("--signals", "lfp"), "no signal 'lfp'", None),
        ({}, ("--regressors", "hope"), "no regressor 'hope'; there are", None),
        ({}, ("--beyond", "mood"), "no covariate 'mood'; there are action, state", None),
        (
            {},
            ("--null", "exchange"),
            "--within trajectory",
            ("--null", "exchange", "--within", "block"),
        ),
        ({}, ("--window", "0.1"), "--window takes two times", None),
        ({}, ("--lags", "a"), "--lags takes seconds", None),
        ({}, ("--folds", "30"), "too few for 30 blocks.*--folds 19 or", ("--folds", "19")),
        ({}, ("--foretell", "right"), "'right' is taken in .* does not end a wait", None),
        ({}, ("--foretell", "jump"), "no action 'jump'; there are left, right", None),
    ],
)
def test_bad_input_is_one_message_with_advice_that_works(
    unwritten, tmp_path, inside, how, told, message, then
):
    path = session(tmp_path / "s.nwb", **how)
    common = (*TOLD, *(() if "--folds" in told else QUICK[:2]), *QUICK[2:], "--quiet")
    code, out, err = inside("neural", path, *common, *told)
    assert (code, out) == (2, "")
    assert err.startswith("inverseq: error: ")
    assert len(err.splitlines()) == 1
    assert re.search(message, err), err
    assert not (tmp_path / "out").exists()
    if then is not None:
        common = (*TOLD, *(() if "--folds" in then else QUICK[:2]), *QUICK[2:], "--quiet")
        assert inside("neural", path, *common, *then)[0] == 0


def test_decisions_without_a_recording_are_left_out_and_counted(unwritten, tmp_path, inside):
    path = session(tmp_path / "s.nwb", units=0, signal=(0, 41, 20.0))
    code, out, err = inside("neural", path, *TOLD, *QUICK, "--json")
    assert code == 0, err
    found = json.loads(out)
    # The first is at 0 s, where the signal begins; those from 42 s on are after its end.
    assert found["neural"]["outside"] == 20
    assert any("20 of 40 decisions are left out" in each for each in found["remarks"])
    waits = ("--act", "stop_time", "--step", "0.2", "--bin-width", "0.1")
    code, out, err = inside("neural", path, *waits, *QUICK, "--json")
    assert code == 0, err
    assert json.loads(out)["neural"]["foretold"]["left_out"] == 20


def test_what_is_no_nwb_file_is_refused(tmp_path, inside, walks):
    code, _, err = inside("neural", walks)
    assert code == 2
    assert "walks.csv is no NWB file" in err
    broken = tmp_path / "broken.nwb"
    broken.write_text("no")
    assert "broken.nwb cannot be read as NWB" in inside("neural", broken)[2]
    assert "nothing was recorded beside the data set 'mice'" in inside("neural", "mice")[2]
    assert "there is no file" in inside("neural", "missing.nwb")[2]


def test_several_sessions_are_taken_one_at_a_time(tmp_path, inside):
    folder = tmp_path / "sessions"
    folder.mkdir()
    for name in "ab":
        session(folder / f"{name}.nwb", session=name)
    code, _, err = inside("neural", folder, *TOLD)
    assert code == 2
    assert f"inverseq neural {folder / 'a.nwb'}" in err.replace("\n", " ")


def test_too_few_trials_to_foretell_are_said(tmp_path, inside, unwritten):
    script = Path(__file__).parents[2] / "scripts"
    sys.path.insert(0, str(script))
    try:
        import lever_nwb
    finally:
        sys.path.remove(str(script))
    short = iq.worlds.lever_session(iq.worlds.Rat(), 10, seed=0, neurons=iq.worlds.Neurons(each=1))
    lever_nwb.written(short, tmp_path / "short.nwb")
    told = ("--decisions", "decisions", "--trajectory", "trial", "--shuffles", "19", "--quiet")
    code, _, err = inside("neural", tmp_path / "short.nwb", *told, "--foretell", "release")
    assert code == 2
    assert "10 trials are too few to foretell 'release' in 5 folds" in err
    assert "--folds 2" in err
    code, out, err = inside("neural", tmp_path / "short.nwb", *told[:-1], "--json")
    assert code == 0
    assert any("10 trials are too few" in each for each in json.loads(out)["remarks"])
