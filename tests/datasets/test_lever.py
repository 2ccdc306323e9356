"""The bundled session of a rat at a lever is what it says, and a valid NWB file."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from inverseq import datasets, list_nwb

pynwb = pytest.importorskip("pynwb")

ROOT = Path(__file__).parents[2]
_spec = importlib.util.spec_from_file_location("lever_nwb", ROOT / "scripts" / "lever_nwb.py")
script = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(script)


@pytest.fixture(scope="module")
def data():
    return datasets.lever()


def test_the_file_holds_what_the_script_simulates(data):
    session, demos = script.simulated(), data.demonstrations
    for name in ("states", "actions", "next_states", "terminated", "starts", "time"):
        assert (getattr(demos, name) == getattr(session.demonstrations, name)).all(), name
    assert data.recording.num_units == session.recording.num_units == 15
    for unit in range(15):
        there = data.recording.unit(unit)
        simulated = session.recording.unit(unit)
        assert np.abs(simulated[:, None] - there).min(axis=1).max() <= script.CLOCK / 2
    for name, column in session.recording.units.items():
        assert data.recording.units[name].tolist() == column.tolist()
    for name, times in session.recording.events.items():
        assert data.recording.events[name].tolist() == times.tolist()


@pytest.mark.filterwarnings("ignore:The file .* has no cached namespace")
def test_the_file_is_valid_and_small():
    inspector = pytest.importorskip("nwbinspector")
    assert script.FILE.stat().st_size < 300_000
    assert [*pynwb.validate(path=str(script.FILE))] == []
    assert [*inspector.inspect_nwbfile(nwbfile_path=str(script.FILE))] == []
    kinds = {part.name: part.kind for part in list_nwb(script.FILE).parts}
    assert kinds["trials"] == kinds["decisions"] == "intervals"
    assert kinds["cue"] == "events"
