"""A small network from features to a reward: plain arrays, so that it can be saved and carried."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.mdp import MDP

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
    """The network under the names that `network_reward` reads."""
    made = {"feature_centre": centre, "feature_scale": scale}
    for number, (weights, biases) in enumerate(layers):
        made |= {f"weights_{number}": weights, f"biases_{number}": biases}
    return made


def network_reward(parameters: Mapping[str, np.ndarray], mdp: MDP) -> Float[np.ndarray, "S A"]:
    """The reward that a network found by `DeepMaxEnt` gives in `mdp`, 0 where no action exists.

    Args:
        parameters: Of its solution.
        mdp: Any world with the same features.

    Raises:
        InputError: The world has no features, or another number of them.
    """
    wanted = parameters["feature_centre"].size
    if mdp.features is None or mdp.features.shape[2] != wanted:
        has = "none" if mdp.features is None else mdp.features.shape[2]
        raise InputError(f"this reward depends on {wanted} features; the world has {has}")
    count = sum(name.startswith("weights_") for name in parameters)
    layers = [(parameters[f"weights_{i}"], parameters[f"biases_{i}"]) for i in range(count)]
    inputs = (mdp.features - parameters["feature_centre"]) / parameters["feature_scale"]
    flat = forward(layers, inputs.reshape(-1, wanted))
    return np.where(mdp.allowed, flat.reshape(mdp.allowed.shape), 0.0)
