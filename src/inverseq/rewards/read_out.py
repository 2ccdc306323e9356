"""The reward that a network of action values implies."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.policies.network import NetworkPolicy, network_q, network_values
from inverseq.rewards.reward import ObservedReward


@dataclass(frozen=True, eq=False)
class ReadOutReward(ObservedReward):
    """r(s, a) = Q(s, a) - gamma V(s'), read out of the values that a network gives transitions.

    Attributes:
        policy: With a discount.
    """

    policy: NetworkPolicy

    def values(self, demonstrations: Demonstrations, mdp: MDP | None) -> Float[np.ndarray, " N"]:
        """Of each row, in units of the temperature.

        Where the world ended the row, V(s') is the absorbing value. NaN where the action or the
        next state is unknown.

        Raises:
            InputError: Observations have another shape than those fitted to.
        """
        policy = self.policy
        assert policy.discount is not None  # its solvers see to it
        rows = np.arange(demonstrations.num_decisions)
        following = demonstrations.next_states
        known = demonstrations.next_known & ~demonstrations.terminated
        ahead = np.full(len(rows), policy.absorbing_value / policy.temperature)
        if known.any():
            there = demonstrations.next_allowed
            there = None if there is None else there[known]
            ahead[known] = network_values(policy, following[known], there)
        lost = ~known & ~demonstrations.terminated | ~demonstrations.acted
        chosen = network_q(policy, demonstrations.states)[rows, demonstrations.actions]
        return np.where(lost, np.nan, chosen - policy.discount * ahead)
