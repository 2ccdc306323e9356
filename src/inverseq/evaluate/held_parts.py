"""What is known of the trajectories of a test part before anything predicts them."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from jaxtyping import Bool, Int, Shaped

from inverseq.demonstrations import Demonstrations

_BOTH = ("world", "subject")
"""Where the one is held out, errors go over the other too."""


@dataclass(frozen=True, eq=False)
class HeldPart:
    """T trajectories that are scored.

    Attributes:
        units: `[T]` the unit of each, numbered from 0.
        others: Column -> `[T]` its value: what errors go over beside the units.
        novel: `[T]` whether no trajectory of the training part has the same states and actions, in
            the same world. A single decision repeats nothing.
    """

    units: Int[np.ndarray, " T"]
    others: Mapping[str, Shaped[np.ndarray, " T"]]
    novel: Bool[np.ndarray, " T"]

    @classmethod
    def of(cls, train: Demonstrations, test: Demonstrations, by: str) -> "HeldPart":
        """Of a split whose parts share no unit."""
        columns = test.trajectories
        names = [name for name in _BOTH if by in _BOTH and name != by and name in columns]
        others = {name: np.array([str(value) for value in columns[name]]) for name in names}
        known = {*_digests(train)}
        single = np.diff(test.starts) < 2
        novel = np.array([each not in known for each in _digests(test)], dtype=bool) | single
        return cls(test.units(by), others, novel)


def _digests(data: Demonstrations) -> list[bytes]:
    """Of the world, states and actions of each trajectory."""
    places = data.trajectories.get("world", np.full(data.num_trajectories, ""))
    states, actions, made = data.states, data.actions, []
    for number, (first, last) in enumerate(zip(data.starts[:-1], data.starts[1:], strict=True)):
        digest = blake2b(str(places[number]).encode() + b"\0", digest_size=16)
        digest.update(states[first:last].tobytes())
        digest.update(actions[first:last].tobytes())
        made.append(digest.digest())
    return made
