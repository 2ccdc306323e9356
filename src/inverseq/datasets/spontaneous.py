"""Mice doing as they please, as sequences of behavioural syllables with dopamine."""

import numpy as np

from inverseq.datasets.files import bundled
from inverseq.datasets.record import Dataset
from inverseq.demonstrations import Demonstrations, Ending
from inverseq.mdp import MDP
from inverseq.readers import read_table

SYLLABLES = ("pause", "walk", "up", "left", "groom", "right", "sniff", "sniff up", "run")
"""Names of the classes of syllables in the order of their numbers, as the released plots have
them ("up", "left" and "right" are arrows there)."""


def spontaneous(discount: float = 0.95) -> Dataset:
    """Mice in an empty arena: 159 trajectories of 300 syllables, with dopamine.

    The state is the class of the present syllable, the action the class that comes next, so that
    every action leads to its own state. Dopamine (z-score, dorsolateral striatum) at the next
    syllable is `decisions["dopamine"]`; `time` is the syllable's number in the recording. Syllables
    that are in none of the nine classes are left out of the published table: where that happened
    (after 54 % of the rows) the row ends before a gap. The trajectory column "split" is the
    published one: every fifth is test.

    Args:
        discount: gamma of the world.
    """
    with bundled("spontaneous_syllables.parquet") as path:
        table = read_table(path, time="src_index", keep=("dopamine_z", "split", "session"))
    return Dataset(
        name="spontaneous",
        title="Mice behaving spontaneously, with dopamine",
        demonstrations=_with_gaps(table),
        mdp=_world(discount),
        description=(
            "Mice move freely in an empty arena without a task; their movements are cut into "
            "syllables of nine classes. One row is one step from a syllable to the next, with the "
            "dopamine at the next. Each trajectory is the first 300 usable steps of one recording."
        ),
        source=(
            "Markowitz, Gillis, Jay and others 2023, as prepared by Ke and others 2025 (SWIRL)"
        ),
        licence="MIT",
        citation=(
            "Markowitz JE, Gillis WF, Jay M, and others (2023). Spontaneous behaviour is "
            "structured by reinforcement without explicit reward. Nature 614:108-117. "
            "Ke J, Wu F, Wang J, Markowitz J, Wu A (2025). Inverse reinforcement learning with "
            "switching rewards and history dependency for characterizing animal behaviors. ICML."
        ),
        split="split",
    )


def _world(discount: float) -> MDP:
    """The world in which what one chooses to do next is what one does next."""
    count = len(SYLLABLES)
    return MDP(
        successors=np.tile(np.arange(count)[None, :, None], (count, 1, 1)),
        probabilities=np.ones((count, count, 1)),
        discount=discount,
        state_names=SYLLABLES,
        action_names=SYLLABLES,
    )


def _with_gaps(table: Demonstrations) -> Demonstrations:
    """The steps, with a gap wherever the next row is not the next syllable of the recording.

    States alone would not tell: behind a gap the next row may begin in the state that was expected.
    """
    endings = table.endings.copy()
    skips = np.append(np.diff(np.asarray(table.time)) != 1, False)
    endings[skips & (endings == Ending.CONTINUES)] = Ending.GAP
    endings[table.starts[1:] - 1] = Ending.TRUNCATED
    return Demonstrations(
        states=table.states,
        actions=table.actions,
        next_states=table.actions,
        endings=endings,
        starts=table.starts,
        time=table.time,
        rows=table.rows,
        decisions={"dopamine": table.decisions["dopamine_z"]},
        trajectories=table.trajectories,
        state_names=SYLLABLES,
        action_names=SYLLABLES,
        source=table.source,
    )
