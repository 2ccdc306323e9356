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
    total = counts.sum(axis=1)
    scale = max(float(total.sum()), 1.0)

    def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
        b, w = flat[: shape[1]], flat[shape[1] :].reshape(shape)
        logs, at_zero = log_softmax(b + inputs @ w, axis=1), log_softmax(b)
        value = (counts * logs).sum() + smoothing * at_zero.sum() - strength / 2 * (w**2).sum()
        excess = counts - total[:, None] * np.exp(logs)
        slope_b = excess.sum(axis=0) + smoothing * (1 - shape[1] * np.exp(at_zero))
        slope_w = inputs.T @ excess - strength * w
        return -value / scale, -np.concatenate([slope_b, slope_w.ravel()]) / scale

    start = np.concatenate([bias, weights.ravel()])
    found = minimize(
        cost, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS, "gtol": 1e-7}
    )
    best = found.x if found.fun <= cost(start)[0] else start
    return best[: shape[1]] - best[: shape[1]].mean(), best[shape[1] :].reshape(shape)
