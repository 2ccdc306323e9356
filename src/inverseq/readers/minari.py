"""Recorded episodes from Minari, the shared format of offline reinforcement learning, and to it."""

import os
import re
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.environments import environment_of
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
    minari, spaces = minari_packages()
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


def write_minari(
    demonstrations: Demonstrations,
    name: str,
    *,
    folder: str | os.PathLike | None = None,
    environment: Any = None,
    **about: str,
) -> Path:
    """Write trajectories as a data set of Minari, each an episode, which Minari opens by its id.

    Its format wants the states, actions and rewards of every step: rewards are the column "reward"
    per decision. A trajectory that has no known end is written as truncated. Needs
    `pip install "inverseq[minari]"`.

    Args:
        demonstrations: What to write.
        name: Id of the data set, such as "cartpole/expert-v0".
        folder: Where data sets lie; None is where Minari looks for them.
        environment: That they were recorded in, or its id; its spaces are written, and Minari can
            make it again. None takes the spaces from the demonstrations.
        about: What else Minari keeps, such as `description`, `algorithm_name` or `author`.

    Returns:
        The folder of the data set.

    Raises:
        InputError: Minari is not installed, the id is no id or is taken, there is no such
            environment, or a row lacks its action, its reward or where it led.
    """
    minari, spaces = minari_packages()
    from minari.dataset.minari_storage import MinariStorage
    from minari.storage import get_dataset_path

    if not _ID.fullmatch(name):
        raise InputError(f'ids of Minari look like "cartpole/expert-v0"; got {name!r}')
    target = (get_dataset_path() if folder is None else Path(folder)) / name
    if target.exists():
        raise InputError(f"{target} is there already; give a higher version, or remove it")
    if isinstance(environment, str):
        environment = environment_of(environment)
        environment.close()  # its spaces are all that is asked for
    data = demonstrations
    seen, acted = _spaces_of(data, spaces) if environment is None else _of_environment(environment)
    episodes = _episodes(data, minari, acted)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise InputError(
            f"cannot write {target}: {error.strerror}. Choose a folder you may write to"
        ) from error
    try:
        storage = MinariStorage.new(
            made / "data",
            observation_space=seen,
            action_space=acted,
            env_spec=None if environment is None else environment.spec,
            jpeg_encoding=False,  # which changes the pixels
        )
        told = {key: {value} if key.startswith("author") else value for key, value in about.items()}
        storage.update_metadata({"dataset_id": name, "minari_version": minari.__version__} | told)
        storage.update_episodes(episodes)
        made.chmod(0o755)
        made.rename(target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return target


def minari_packages() -> tuple[Any, Any]:
    """Minari, and Gymnasium's spaces.

    Raises:
        InputError: Minari is not installed.
    """
    try:
        import minari
        from gymnasium import spaces
    except ImportError as error:
        raise InputError(
            'data sets of Minari need its package: pip install "inverseq[minari]"'
        ) from error
    return minari, spaces


def _of_environment(environment: Any) -> tuple[Any, Any]:
    """The spaces of an environment."""
    return environment.observation_space, environment.action_space


def _spaces_of(data: Demonstrations, spaces: Any) -> tuple[Any, Any]:
    """The spaces that demonstrations show: as many numbers as there are, or boxes without bounds
    (of numbers without a sign, those of their type).
    """

    def space(values: np.ndarray, count: int) -> Any:
        if values.ndim == 1 and values.dtype.kind in "iu":
            return spaces.Discrete(count)
        kind = values.dtype
        low, high = (0, np.iinfo(kind).max) if kind.kind == "u" else (-np.inf, np.inf)
        return spaces.Box(low, high, values.shape[1:], kind if kind.kind in "fu" else np.float64)

    states, actions = data.states, data.actions
    numbered = actions.ndim == 1
    return (
        space(
            states, max(int(max(states.max(), data.next_states.max())) + 1, len(data.state_names))
        )
        if states.ndim == 1
        else space(states, 0),
        space(actions, max(int(actions.max()) + 1, len(data.action_names)) if numbered else 0),
    )


def _episodes(data: Demonstrations, minari: Any, acted: Any) -> list[Any]:
    """Trajectories as Minari keeps episodes: one observation more than actions.

    Raises:
        InputError: A row lacks its action, its reward or where it led.
    """
    if "reward" not in data.decisions:
        raise InputError(
            'data sets of Minari hold rewards: give them as decisions={"reward": [...]}'
        )
    rewards = np.asarray(data.decisions["reward"], dtype=float)
    # Where the world ended, Minari keeps the state in which it did; where nobody saw it, none is.
    missing = ~data.acted | ~np.isfinite(rewards) | ~data.next_known
    if missing.any():
        raise InputError(
            f"row {data.row(int(np.argmax(missing)))} lacks its action, its reward or the state it "
            "led to, and an episode of Minari has all three: leave such rows out"
        )
    start = int(getattr(acted, "start", 0))
    made = []
    for number, (first, stop) in enumerate(pairwise(data.starts.tolist())):
        rows = slice(first, stop)
        ended = data.terminated[rows]
        states, following = data.states[rows], data.next_states[rows]
        apart = np.any(states[1:] != following[:-1], axis=tuple(range(1, states.ndim)))
        broken = ended[:-1] | apart
        if broken.any():
            raise InputError(
                f"row {data.row(first + int(np.argmax(broken)))} does not lead to the row behind "
                "it: make a trajectory of each piece"
            )
        actions = data.actions[rows]
        made.append(
            minari.data_collector.EpisodeBuffer(
                id=number,
                observations=[*states, following[-1]],
                actions=[*(actions + start if actions.ndim == 1 else actions)],
                rewards=rewards[rows].tolist(),
                terminations=ended.tolist(),
                truncations=[False] * (len(ended) - 1) + [not ended[-1]],
                infos={},
            )
        )
    return made
