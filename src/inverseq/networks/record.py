"""A trained network as a record: plain arrays beside the settings that built it, without JAX."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network with its parameters, to be saved without pickle.

    Attributes:
        kind: Name of the class of its settings, such as "Planner".
        settings: Their values by name.
        observation_shape: Of one observation.
        num_actions: A.
        arrays: Its parameters, in the order of the leaves of the module.
    """

    kind: str
    settings: Mapping[str, Any]
    observation_shape: tuple[int, ...]
    num_actions: int
    arrays: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        copies = tuple(np.array(array) for array in self.arrays)
        for array in copies:
            array.setflags(write=False)
        object.__setattr__(self, "arrays", copies)
