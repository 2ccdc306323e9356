"""A reward of trips to destinations: features of moves, and of what they mean for the way there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import freeze
from inverseq.decisions.alignment import align
from inverseq.decisions.goals import goal_features, goals_of, require_goal_features
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.policies.routes import Network
from inverseq.rewards.tables import FeatureReward


@dataclass(frozen=True, eq=False)
class GoalReward:
    """A weight for each feature of the world, and for each of a move on the way to its goal.

    Attributes:
        own: The part that is the same whatever the goal.
        goal: Column per trajectory with the state to be reached.
        goal_features: P of `GOAL_FEATURES`.
        goal_weights: `[P]`.
    """

    own: FeatureReward
    goal: str
    goal_features: tuple[str, ...]
    goal_weights: Float[np.ndarray, " P"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "goal_weights")

    def values(self, demonstrations: Demonstrations, mdp: MDP | None) -> Float[np.ndarray, " N"]:
        """Of each row, on the way to its own goal; NaN where its action is unknown.

        Raises:
            InputError: There is no world or goal, a row does not fit it, or moves are uncertain.
        """
        made = self.own.values(demonstrations, mdp)
        assert mdp is not None  # as `own` has seen
        network, states = Network.of(mdp), align(demonstrations, mdp)
        move = np.full(mdp.num_states * mdp.num_actions, -1)
        move[network.pairs] = np.arange(network.pairs.size)
        moves = move[states * mdp.num_actions + np.maximum(demonstrations.actions, 0)]
        goals = goals_of(demonstrations, mdp, self.goal)[demonstrations.trajectory_of]
        for goal in np.unique(goals):
            rows = np.flatnonzero((goals == goal) & demonstrations.acted & (moves >= 0))
            tails, heads = network.tails[moves[rows]], network.heads[moves[rows]]
            told = goal_features(mdp, tails, heads, np.array([goal]), self.goal_features)
            made[rows] += told[:, 0] @ self.goal_weights
        return made

    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """The part that is the same whatever the goal."""
        return self.own.table(mdp)

    def carry(self, old: MDP, new: MDP) -> "GoalReward":
        """Holds wherever the features are the same and states lie somewhere."""
        require_goal_features(new, self.goal_features)
        return replace(self, own=self.own.carry(old, new))

    def like(
        self, table: Float[np.ndarray, "S A"] | None, parameters: Mapping[str, np.ndarray]
    ) -> "GoalReward":
        """With other weights, those of goals last."""
        size = self.own.weights.size
        weights = self.own.like(table, parameters).weights
        return replace(self, own=FeatureReward(weights[:size]), goal_weights=weights[size:])

    def planned(self, mdp: MDP, planning: Any) -> Any:
        """What is done, on the way to each goal."""
        made = planning.plan(mdp, self.table(mdp))
        policy = replace(
            made.policy, goal_features=self.goal_features, goal_weights=self.goal_weights
        )
        return made._replace(policy=policy)
