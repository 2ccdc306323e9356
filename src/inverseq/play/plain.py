"""Acts as a trained network would. Needs NumPy and nothing else: this file may be copied.

act = load("policy.npz")
action = act(observation)
"""

from collections.abc import Callable
from typing import Any

import numpy as np


def load(path: Any) -> Callable[[Any], Any]:
    """The function from an observation to the best action that a file holds.

    Args:
        path: What `inverseq.play.export_policy` wrote: the matrices and offsets of fully connected
            layers, with rectifiers between them. Where actions are continuous, the first half of
            the outputs are squashed into what is possible.
    """
    with np.load(path, allow_pickle=False) as file:
        count, tiles, first = (int(file[name]) for name in ("layers", "tiles", "first_action"))
        layers = [(file[f"weight_{n}"], file[f"bias_{n}"]) for n in range(count)]
        bounds = (file["low"], file["high"]) if "low" in file else None

    def act(observation: Any) -> Any:
        seen = np.asarray(observation, dtype=np.float32)
        if tiles:  # codes are read one-hot
            seen = np.eye(tiles, dtype=np.float32)[np.rint(seen).astype(int)]
        values = seen.ravel()
        for number, (weight, bias) in enumerate(layers):
            values = weight @ values + bias
            if number < count - 1:
                values = np.maximum(values, 0)
        if bounds is None:
            return first + int(np.argmax(values))
        low, high = bounds
        return (low + high) / 2 + (high - low) / 2 * np.tanh(values[: len(low)])

    return act
