"""A reward of observations and actions that networks learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

import inverseq.networks as networks
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.networks.record import TrainedNetwork
from inverseq.policies.network import NetworkPolicy


@dataclass(frozen=True, eq=False)
class ObservationReward:
    """r(s, a) of any observation, and the values that go with it.

    Numbers are in units of the policy's temperature.

    Attributes:
        network: From an observation to the rewards of the actions.
        shifted: From an observation to gamma E[V(s')] of the actions.
        policy: What was seen to be done.
        support: An action less probable than this has too little behind it.
    """

    network: TrainedNetwork
    shifted: TrainedNetwork
    policy: NetworkPolicy
    support: float

    def values(self, demonstrations: Demonstrations, mdp: MDP | None) -> Float[np.ndarray, " N"]:
        """Of each row's observation and action; NaN where the action is missing.

        Raises:
            InputError: Observations have another shape than those fitted to.
        """
        rows = np.arange(demonstrations.num_decisions)
        found = self.of_actions(demonstrations)[rows, np.maximum(demonstrations.actions, 0)]
        return np.where(demonstrations.acted, found, np.nan)

    def of_actions(self, demonstrations: Demonstrations) -> Float[np.ndarray, "N A"]:
        """The reward of every action at each row's observation.

        Raises:
            InputError: Observations have another shape than those fitted to.
        """
        made = networks.action_values(self.network, demonstrations.states)
        return made / self.policy.temperature

    def q(self, demonstrations: Demonstrations) -> Float[np.ndarray, "N A"]:
        """Q(s, a) = r(s, a) + gamma E[V(s')] of every action at each row's observation.

        Raises:
            InputError: Observations have another shape than those fitted to.
        """
        ahead = networks.action_values(self.shifted, demonstrations.states)
        return self.of_actions(demonstrations) + ahead / self.policy.temperature

    def supported(self, demonstrations: Demonstrations) -> Bool[np.ndarray, "N A"]:
        """Which actions were seen often enough near each row's observation; the values of the
        others are extrapolated.

        Raises:
            InputError: Observations have another shape than those fitted to.
        """
        return self.policy.probabilities(demonstrations, None) >= self.support

    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """None: states are observations."""
        raise InputError(
            "this reward is one of observations: ask inverseq.transition_rewards(solution, "
            "demonstrations), or solution.reward_function.of_actions(demonstrations)"
        )

    def carry(self, old: MDP, new: MDP) -> Any:
        """None: there is no finite world."""
        return self.table(new)

    def like(self, table: np.ndarray | None, parameters: Mapping[str, np.ndarray]) -> Any:
        """None: a network is no free parameter by name."""
        raise InputError("a reward that networks learned has no replicates of its numbers")
