"""A simulated rat at a lever, with its neurons."""

from dataclasses import replace

from inverseq import worlds
from inverseq.datasets.files import bundled
from inverseq.datasets.record import Dataset
from inverseq.readers.nwb.decisions import read_nwb
from inverseq.readers.nwb.recording import read_recording


def lever() -> Dataset:
    """A simulated rat at a lever: 100 trials, and 15 neurons whose link to what it does is known.

    States are bins of 0.1 s since the press and three outcomes, actions 0 hold and 1 release. The
    rat is that of `worlds.lever_session(Rat(), 100, seed=3, neurons=Neurons(each=3, signal=2.0))`.
    It lies in an NWB file, so that `pip install "inverseq[nwb]"` is needed.

    Raises:
        InputError: PyNWB is missing.
    """
    world = worlds.lever()
    with bundled("lever.nwb") as path:
        demonstrations = read_nwb(
            path,
            decisions="decisions",
            trajectory="trial",
            state_names=world.mdp.state_names,
            action_names=world.mdp.action_names,
        )
        recording = read_recording(path)
    return Dataset(
        name="lever",
        title="A rat at a lever",
        demonstrations=demonstrations,
        # What the world pays is an assumption; what the rat wants is the question.
        mdp=replace(world.mdp, reward=None),
        worlds={"lever": world},
        description=(
            "A simulated rat presses a lever, waits for a cue at 1.6 s and lets go within 0.6 s of "
            "it for a treat. One row is a bin of 0.1 s in which it holds or releases. Beside them, "
            "spikes of 15 neurons that carry preparation, movement, cue, treat or nothing."
        ),
        source="Simulated by inverseq (scripts/lever_nwb.py)",
        licence="MIT",
        citation=(
            "The task is that of Boedecker J, Zhu H (2023), lecture on NeuRL; the method that of "
            "Kalweit and others (2022). arXiv 2204.04733."
        ),
        recording=recording,
    )
