"""One number that makes a classifier say how often it is right: its temperature.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017).
"""

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

from inverseq.demonstrations import Demonstrations
from inverseq.inverse.problem import Problem
from inverseq.networks import TrainedNetwork, action_values

_ENOUGH = 100
"""Held-out decisions that tell enough."""
_TOGETHER = 64
"""Decisions whose observations are read at a time."""
_WIDEST = 3.0
"""Logarithm of the largest temperature that is tried, and of one over the smallest."""


def kept_apart(
    problem: Problem, share: float
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """Weights of decisions in learning, 0 where they are held out, and in judging, NaN where they
    are learned from. Held out are whole trajectories, drawn, the same for every training, until
    they have this share of the decisions, or where that is few, a quarter or enough of them; of a
    single trajectory its last rows.
    """
    data = problem.decisions
    number = data.num_decisions
    weights = np.ones(number) if problem.weights is None else problem.weights
    apart = np.zeros(number, dtype=bool)
    if share > 0:
        wanted = max(share * number, min(_ENOUGH, number / 4))
        of_row, count = data.trajectory_of, data.num_trajectories
        if count == 1:
            apart = np.arange(number) >= round(number - wanted)
        else:
            order = np.random.default_rng(0).permutation(count)
            sizes = np.bincount(of_row, minlength=count)[order].cumsum()
            drawn = 1 + int(np.searchsorted(sizes, wanted - 0.5))
            apart = np.isin(of_row, order[: min(drawn, count - 1)])
    return np.where(apart, 0.0, weights), np.where(apart & data.acted, weights, np.nan)


def best_temperature(
    classifier: TrainedNetwork, data: Demonstrations, weights: Float[np.ndarray, " N"]
) -> float:
    """The temperature that makes weighted decisions most likely; 1 where none has a weight."""
    used = data.acted & (weights > 0)
    if not used.any():
        return 1.0
    rows = np.flatnonzero(used)
    # So many at a time, so that images are not all held again.
    parts = np.array_split(rows, -(-rows.size // _TOGETHER))
    q = np.concatenate([action_values(classifier, data.states[part]) for part in parts])
    if data.allowed is not None:
        q = np.where(data.allowed[rows], q, -np.inf)
    chosen, weight = q[np.arange(rows.size), data.actions[rows]], weights[rows]

    def nats(log_heat: float) -> float:
        heat = np.exp(log_heat)
        return float(weight @ (logsumexp(q / heat, axis=1) - chosen / heat))

    return float(np.exp(minimize_scalar(nats, bounds=(-_WIDEST, _WIDEST), method="bounded").x))
