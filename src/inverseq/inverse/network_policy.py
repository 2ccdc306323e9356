"""A policy that is a network: the record, and what it says of observations.

The record is plain arrays and needs no JAX; the functions load it when they are called.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

import inverseq.networks as networks
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.networks.record import TrainedNetwork


@dataclass(frozen=True, eq=False)
class NetworkPolicy:
    """Probabilities of actions proportional to exp(Q(s, a) / temperature), Q a network.

    Attributes:
        network: From an observation to action values.
        temperature: Of the policy, in the units of the network's values.
        discount: gamma of the values; None where they are no more than preferences.
        value: V(s) is "soft" (temperature * log sum exp) or "hard" (the largest).
        absorbing_value: V after the world has ended a game, in the network's units.
    """

    network: TrainedNetwork
    temperature: float
    discount: float | None = None
    value: str = "soft"
    absorbing_value: float = 0.0


def network_q(
    policy: NetworkPolicy, observations: Shaped[np.ndarray, "N *shape"]
) -> Float[np.ndarray, "N A"]:
    """Action values of each observation, in units of the temperature.

    Raises:
        InputError: Observations have another shape than those fitted to.
    """
    return networks.action_values(policy.network, observations) / policy.temperature


def network_probabilities(
    policy: NetworkPolicy, observations: Shaped[np.ndarray, "N *shape"]
) -> Float[np.ndarray, "N A"]:
    """Probability of each action at each observation.

    Raises:
        InputError: As for `network_q`.
    """
    q = network_q(policy, observations)
    likely = np.exp(q - q.max(1, keepdims=True))
    return likely / likely.sum(1, keepdims=True)


def network_values(
    policy: NetworkPolicy, observations: Shaped[np.ndarray, "N *shape"]
) -> Float[np.ndarray, " N"]:
    """V of each observation, in units of the temperature.

    Raises:
        InputError: As for `network_q`.
    """
    q = network_q(policy, observations)
    highest = q.max(1)
    if policy.value == "hard":
        return highest
    return highest + np.log(np.exp(q - highest[:, None]).sum(1))


def transition_rewards(
    policy: NetworkPolicy, demonstrations: Demonstrations
) -> Float[np.ndarray, " N"]:
    """The reward read out of a network, r = Q(s, a) - gamma V(s'), for each row.

    Where the world ended the row, V(s') is the absorbing value. NaN where the action or the next
    state is unknown.

    Args:
        policy: Of a solution of `IQLearn`.
        demonstrations: With features as states; they may be of another agent, or all transitions
            there are.

    Returns:
        `[N]` in units of the temperature.

    Raises:
        InputError: The policy is not one of values (that of `BehaviourCloning` has none), or
            observations have another shape than those fitted to.
    """
    if policy.discount is None:
        raise InputError("this policy has no values to read rewards from: fit it with IQLearn")
    rows = np.arange(demonstrations.num_decisions)
    following = demonstrations.next_states
    known = demonstrations.next_known & ~demonstrations.terminated
    ahead = np.full(len(rows), policy.absorbing_value / policy.temperature)
    if known.any():
        ahead[known] = network_values(policy, following[known])
    lost = ~known & ~demonstrations.terminated | (demonstrations.actions < 0)
    chosen = network_q(policy, demonstrations.states)[rows, demonstrations.actions]
    return np.where(lost, np.nan, chosen - policy.discount * ahead)
