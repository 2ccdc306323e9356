"""One number that makes a classifier say how often it is right: its temperature.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017).
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import minimize_scalar

from inverseq.demonstrations import Demonstrations
from inverseq.networks import TrainedNetwork
from inverseq.policies.network import NetworkPolicy, network_probabilities

_WIDEST = 3.0
"""Logarithm of the largest temperature that is tried, and of one over the smallest."""


def kept_apart(data: Demonstrations, share: float) -> Bool[np.ndarray, " N"]:
    """Which decisions are held out: whole trajectories, drawn, the same for every training; of a
    single one its last rows.
    """
    if share == 0:
        return np.zeros(data.num_decisions, dtype=bool)
    count = data.num_trajectories
    if count == 1:
        return np.arange(data.num_decisions) >= round((1 - share) * data.num_decisions)
    drawn = np.random.default_rng(0).permutation(count)[: max(round(share * count), 1)]
    return np.isin(data.trajectory_of, drawn)


def best_temperature(
    classifier: TrainedNetwork, data: Demonstrations, weights: Float[np.ndarray, " N"]
) -> float:
    """The temperature that makes weighted decisions most likely; 1 where none has a weight."""
    used = data.acted & (weights > 0)
    if not used.any():
        return 1.0
    states, actions, weight = data.states[used], data.actions[used], weights[used]
    exist = None if data.allowed is None else data.allowed[used]
    rows = np.arange(len(actions))

    def nats(log_heat: float) -> float:
        chances = network_probabilities(NetworkPolicy(classifier, np.exp(log_heat)), states, exist)
        return -float(weight @ np.log(np.maximum(chances[rows, actions], 1e-300)))

    return float(np.exp(minimize_scalar(nats, bounds=(-_WIDEST, _WIDEST), method="bounded").x))
