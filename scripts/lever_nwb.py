"""Writes the bundled session of a simulated rat, `src/inverseq/datasets/data/lever.nwb`.

python scripts/lever_nwb.py [FILE]
"""

import sys
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pynwb
from hdmf.backends.hdf5.h5_utils import H5DataIO

from inverseq.worlds import LeverSession, Neurons, Rat, lever_session

FILE = Path(__file__).parents[1] / "src" / "inverseq" / "datasets" / "data" / "lever.nwb"
CLOCK = 1 / 1024
"""Seconds to which times of spikes are rounded, so that the file is small."""
PACKING = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
_BUSY = ("press", "cue", "release", "treat")


def simulated() -> LeverSession:
    """The session as it was simulated."""
    return lever_session(Rat(), 100, seed=3, neurons=Neurons(each=3, signal=2.0))


def written(session: LeverSession, path: Path) -> None:
    """The session as an NWB file: trials, decisions, events and units."""
    file = pynwb.NWBFile(
        session_description="A simulated rat holds a lever until a cue at 1.6 s, and lets go.",
        identifier="inverseq-lever-1",
        session_id="lever-1",
        session_start_time=datetime(2026, 11, 2, tzinfo=UTC),
        experimenter=["Simulation, A."],
        institution="inverseq",
        lab="inverseq",
        keywords=["simulation", "response preparation", "NeuRL"],
        experiment_description="Made with inverseq.worlds.lever_session.",
        related_publications=["doi:10.48550/arXiv.2204.04733"],
        data_collection="Simulated; licence MIT.",
    )
    file.subject = pynwb.file.Subject(
        subject_id="rat-1",
        species="Rattus norvegicus",
        sex="U",
        age="P90D",
        description="Simulated; wants treats, and pays for holding.",
    )
    _trials(file, session)
    _decisions(file, session)
    for name in _BUSY:
        table = file.create_events_table(name=name, description=f"Times of each {name}.")
        for when in session.recording.events[name]:
            table.add_event(timestamp=float(when))
    _units(file, session)
    with h5py.File(path, "w", libver="latest") as plain:  # whose headers are smaller
        pynwb.NWBHDF5IO(file=plain, mode="w").write(file, cache_spec=False)


def _trials(file: pynwb.NWBFile, session: LeverSession) -> None:
    """One row per trial."""
    columns = session.demonstrations.trajectories
    told = {"cue": "Time of the cue (s).", "release": "Time of the release (s).", "outcome": "How."}
    for name, what in told.items():
        file.add_trial_column(name, what)
    ends = np.append(columns["press"][1:], columns["press"][-1] + 4.0)
    for row, press in enumerate(columns["press"]):
        stop = np.nanmax([columns["release"][row], press + 0.1]) + 0.1
        further = {name: columns[name][row] for name in told}
        file.add_trial(start_time=press, stop_time=float(min(stop, ends[row])), **further)


def _decisions(file: pynwb.NWBFile, session: LeverSession) -> None:
    """One row per bin of 0.1 s in which the rat holds or releases."""
    demos = session.demonstrations
    actions = np.array(demos.action_names)[demos.actions]
    columns = {
        "start_time": (demos.time, "Beginning of the bin (s)."),
        "stop_time": (demos.time + 0.1, "Its end (s)."),
        "state": (demos.states, "Bin since the press; 30 to 32: early, treat, late."),
        "action": (actions.tolist(), "What was done."),
        "next_state": (demos.next_states, "Where it led."),
        "terminated": (demos.terminated.astype(np.int8), "1 where the trial was over."),
        "trial": (demos.trajectory_of, "Number of the trial."),
    }
    made = [
        pynwb.core.VectorData(name=name, description=what, data=_packed(values))
        for name, (values, what) in columns.items()
    ]
    file.add_time_intervals(
        pynwb.epoch.TimeIntervals(name="decisions", description="Hold or release.", columns=made)
    )


def _units(file: pynwb.NWBFile, session: LeverSession) -> None:
    """Spikes, with the population and area of each neuron."""
    recording = session.recording
    device = file.create_device("none", description="The neurons are simulated.")
    for name in ("population", "area"):
        file.add_unit_column(name, f"The {name} of the neuron.")
    groups = {
        area: file.create_electrode_group(area, "Simulated.", area, device)
        for area in np.unique(recording.units["area"])
    }
    for unit in range(recording.num_units):
        facts = {name: recording.units[name][unit] for name in ("population", "area")}
        times = np.unique(np.round(recording.unit(unit) / CLOCK)) * CLOCK
        file.add_unit(spike_times=times, electrode_group=groups[facts["area"]], **facts)
    file.units.resolution = CLOCK
    column = file.units["spike_times"].target
    column.set_data_io(H5DataIO, PACKING)


def _packed(values: np.ndarray | list) -> H5DataIO | list:
    """Numbers compressed; texts as they are."""
    if isinstance(values, list):
        return values
    return H5DataIO(values, **PACKING)


if __name__ == "__main__":
    written(simulated(), Path(sys.argv[1]) if sys.argv[1:] else FILE)
