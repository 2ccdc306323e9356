"""What is done in each situation: the form every policy has, and the policies there are."""

from inverseq.policies.policy import FinitePolicy, Policy
from inverseq.policies.squashed import ContinuousPolicy, SquashedPolicy
from inverseq.policies.tabular import TabularPolicy, boltzmann, greedy, log_boltzmann, uniform

__all__ = [
    "ContinuousPolicy",
    "FinitePolicy",
    "Policy",
    "SquashedPolicy",
    "TabularPolicy",
    "boltzmann",
    "greedy",
    "log_boltzmann",
    "uniform",
]
