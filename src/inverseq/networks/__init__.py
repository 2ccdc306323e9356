"""Networks from one observation to the values of the actions.

Settings are frozen records: `build(key, observation_shape, num_actions)` makes a random Equinox
module of them, which maps one observation to `[A]` action values (`jax.vmap` for batches). A
network that has been trained is a `TrainedNetwork`, plain arrays that need no JAX to be held.
"""

from inverseq._core.lazy import loading
from inverseq.networks.record import TrainedNetwork

# These need JAX, which takes most of a second to load; a record does not.
_HOME = {
    "Convolutional": "convolutional",
    "Ensemble": "ensemble",
    "FullyConnected": "fully_connected",
    "Network": "trained",
    "Pixels": "pixels",
    "Planner": "planner",
    "Unit": "squashed",
    "action_values": "trained",
    "beside": "squashed",
    "log_density": "squashed",
    "module_of": "trained",
    "network_of": "trained",
    "parted": "squashed",
    "trained_network": "trained",
}

__all__ = ["TrainedNetwork", *_HOME]

__getattr__, __dir__ = loading(__name__, _HOME)
