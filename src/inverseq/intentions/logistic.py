"""Multinomial logistic regression of expected counts: where intentions change, and to what."""

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import log_softmax

_STEPS = 30
"""Iterations in one M-step: EM comes back, and each starts where the last one ended."""


def log_probabilities(
    bias: Float[np.ndarray, "*R K K"],
    weights: Float[np.ndarray, "*R K D K"],
    inputs: sparse.csr_array,
) -> Float[np.ndarray, "M *R K K"]:
    """Logarithm of the softmax over j of bias[i, j] + sum_d inputs[m, d] weights[i, d, j]."""
    lead = weights.shape[:-2]
    flat = np.moveaxis(weights, -2, 0).reshape(inputs.shape[1], -1)
    scores = (inputs @ flat).reshape(inputs.shape[0], *lead, weights.shape[-1])
    return log_softmax(bias + scores, axis=-1)


def improve(
    bias: Float[np.ndarray, " K"],
    weights: Float[np.ndarray, "D K"],
    inputs: sparse.csr_array,
    counts: Float[np.ndarray, "M K"],
    strength: float,
    smoothing: float,
) -> tuple[Float[np.ndarray, " K"], Float[np.ndarray, "D K"]]:
    """A better bias and weights for the transitions out of one intention.

    Maximises sum counts * log softmax - strength / 2 * |weights|^2, with `smoothing` transitions to
    each intention added where all inputs are 0. Never returns anything worse than it was given.
    """
    shape = weights.shape
    # One more context, in which all inputs are 0, holds the transitions that are added.
    counts = np.vstack([counts, np.full(shape[1], smoothing)])
    inputs = sparse.vstack([inputs, sparse.csr_array((1, shape[0]))], format="csr")
    backwards = inputs.T.tocsr()
    total = counts.sum(axis=1, keepdims=True)
    size = max(float(total.sum()), 1.0)
    # In these units every coordinate has about the same curvature (that of a fair choice).
    curved = strength + np.asarray(inputs.power(2).T @ total)[:, 0] / shape[1]
    unit = np.append(1 / np.sqrt(total.sum() / shape[1]), 1 / np.sqrt(curved))[:, None]

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        free = flat.reshape(-1, shape[1]) * unit
        scores = inputs @ free[1:] + free[0]
        scores -= scores.max(axis=1, keepdims=True)
        shares = np.exp(scores)
        sums = shares.sum(axis=1, keepdims=True)
        value = (counts * scores).sum() - (total * np.log(sums)).sum()
        value -= strength / 2 * (free[1:] ** 2).sum()
        excess = counts - (total / sums) * shares
        slope = np.vstack([excess.sum(axis=0), backwards @ excess - strength * free[1:]])
        return -value / size, -(slope * unit).ravel() / size

    start = (np.vstack([bias, weights]) / unit).ravel()
    found = minimize(
        cost, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "gtol": 1e-8}
    )
    best = found.x if found.fun <= cost(start)[0] else start
    free = best.reshape(-1, shape[1]) * unit
    return free[0] - free[0].mean(), free[1:]
