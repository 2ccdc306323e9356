"""Networks from one observation to the values of the actions.

Settings are frozen records: `build(key, observation_shape, num_actions)` makes a random Equinox
module of them, which maps one observation to `[A]` action values (`jax.vmap` for batches).
"""

from inverseq.networks.convolutional import Convolutional
from inverseq.networks.fully_connected import FullyConnected
from inverseq.networks.planner import Planner
from inverseq.networks.trained import (
    Network,
    TrainedNetwork,
    action_values,
    module_of,
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
    "trained_network",
]
