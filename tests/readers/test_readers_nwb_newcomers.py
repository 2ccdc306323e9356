"""NWB files that lack what most have: what is asked for, and what is listed."""

from datetime import UTC, datetime

import numpy as np
import pytest

import inverseq as iq
from inverseq import InputError

pynwb = pytest.importorskip("pynwb")

NAMES = {"state": "contrast", "action": "choice"}


def blank(name="i"):
    """A session with nothing in it."""
    begun = datetime(2026, 1, 2, tzinfo=UTC)
    return pynwb.NWBFile(session_description="s", identifier=name, session_start_time=begun)


def written(file, path):
    with pynwb.NWBHDF5IO(str(path), "w") as stream:
        stream.write(file)
    return path


def sides(path):
    """Trials with a contrast on one side, a choice, and a lever that is pressed and let go."""
    file = blank(path.stem)
    for column in ("left", "right", "choice", "press", "release"):
        file.add_trial_column(column, "as it says")
    file.add_trial_column("licks", "as it says", index=True)
    for i in range(12):
        left = i % 2 == 0
        told = {"left": 0.25 if left else np.nan, "right": np.nan if left else 1.0}
        told |= {"press": 2.0 * i + 0.1, "release": 2.0 * i + 0.9, "licks": [1.0, 2.0]}
        file.add_trial(start_time=2.0 * i, stop_time=2.0 * i + 1.0, choice="ab"[i % 3 % 2], **told)
    return written(file, path)


def test_what_a_newcomer_leaves_out_is_asked_for(tmp_path):
    path = sides(tmp_path / "x.nwb")
    with pytest.raises(InputError, match=r'where one act ends each trial.*act="release"'):
        iq.read_nwb(path)
    with pytest.raises(InputError, match=r"'licks' of trials in x\.nwb has several values per row"):
        iq.read_nwb(path, state="left", action="licks")
    told = {"state": ("left", "right"), "action": "choice"}
    with pytest.raises(
        InputError, match=r"row 2, column 'left': there is no number \(6 of .*of its own"
    ):
        iq.read_nwb(path, **told)
    for source in (path, [path, sides(tmp_path / "y.nwb")]):
        found = iq.read_nwb(source, named=("left", "right"), **told)
        assert found.state_names == ("0.25|nan", "nan|1")


def test_a_file_with_nothing_to_look_at_says_so(tmp_path):
    with pytest.raises(
        InputError, match=r"holds no trials.*nor units or signals: there is nothing"
    ):
        iq.read_nwb(written(blank(), tmp_path / "x.nwb"), **NAMES)
    file = blank()
    file.add_acquisition(pynwb.TimeSeries(name="dff", data=np.ones(9), unit="1", rate=1.0))
    with pytest.raises(InputError, match=r"no decisions in it.*recording=inverseq.read_recording"):
        iq.read_nwb(written(file, tmp_path / "y.nwb"), **NAMES)


def test_tables_of_units_that_are_not_read_are_listed(tmp_path):
    file = blank()
    file.add_unit(id=0)
    path = written(file, tmp_path / "x.nwb")
    (part,) = iq.list_nwb(path).parts
    assert (part.kind, part.count, part.reason) == ("units", 1, "no spike times")
    assert iq.read_recording(path).left_out == {"units": "no spike times"}
    file = blank()
    for name in ("sorted", "again"):
        table = pynwb.misc.Units(name=name, description="made up")
        table.add_unit(spike_times=[1.0, 2.0])
        file.create_processing_module(name, "made up").add(table)
    path = written(file, tmp_path / "y.nwb")
    parts = {part.name: part.reason for part in iq.list_nwb(path).parts}
    (read,) = [name for name, reason in parts.items() if not reason]
    (other,) = {*parts} - {read}
    assert parts[other] == f"{read} is read"
    assert iq.read_recording(path).num_units == 1
