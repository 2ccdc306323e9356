"""A reward for each animal."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import freeze
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.policies.each import EachPolicy, Members
from inverseq.policies.walk import Walk
from inverseq.rewards.tables import FeatureReward, StateActionReward, StateReward

KnownTable = StateReward | StateActionReward | FeatureReward


@dataclass(frozen=True, eq=False)
class EachReward:
    """The reward of each animal, of each group, and of all, or of each moment of a walk; as a
    table, that of all.

    Attributes:
        members: The M animals and groups, or moments.
        each: `[M + 1]` their rewards, the last that of all.
        numbers: `[M, F]` what the rewards hang on: weights of features, rewards of states or pairs,
            log-odds of actions.
        spread: `[M, F]` how unsure each is: standard deviations given the decisions and how alike
            animals are.
    """

    members: Members | Walk
    each: tuple[KnownTable, ...]
    numbers: Float[np.ndarray, "M F"]
    spread: Float[np.ndarray, "M F"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "numbers", "spread")

    def values(self, demonstrations: Demonstrations, mdp: MDP | None) -> Float[np.ndarray, " N"]:
        """Of each row, to the animal whose it is; NaN where its action is unknown.

        Raises:
            InputError: Nothing says whose a row is, or there is no world that it fits.
        """
        which = self.members.which(demonstrations)
        made = np.empty(demonstrations.num_decisions)
        for member in np.unique(which):
            rows = which == member
            made[rows] = self.each[member].values(demonstrations, mdp)[rows]
        return made

    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """That of all."""
        return self.each[-1].table(mdp)

    def carry(self, old: MDP, new: MDP) -> "EachReward":
        """Each in another world."""
        return replace(self, each=tuple(one.carry(old, new) for one in self.each))

    def planned(self, mdp: MDP, planning: Any) -> Any:
        """What each does for its own, with the values of all.

        Raises:
            InputError: More than the state decides what is done.
        """
        each = [planning.plan(mdp, one.table(mdp)) for one in self.each]
        tables = np.stack([one.policy.per_state(mdp) for one in each])
        return each[-1]._replace(policy=EachPolicy(self.members, tables))

    def like(
        self, table: Float[np.ndarray, "S A"] | None, parameters: Mapping[str, np.ndarray]
    ) -> KnownTable:
        """That of all, with other numbers."""
        return self.each[-1].like(table, parameters)
