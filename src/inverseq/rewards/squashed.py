"""The reward that a critic and an actor of continuous actions imply."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Shaped

import inverseq.networks as networks
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.networks.record import TrainedNetwork
from inverseq.policies.squashed import SquashedPolicy
from inverseq.rewards.reward import ObservedReward

_DRAWS = 32
"""Actions drawn for a value; the same chances at every state, so that values can be compared."""


@dataclass(frozen=True, eq=False)
class SquashedReadOut(ObservedReward):
    """r(s, a) = Q(s, a) - gamma V(s') with V(s) = E[Q(s, a) - T log pi(a | s)] over the actor's
    actions (Garg and others 2021, equation 10; densities are those of actions in [-1, 1]).

    Attributes:
        policy: The actor.
        critic: Q of an observation and an action in [-1, 1] in one row.
        temperature: T.
        discount: gamma.
        absorbing_value: V after the world has ended a game, in the critic's units.
    """

    policy: SquashedPolicy
    critic: TrainedNetwork
    temperature: float
    discount: float
    absorbing_value: float = 0.0

    def values(self, demonstrations: Demonstrations, mdp: MDP | None) -> Float[np.ndarray, " N"]:
        """Of each row, in units of the temperature; V is a mean over 32 actions.

        Where the world ended the row, V(s') is the absorbing value. NaN where the action or the
        next state is unknown.

        Raises:
            InputError: Observations or actions have another shape than those fitted to.
        """
        actions, acted = demonstrations.actions, demonstrations.acted
        if actions.ndim != 2 or actions.shape[1] != len(self.policy.low):
            raise InputError(
                f"this reward is one of actions of {len(self.policy.low)} components; those of the "
                f"demonstrations have shape {actions.shape[1:]}"
            )
        known = demonstrations.next_known & ~demonstrations.terminated
        ahead = np.full(len(actions), self.absorbing_value)
        if known.any():
            ahead[known] = self._state_values(demonstrations.next_states[known])
        inside = networks.Unit.of(self.policy.bounds).inside(actions)
        chosen = self._judged(demonstrations.states, np.where(acted[:, None], inside, 0.0))
        lost = ~known & ~demonstrations.terminated | ~acted
        return np.where(lost, np.nan, (chosen - self.discount * ahead) / self.temperature)

    def _state_values(self, observations: Shaped[np.ndarray, "N *shape"]) -> np.ndarray:
        """V of each observation."""
        outputs = self.policy.outputs(observations)
        mean, spread = networks.parted(outputs)
        chances = np.random.default_rng(0).normal(size=(_DRAWS, mean.shape[1]))
        values = np.zeros(len(outputs))
        for chance in chances:
            actions = np.tanh(mean + spread * chance)
            density = networks.log_density(outputs, actions)
            values += self._judged(observations, actions) - self.temperature * density
        return values / _DRAWS

    def _judged(self, observations: np.ndarray, actions: np.ndarray) -> Float[np.ndarray, " N"]:
        """Q of each row."""
        return networks.action_values(self.critic, networks.beside(observations, actions))[:, 0]
