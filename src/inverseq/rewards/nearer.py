"""A reward of leading nearer to an end, and of features."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import freeze
from inverseq.mdp import MDP
from inverseq.mdp.paths import Nearer, nearer_by
from inverseq.rewards.reward import WorldReward
from inverseq.rewards.tables import FeatureReward, check_shared_features, features_of


@dataclass(frozen=True, eq=False)
class NearerReward(WorldReward):
    """A weight for each step by which a move shortens the way to an end, and for each feature.

    Attributes:
        nearer: By which way: "path" or "line".
        weights: `[1 + F]` the first of a step nearer, then of the features, if the world has any.
    """

    nearer: Nearer
    weights: Float[np.ndarray, " F1"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "weights")

    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """The weighted sum of what each move means.

        Raises:
            InputError: The world has no ends, or another number of features.
        """
        return looked_at(mdp, self.nearer, self.weights.size - 1) @ self.weights

    def carry(self, old: MDP, new: MDP) -> "NearerReward":
        """Holds wherever there are ends and the same features."""
        if self.weights.size > 1:
            check_shared_features(old, new)
        return self

    def like(
        self, table: Float[np.ndarray, "S A"] | None, parameters: Mapping[str, np.ndarray]
    ) -> "NearerReward":
        """With other weights."""
        made = FeatureReward(self.weights).like(table, parameters)
        return replace(self, weights=made.weights)


def looked_at(mdp: MDP, nearer: Nearer | None, size: int) -> Float[np.ndarray, "S A F1"]:
    """Steps nearer, where they count, and the features of each move; 0 where none exists.

    Raises:
        InputError: The world has no ends, or not so many features.
    """
    if nearer is None:
        return features_of(mdp, size)
    steps = np.where(mdp.allowed, nearer_by(mdp, nearer), 0.0)[..., None]
    return np.concatenate([steps, features_of(mdp, size)], axis=2) if size else steps
