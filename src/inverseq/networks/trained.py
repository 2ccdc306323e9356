"""From a module to the record of a trained network, and back to its action values."""

from dataclasses import fields
from functools import lru_cache
from math import prod

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Shaped

from inverseq._core.errors import InputError
from inverseq.networks.convolutional import Convolutional
from inverseq.networks.ensemble import MEMBERS, Ensemble
from inverseq.networks.fully_connected import FullyConnected
from inverseq.networks.pixels import Pixels
from inverseq.networks.planner import Planner
from inverseq.networks.record import TrainedNetwork

Network = FullyConnected | Convolutional | Pixels | Planner
"""Settings of a network; `build(key, observation_shape, num_actions)` makes a random one."""

_KINDS: dict[str, type[Network | Ensemble]] = {kind.__name__: kind for kind in (*MEMBERS, Ensemble)}
_BATCH, _NUMBERS = 2048, 2**22
"""Observations that are looked at together, and the numbers in them at most."""


def network_of(trained: TrainedNetwork) -> Network | Ensemble:
    """The settings that built a trained network.

    Raises:
        InputError: This version knows no such network.
    """
    if trained.kind not in _KINDS:
        raise InputError(f"no network is called {trained.kind!r}; there are {[*_KINDS]}")
    return _KINDS[trained.kind](**trained.settings)


def trained_network(
    network: Network | Ensemble,
    module: eqx.Module,
    observation_shape: tuple[int, ...],
    num_actions: int,
) -> TrainedNetwork:
    """The record of a module that `network` built and that has been trained since."""
    arrays = tuple(np.asarray(leaf) for leaf in jax.tree.leaves(module))
    settings = {f.name: getattr(network, f.name) for f in fields(network)}
    kind = type(network).__name__
    return TrainedNetwork(kind, settings, tuple(observation_shape), num_actions, arrays)


@lru_cache(maxsize=16)
def module_of(trained: TrainedNetwork) -> eqx.Module:
    """The module of a record, to be called with one observation.

    Raises:
        InputError: The arrays are not those of such a network.
    """
    shape, actions = trained.observation_shape, trained.num_actions
    template = eqx.filter_eval_shape(network_of(trained).build, jax.random.key(0), shape, actions)
    leaves, tree = jax.tree.flatten(template)
    wanted, found = [leaf.shape for leaf in leaves], [array.shape for array in trained.arrays]
    if wanted != found:
        raise InputError(
            f"arrays of shapes {found} are not those of a {trained.kind}, which are {wanted}"
        )
    return jax.tree.unflatten(tree, [jnp.asarray(array) for array in trained.arrays])


def action_values(
    trained: TrainedNetwork, observations: Shaped[np.ndarray, "N *shape"]
) -> Float[np.ndarray, "N A"]:
    """Action values of each observation.

    Raises:
        InputError: Observations have another shape than those it was trained on.
    """
    if observations.shape[1:] != tuple(trained.observation_shape):
        raise InputError(
            f"observations have shape {observations.shape[1:]}, the network was trained on "
            f"{tuple(trained.observation_shape)}"
        )
    module, size = module_of(trained), len(observations)
    made = np.zeros((size, trained.num_actions))
    batch = max(min(_BATCH, _NUMBERS // max(prod(observations.shape[1:]), 1)), 1)
    for first in range(0, size, batch):
        rows = np.asarray(observations[first : first + batch], dtype=np.float32)
        # One compiled shape for every batch but the last of a short set.
        padded = np.resize(rows, (min(batch, max(size, 1)), *rows.shape[1:]))
        made[first : first + batch] = np.asarray(_batch(module, jnp.asarray(padded)))[: len(rows)]
    return made


@eqx.filter_jit
def _batch(module: eqx.Module, observations: jax.Array) -> jax.Array:
    """`[n, A]` action values."""
    return jax.vmap(module)(observations)  # pyright: ignore[reportArgumentType]
