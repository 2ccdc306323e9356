"""A policy that chooses among the actions that constraints allow."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Shaped

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.policies.forbidden import Forbidden
from inverseq.policies.network import NetworkPolicy, network_probabilities, network_q
from inverseq.policies.policy import FinitePolicy


@runtime_checkable
class Safety(Protocol):
    """Says which actions are safe at observations."""

    def __call__(self, observations: Shaped[np.ndarray, "N *shape"], /) -> Bool[np.ndarray, "N A"]:
        """`[N, A]`, true where an action is safe."""
        ...


@dataclass(frozen=True, eq=False)
class SafePolicy(FinitePolicy):
    """Chooses by constrained action values among the safe actions; the others have probability 0.

    Attributes:
        values: The network Q^C, and the temperature of its values.
        safety: Which actions are safe. `Forbidden` rules and frozen dataclasses with `__call__` can
            be saved (yours are read with `load(..., also=)`), a plain function cannot.
        behaviour: "greedy" takes the best safe action (equally often where several are),
            "boltzmann" safe actions in proportion to exp(Q^C / temperature).
    """

    values: NetworkPolicy
    safety: Safety | Forbidden
    behaviour: Literal["greedy", "boltzmann"]

    @property
    def num_actions(self) -> int:
        """A."""
        return self.values.num_actions

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Of one observation."""
        return self.values.observation_shape

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """Of the actions at each observation.

        Raises:
            InputError: Observations have another shape, or no action is safe at one of them.
        """
        exists = self.exists(demonstrations, mdp)
        safe = safe_at(self.safety, demonstrations.states, exists)
        if self.behaviour == "boltzmann":
            return network_probabilities(self.values, demonstrations.states, safe)
        q = np.where(safe, network_q(self.values, demonstrations.states), -np.inf)
        best = q == q.max(axis=1, keepdims=True)
        return best / best.sum(axis=1, keepdims=True)


def safe_at(
    safety: Safety, observations: Shaped[np.ndarray, "N *shape"], exists: Bool[np.ndarray, "N A"]
) -> Bool[np.ndarray, "N A"]:
    """Which actions exist and are safe at each observation.

    Raises:
        InputError: The answer has another shape than `[N, A]`, or none is safe at an observation.
    """
    given = np.asarray(safety(observations))
    if given.shape != exists.shape or given.dtype != bool:
        raise InputError(
            f"a constraint must give true or false for each observation and action, bool of shape "
            f"{exists.shape}; got {given.dtype} of shape {given.shape}"
        )
    safe: np.ndarray = given & exists
    stuck = ~safe.any(axis=1)
    if stuck.any():
        first = int(np.argmax(stuck))
        seen = np.array2string(observations[first], precision=4, threshold=30)
        raise InputError(
            f"no action is safe at the observation {seen} ({int(stuck.sum())} such observations of "
            f"{len(observations)}): allow one there, or raise a bound"
        )
    return safe
