"""A policy that does what was done at the nearest observations."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.following import check_finite
from inverseq.mdp import MDP
from inverseq.policies.policy import FinitePolicy


@dataclass(frozen=True, eq=False)
class NeighbourPolicy(FinitePolicy):
    """The share of each action among the k nearest of M observations, and one decision on average.

    Attributes:
        centre: `[D]` taken off each feature before distances (Euclidean) are measured.
        spread: `[D]` what each is divided by.
        observations: `[M, D]` in these units.
        actions: `[M]` what was done there.
        weights: `[M]` of these decisions.
        shares: `[A]` of all actions together: the neighbours' wider context.
        neighbours: k.
    """

    centre: Float[np.ndarray, " D"]
    spread: Float[np.ndarray, " D"]
    observations: Float[np.ndarray, "M D"]
    actions: Int[np.ndarray, " M"]
    weights: Float[np.ndarray, " M"]
    shares: Float[np.ndarray, " A"]
    neighbours: int

    def __post_init__(self) -> None:
        freeze(self, np.int64, "actions")
        freeze(self, np.float64, "centre", "spread", "observations", "weights", "shares")

    @property
    def num_actions(self) -> int:
        """A."""
        return self.shares.size

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Of one observation."""
        return (self.centre.size,)

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """What the neighbours of each observation did.

        Raises:
            InputError: Observations have another shape than those counted, or a number is not
                finite.
        """
        check_finite(demonstrations)
        exists = self.exists(demonstrations, mdp)
        counts = self.counts(demonstrations.states, (self.neighbours,))[0]
        made = (counts + self.shares) * exists
        return made / made.sum(axis=1, keepdims=True)

    def counts(
        self, states: Shaped[np.ndarray, "N *shape"], numbers: tuple[int, ...]
    ) -> Float[np.ndarray, "K N A"]:
        """Weight of each action among so many nearest observations, for each of K numbers.

        Raises:
            InputError: Observations have another shape than those counted.
        """
        if states.shape[1:] != self.observation_shape:
            raise InputError(
                f"observations have shape {states.shape[1:]}, those counted have "
                f"{self.observation_shape}"
            )
        seen = (states - self.centre) / self.spread
        most = min(max(numbers), len(self.actions))
        near = self._tree.query(seen, k=np.arange(1, most + 1))[1]
        made = np.zeros((len(numbers), len(states), self.num_actions))
        for action in range(self.num_actions):
            weight = np.where(self.actions == action, self.weights, 0.0)
            reached = np.cumsum(weight[near], axis=1)
            for place, number in enumerate(numbers):
                made[place, :, action] = reached[:, min(number, most) - 1]
        return made

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import cKDTree  # takes a while to load, and only neighbours need it

        return cKDTree(self.observations)
