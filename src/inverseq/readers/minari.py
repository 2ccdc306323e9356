"""Recorded episodes from Minari, the shared format of offline reinforcement learning."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations

_ID = re.compile(r"(?:[\w-]+/)*[\w-]+-v\d+")


def is_minari(source: str) -> bool:
    """Whether a text names a data set of Minari: a folder that holds one, or an id."""
    path = Path(source)
    return _data_of(path) is not None or (not path.exists() and bool(_ID.fullmatch(source)))


def read_minari(source: Any) -> Demonstrations:
    """The episodes of a data set of Minari, each a trajectory.

    Observations that are numbered (`Discrete`) are states `[N]`, arrays (`Box`) are features
    `[N, ...]` in their own type; actions likewise are numbered or continuous `[N, D]`. Rewards are
    the column "reward" per decision. Needs `pip install "inverseq[minari]"`.

    Args:
        source: The id of a data set on this machine ("D4RL/door/human-v2", from `minari download`),
            the folder that holds one, or a `minari.MinariDataset`.

    Raises:
        InputError: Minari is not installed, there is no such data set here, it is empty, or its
            observations or actions are neither `Discrete` nor `Box`.
    """
    try:
        import minari
        from gymnasium import spaces
    except ImportError as error:
        raise InputError(
            'data sets of Minari need its package: pip install "inverseq[minari]"'
        ) from error
    if isinstance(source, minari.MinariDataset):
        data = source
    elif (folder := _data_of(Path(source))) is not None:
        data = minari.MinariDataset(folder)
    else:
        try:
            data = minari.load_dataset(str(source))
        except (FileNotFoundError, ValueError) as error:
            raise InputError(
                f"there is no data set of Minari called {source} on this machine; get it with: "
                f"minari download {source}"
            ) from error
    for what, space in (("observations", data.observation_space), ("actions", data.action_space)):
        if not isinstance(space, spaces.Discrete | spaces.Box):
            raise InputError(
                f"{what} of {data.id} are {type(space).__name__}; only Discrete and Box can be "
                "read. Flatten them first, with gymnasium.wrappers.FlattenObservation, say"
            )
    episodes = [e for e in data.iterate_episodes() if len(e.actions)]
    if not episodes:
        raise InputError(f"{data.id} holds no episode with an action")
    lengths = [len(episode.actions) for episode in episodes]
    finite = isinstance(data.action_space, spaces.Discrete)
    # All actions of the space exist, also those that were never taken.
    names = tuple(map(str, range(int(data.action_space.n)))) if finite else ()
    start = int(data.action_space.start) if finite else 0
    actions = np.concatenate([episode.actions for episode in episodes])
    return Demonstrations.from_arrays(
        np.concatenate([episode.observations[:-1] for episode in episodes]),
        actions - start if finite else actions.reshape(len(actions), -1),
        next_states=np.concatenate([episode.observations[1:] for episode in episodes]),
        trajectory=np.repeat(np.arange(len(episodes)), lengths),
        terminated=np.concatenate([episode.terminations for episode in episodes]),
        decisions={"reward": np.concatenate([episode.rewards for episode in episodes])},
        trajectories={"trajectory": np.array([episode.id for episode in episodes])},
        action_names=names,
        source=data.id,
    )


def _data_of(folder: Path) -> Path | None:
    """Where the data lie in a folder of a data set; None where it is none."""
    for place in (folder / "data", folder):
        if (place / "metadata.json").is_file() and (place / "main_data.hdf5").is_file():
            return place
    return None
