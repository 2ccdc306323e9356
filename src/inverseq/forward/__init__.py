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

__all__ = [
    "Learned",
    "Plan",
    "occupancy",
    "policy_evaluation",
    "policy_iteration",
    "q_learning",
    "simulate",
    "soft_policy_iteration",
    "soft_value_iteration",
    "value_iteration",
]


def __getattr__(name: str) -> Any:
    # Learning needs JAX, which takes most of a second to load; planning does not.
    if name in ("Learned", "q_learning"):
        return getattr(import_module("inverseq.forward.learning"), name)
    raise AttributeError(f"module 'inverseq.forward' has no attribute {name!r}")
