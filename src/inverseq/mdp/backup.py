"""Bellman backups: from values of states to values of actions and back.

Every function takes further trailing axes `*R` (bootstrap replicates, right-hand sides) at the cost
of one vectorised call. Values of actions that do not exist are finite and meaningless; it is the
step back to states that leaves them out.
"""

import numpy as np
from jaxtyping import Bool, Float, Shaped

from inverseq._core.errors import InputError
from inverseq.mdp import MDP


def action_values(
    mdp: MDP, reward: Float[np.ndarray, "S A *R"], values: Float[np.ndarray, "S *R"]
) -> Float[np.ndarray, "S A *R"]:
    """Q(s, a) = r(s, a) + gamma E[V(next state)]; r(s, a) alone where the process ends.

    Args:
        mdp: The world.
        reward: `[S, A, *R]` expected reward of each action.
        values: `[S, *R]` values of the states.
    """
    return reward + mdp.discount * mdp.expected(values)


def hard_value(
    q: Float[np.ndarray, "S A *R"], allowed: Bool[np.ndarray, "S A"]
) -> Float[np.ndarray, "S *R"]:
    """V(s) = the largest Q(s, a) over the actions that exist."""
    return only(q, allowed).max(axis=1)


def soft_value(
    q: Float[np.ndarray, "S A *R"], allowed: Bool[np.ndarray, "S A"], temperature: float = 1.0
) -> Float[np.ndarray, "S *R"]:
    """V(s) = temperature * log sum exp(Q(s, a) / temperature) over the actions that exist.

    Args:
        q: `[S, A, *R]` values of actions.
        allowed: `[S, A]` actions that exist; one per state at least.
        temperature: In units of the reward, above 0.

    Raises:
        InputError: The temperature is not a positive number.
    """
    check_temperature(temperature)
    masked = only(q, allowed)
    top = masked.max(axis=1)
    excess = np.exp((masked - top[:, None]) / temperature)
    return top + temperature * np.log(excess.sum(axis=1))


def policy_value(
    q: Float[np.ndarray, "S A *R"], policy: Float[np.ndarray, "S A *R"]
) -> Float[np.ndarray, "S *R"]:
    """V(s) = the mean of Q(s, a) when actions follow `policy`."""
    return (policy * q).sum(axis=1)


def only(
    q: Float[np.ndarray, "S A *R"], allowed: Bool[np.ndarray, "S A"]
) -> Float[np.ndarray, "S A *R"]:
    """`q` with minus infinity at the actions that do not exist; `q` itself where all do."""
    if allowed.all():
        return q
    return np.where(over_pairs(allowed, q), q, -np.inf)


def over_pairs(
    allowed: Bool[np.ndarray, "S A"], like: Shaped[np.ndarray, "S A *R"]
) -> Bool[np.ndarray, "S A *ones"]:
    """`allowed` with as many axes as `like`, for arithmetic along states and actions."""
    return allowed.reshape(allowed.shape + (1,) * (like.ndim - 2))


def check_temperature(temperature: float) -> None:
    """Raise an `InputError` unless `temperature` is a positive number."""
    if not (np.isfinite(temperature) and temperature > 0):
        raise InputError(f"temperature must be a number above 0; got {temperature}")
