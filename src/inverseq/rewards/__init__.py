"""What is wanted: the form every reward has, and what a reward may depend on."""

from inverseq.rewards.reward import Reward
from inverseq.rewards.tables import FeatureReward, StateActionReward, StateReward

__all__ = ["FeatureReward", "Reward", "StateActionReward", "StateReward"]
