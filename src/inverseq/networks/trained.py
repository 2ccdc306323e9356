"""A network that has been trained, as plain arrays beside the settings that built it."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Shaped

from inverseq._core.errors import InputError
from inverseq.networks.convolutional import Convolutional
from inverseq.networks.fully_connected import FullyConnected
from inverseq.networks.planner import Planner

Network = FullyConnected | Convolutional | Planner
"""Settings of a network; `build(key, observation_shape, num_actions)` makes a random one."""

_BATCH = 2048


@dataclass(frozen=True, eq=False)
class TrainedNetwork:
    """A network with its parameters, to be saved without pickle.

    Attributes:
        network: Settings that built it.
        observation_shape: Of one observation.
        num_actions: A.
        arrays: Its parameters, in the order of the leaves of the module.
    """

    network: Network
    observation_shape: tuple[int, ...]
    num_actions: int
    arrays: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        copies = tuple(np.array(array) for array in self.arrays)
        for array in copies:
            array.setflags(write=False)
        object.__setattr__(self, "arrays", copies)


def trained_network(
    network: Network, module: eqx.Module, observation_shape: tuple[int, ...], num_actions: int
) -> TrainedNetwork:
    """The record of a module that `network` built and that has been trained since."""
    arrays = tuple(np.asarray(leaf) for leaf in jax.tree.leaves(module))
    return TrainedNetwork(network, tuple(observation_shape), num_actions, arrays)


def module_of(trained: TrainedNetwork) -> eqx.Module:
    """The module of a record, to be called with one observation.

    Raises:
        InputError: The arrays are not those of such a network.
    """
    shape, actions = trained.observation_shape, trained.num_actions
    template = eqx.filter_eval_shape(trained.network.build, jax.random.key(0), shape, actions)
    leaves, tree = jax.tree.flatten(template)
    wanted, found = [leaf.shape for leaf in leaves], [array.shape for array in trained.arrays]
    if wanted != found:
        raise InputError(
            f"arrays of shapes {found} are not those of {trained.network}, which are {wanted}"
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
    for first in range(0, size, _BATCH):
        rows = np.asarray(observations[first : first + _BATCH], dtype=np.float32)
        # One compiled shape for every batch but the last of a short set.
        padded = np.resize(rows, (min(_BATCH, max(size, 1)), *rows.shape[1:]))
        made[first : first + _BATCH] = np.asarray(_batch(module, padded))[: len(rows)]
    return made


@eqx.filter_jit
def _batch(module: eqx.Module, observations: jax.Array) -> jax.Array:
    """`[n, A]` action values."""
    return jax.vmap(module)(observations)  # pyright: ignore[reportArgumentType]
