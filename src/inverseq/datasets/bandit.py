"""Mice choosing between two spouts."""

from dataclasses import replace

import numpy as np

from inverseq.datasets.files import bundled
from inverseq.datasets.record import Dataset
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.readers import read_table

_IGNORED = 2
_TRAIN_SHARE = 0.8


def bandit(discount: float = 0.9) -> Dataset:
    """Seven mice in nine sessions of dynamic foraging: 4,032 trials, 3,363 choices.

    The state is the last choice and what came of it ("1|0": right, no water; "start" before the
    first choice); trials without a choice are kept with a missing action. Each session is two
    trajectories: the first 80 % of its choices ("split" is train) and the rest (test).

    Args:
        discount: gamma of the world, which is estimated from the first part of the sessions.
    """
    with bundled("bandit_trials.parquet") as path:
        trials = read_table(
            path,
            state_from_previous=("action", "reward"),
            missing=(_IGNORED,),
            action_names=("left", "right"),
        )
    demonstrations = _split(trials)
    return Dataset(
        name="bandit",
        title="Mice choosing between two spouts",
        demonstrations=demonstrations,
        mdp=MDP.estimate(demonstrations.select(split="train"), discount=discount),
        description=(
            "Head-fixed mice lick one of two spouts after a go cue; the probabilities of water "
            "change in blocks without notice. One row is one trial. Sessions 697929 and "
            "697062_2023-11-14 are early training; the laser was on in 132 trials of 689514."
        ),
        source=(
            "Allen Institute for Neural Dynamics (aind-dynamic-foraging-basic-analysis, "
            "aind-dynamic-foraging-data-utils)"
        ),
        licence="MIT",
        citation="Allen Institute for Neural Dynamics, dynamic foraging sessions (2023-2024).",
        split="split",
    )


def _split(trials: Demonstrations) -> Demonstrations:
    """Each session as two trajectories, cut where 80 % of its choices are made."""
    starts, part = [], []
    for begin, end in zip(trials.starts[:-1], trials.starts[1:], strict=True):
        chosen = np.flatnonzero(trials.actions[begin:end] >= 0)
        starts += [begin, begin + chosen[int(np.ceil(_TRAIN_SHARE * chosen.size))]]
        part += ["train", "test"]
    endings = trials.endings.copy()
    cuts = np.array(starts[1::2])
    endings[cuts - 1] = trials.endings[-1]  # like the end of a session: nothing of the world ended
    columns = {name: np.repeat(column, 2) for name, column in trials.trajectories.items()}
    return replace(
        trials,
        endings=endings,
        starts=np.append(starts, trials.num_decisions),
        trajectories=columns | {"trajectory": np.arange(len(starts)), "split": np.array(part)},
    )
