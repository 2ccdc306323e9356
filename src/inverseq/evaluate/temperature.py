"""The temperature at which action values make behaviour most likely."""

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar


def likeliest_temperature(
    q: Float[np.ndarray, "N A"],
    actions: Int[np.ndarray, " N"],
    *,
    lowest: float = np.exp(-3.0),
    highest: float = np.exp(3.0),
) -> float:
    """The temperature T whose policy, proportional to exp(q / T), gives the actions taken the
    largest likelihood, to about one per cent.

    Args:
        q: `[N, A]` values of all actions at each decision.
        actions: `[N]` actions taken.
        lowest: No lower one is tried.
        highest: No higher one is tried.
    """
    found = minimize_scalar(
        lambda log_heat: -float(log_softmax_of(q / np.exp(log_heat), actions).mean()),
        bounds=(float(np.log(lowest)), float(np.log(highest))),
        method="bounded",
        options={"xatol": 0.01},
    )
    return float(np.exp(found.x))


def log_softmax_of(
    q: Float[np.ndarray, "N A"], actions: Int[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """Log-probability of each action taken where chances are proportional to exp(q)."""
    above = q - q.max(1, keepdims=True)
    return above[np.arange(len(q)), actions] - np.log(np.exp(above).sum(1))
