"""A reward of observations and actions that networks learned."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

import inverseq.networks as networks
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.networks.record import TrainedNetwork
from inverseq.policies.network import NetworkPolicy
from inverseq.rewards.reward import ObservedReward


@dataclass(frozen=True, eq=False)
class ObservationReward(ObservedReward):
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
