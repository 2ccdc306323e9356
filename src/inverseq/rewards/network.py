"""A small network from features to a reward: plain arrays, so that it can be saved and carried."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.mdp import MDP
from inverseq.rewards.reward import NOT_KEPT, WorldReward
from inverseq.rewards.tables import check_shared_features, features_of

Layers = list[tuple[Any, Any]]
"""Weights `[outputs, inputs]` and biases `[outputs]` of each layer, of NumPy or of JAX."""


def forward(layers: Layers, inputs: Any, tanh: Callable[[Any], Any] = np.tanh) -> Any:
    """`[n]` outputs of a fully connected network with tanh between its layers, for `[n, F]`."""
    hidden = inputs
    for weights, biases in layers[:-1]:
        hidden = tanh(hidden @ weights.T + biases)
    weights, biases = layers[-1]
    return (hidden @ weights.T + biases)[:, 0]


def random_layers(rng: np.random.Generator, inputs: int, hidden: tuple[int, ...]) -> Layers:
    """Weights of variance 1 / inputs, a tenth of that size in the last layer; biases 0."""
    sizes = (inputs, *hidden, 1)
    scales = [1.0] * len(hidden) + [0.1]
    return [
        (rng.normal(scale=scale / np.sqrt(before), size=(after, before)), np.zeros(after))
        for before, after, scale in zip(sizes[:-1], sizes[1:], scales, strict=True)
    ]


def as_parameters(
    layers: Layers, centre: Float[np.ndarray, " F"], scale: Float[np.ndarray, " F"]
) -> dict[str, np.ndarray]:
    """The network under the names that `NetworkReward` reads."""
    made = {"feature_centre": centre, "feature_scale": scale}
    for number, (weights, biases) in enumerate(layers):
        made |= {f"weights_{number}": weights, f"biases_{number}": biases}
    return made


@dataclass(frozen=True, eq=False)
class NetworkReward(WorldReward):
    """A network from the features of a state and action to their reward.

    Attributes:
        numbers: The network under the names that `as_parameters` gives.
    """

    numbers: Mapping[str, np.ndarray]

    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """What the network says of the features of each state and action, 0 where none exists.

        Raises:
            InputError: The world has no features, or another number of them.
        """
        centre, scale = self.numbers["feature_centre"], self.numbers["feature_scale"]
        inputs = (features_of(mdp, centre.size) - centre) / scale
        count = sum(name.startswith("weights_") for name in self.numbers)
        layers = [(self.numbers[f"weights_{i}"], self.numbers[f"biases_{i}"]) for i in range(count)]
        flat = forward(layers, inputs.reshape(-1, centre.size))
        return np.where(mdp.allowed, flat.reshape(mdp.allowed.shape), 0.0)

    def carry(self, old: MDP, new: MDP) -> "NetworkReward":
        """Holds wherever the features are the same."""
        check_shared_features(old, new)
        return self

    def like(
        self, table: Float[np.ndarray, "S A"] | None, parameters: Mapping[str, np.ndarray]
    ) -> "NetworkReward":
        """With other numbers."""
        if not self.numbers.keys() <= parameters.keys():
            raise InputError(NOT_KEPT)
        return NetworkReward({name: parameters[name] for name in self.numbers})
