"""Networks from one observation to the values of the actions.

Settings are frozen records: `build(key, observation_shape, num_actions)` makes a random Equinox
module of them, which maps one observation to `[A]` action values (`jax.vmap` for batches). A
network that has been trained is a `TrainedNetwork`, plain arrays that need no JAX to be held.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inverseq.networks.record import TrainedNetwork

if TYPE_CHECKING:
    from inverseq.networks.convolutional import Convolutional
    from inverseq.networks.fully_connected import FullyConnected
    from inverseq.networks.planner import Planner
    from inverseq.networks.trained import (
        Network,
        action_values,
        module_of,
        network_of,
        trained_network,
    )

__all__ = [
    "Convolutional",
    "FullyConnected",
    "Network",
    "Planner",
    "TrainedNetwork",
    "action_values",
    "module_of",
    "network_of",
    "trained_network",
]

# These need JAX, which takes most of a second to load; a record does not.
_COMPILED = {
    "Convolutional": "convolutional",
    "FullyConnected": "fully_connected",
    "Network": "trained",
    "Planner": "planner",
    "action_values": "trained",
    "module_of": "trained",
    "network_of": "trained",
    "trained_network": "trained",
}


def __getattr__(name: str) -> Any:
    if name in _COMPILED:
        return getattr(import_module(f"inverseq.networks.{_COMPILED[name]}"), name)
    raise AttributeError(f"module 'inverseq.networks' has no attribute {name!r}")
