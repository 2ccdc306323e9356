"""Policies: what to do in each state, given what actions are worth.

A policy is an array `[S, A]` of probabilities: 0 at actions that do not exist, rows sum to one.
Like the backups, these functions take further trailing axes `*R`.
"""

import numpy as np
from jaxtyping import Bool, Float

from inverseq.backup import check_temperature, only


def log_boltzmann(
    q: Float[np.ndarray, "S A *R"], allowed: Bool[np.ndarray, "S A"], temperature: float = 1.0
) -> Float[np.ndarray, "S A *R"]:
    """Logarithm of pi(a | s) proportional to exp(Q / temperature); -inf where no action exists.

    Args:
        q: `[S, A, *R]` values of actions.
        allowed: `[S, A]` actions that exist; one per state at least.
        temperature: In units of Q, above 0.

    Raises:
        InputError: The temperature is not a positive number.
    """
    check_temperature(temperature)
    masked = only(q, allowed)
    # The largest exponent is 0, so nothing overflows and no sum is 0.
    scaled = (masked - masked.max(axis=1, keepdims=True)) / temperature
    return scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))


def boltzmann(
    q: Float[np.ndarray, "S A *R"], allowed: Bool[np.ndarray, "S A"], temperature: float = 1.0
) -> Float[np.ndarray, "S A *R"]:
    """pi(a | s) proportional to exp(Q(s, a) / temperature) over the actions that exist.

    Raises:
        InputError: The temperature is not a positive number.
    """
    return np.exp(log_boltzmann(q, allowed, temperature))


def greedy(
    q: Float[np.ndarray, "S A *R"], allowed: Bool[np.ndarray, "S A"], tolerance: float = 1e-9
) -> Float[np.ndarray, "S A *R"]:
    """The best action of each state; actions that tie share equally.

    Args:
        q: `[S, A, *R]` values of actions.
        allowed: `[S, A]` actions that exist; one per state at least.
        tolerance: Values tie when they differ by at most this share of the best one's size (of 1
            where that is smaller), so that rounding does not choose between equals.
    """
    masked = only(q, allowed)
    best = masked.max(axis=1, keepdims=True)
    ties = masked >= best - tolerance * np.maximum(np.abs(best), 1.0)
    return ties / ties.sum(axis=1, keepdims=True)


def uniform(allowed: Bool[np.ndarray, "S A"]) -> Float[np.ndarray, "S A"]:
    """Every action that exists, equally often."""
    return allowed / allowed.sum(axis=1, keepdims=True)
