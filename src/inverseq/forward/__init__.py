"""From a reward to behaviour: planning, evaluation, visits, learning and simulation."""

from importlib import import_module
from typing import Any

from inverseq.forward.evaluation import occupancy, policy_evaluation
from inverseq.forward.planning import (
    policy_iteration,
    soft_policy_iteration,
    soft_value_iteration,
    value_iteration,
)
from inverseq.forward.records import Plan
from inverseq.forward.simulation import simulate
from inverseq.forward.switching import simulate_switching

__all__ = [
    "DQN",
    "Learned",
    "Plan",
    "TrainedDQN",
    "occupancy",
    "policy_evaluation",
    "policy_iteration",
    "q_learning",
    "simulate",
    "simulate_switching",
    "simulator_of",
    "soft_policy_iteration",
    "soft_value_iteration",
    "train_dqn",
    "value_iteration",
]

# These need JAX, which takes most of a second to load; planning does not.
_COMPILED = {
    "DQN": "dqn",
    "Learned": "learning",
    "TrainedDQN": "dqn",
    "q_learning": "learning",
    "simulator_of": "simulator",
    "train_dqn": "dqn",
}


def __getattr__(name: str) -> Any:
    if name in _COMPILED:
        return getattr(import_module(f"inverseq.forward.{_COMPILED[name]}"), name)
    raise AttributeError(f"module 'inverseq.forward' has no attribute {name!r}")
