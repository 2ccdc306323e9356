"""From a reward to behaviour: planning, evaluation, visits, learning and simulation."""

from inverseq._core.lazy import loading
from inverseq.forward.evaluation import occupancy, policy_evaluation
from inverseq.forward.flawed import Flawed
from inverseq.forward.planning import (
    policy_iteration,
    soft_policy_iteration,
    soft_value_iteration,
    value_iteration,
)
from inverseq.forward.records import Plan
from inverseq.forward.simulation import simulate
from inverseq.forward.switching import simulate_switching

# These need JAX, which takes most of a second to load; planning does not.
_HOME = {
    "DQN": "dqn",
    "Learned": "learning",
    "SAC": "sac",
    "TrainedDQN": "dqn",
    "TrainedSAC": "sac",
    "q_learning": "learning",
    "rewarded": "rewarded",
    "simulator_of": "simulator",
    "train_dqn": "dqn",
    "train_sac": "sac",
}

__all__ = [
    "Flawed",
    "Plan",
    "occupancy",
    "policy_evaluation",
    "policy_iteration",
    "simulate",
    "simulate_switching",
    "soft_policy_iteration",
    "soft_value_iteration",
    "value_iteration",
    *_HOME,
]

__getattr__, __dir__ = loading(__name__, _HOME)
