"""A policy that is a network: the record, and what it says of observations.

The record is plain arrays and needs no JAX; the functions load it when they are called.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Shaped

import inverseq.networks as networks
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.networks.record import TrainedNetwork
from inverseq.policies.policy import FinitePolicy


@dataclass(frozen=True, eq=False)
class NetworkPolicy(FinitePolicy):
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
    value: Literal["soft", "hard"] = "soft"
    absorbing_value: float = 0.0

    @property
    def num_actions(self) -> int:
        """A."""
        return self.network.num_actions

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Of one observation."""
        return tuple(self.network.observation_shape)

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """What the network says of each observation.

        Raises:
            InputError: Observations have another shape than those fitted to.
        """
        return network_probabilities(self, demonstrations.states, self.exists(demonstrations, mdp))


def network_q(
    policy: NetworkPolicy, observations: Shaped[np.ndarray, "N *shape"]
) -> Float[np.ndarray, "N A"]:
    """Action values of each observation, in units of the temperature.

    Raises:
        InputError: Observations have another shape than those fitted to.
    """
    return networks.action_values(policy.network, observations) / policy.temperature


def network_probabilities(
    policy: NetworkPolicy,
    observations: Shaped[np.ndarray, "N *shape"],
    exists: Bool[np.ndarray, "N A"] | None = None,
) -> Float[np.ndarray, "N A"]:
    """Probability of each action at each observation, 0 where it does not exist.

    Raises:
        InputError: As for `network_q`.
    """
    q = _among(network_q(policy, observations), exists)
    likely = np.exp(q - q.max(1, keepdims=True))
    return likely / likely.sum(1, keepdims=True)


def network_values(
    policy: NetworkPolicy,
    observations: Shaped[np.ndarray, "N *shape"],
    exists: Bool[np.ndarray, "N A"] | None = None,
) -> Float[np.ndarray, " N"]:
    """V of each observation over the actions that exist, in units of the temperature.

    Raises:
        InputError: As for `network_q`.
    """
    q = _among(network_q(policy, observations), exists)
    highest = q.max(1)
    if policy.value == "hard":
        return highest
    return highest + np.log(np.exp(q - highest[:, None]).sum(1))


def _among(
    q: Float[np.ndarray, "N A"], exists: Bool[np.ndarray, "N A"] | None
) -> Float[np.ndarray, "N A"]:
    """Action values, minus infinity where no action exists."""
    return q if exists is None or exists.all() else np.where(exists, q, -np.inf)
