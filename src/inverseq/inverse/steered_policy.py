"""A habit that a reward steers: p(a | past) in proportion to habit(a | past) * exp(Q(s, a))."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import frozen_array
from inverseq.inverse.backoff import BackoffTable
from inverseq.inverse.column_policy import ColumnPolicy
from inverseq.inverse.logit_policy import LogitPolicy

Habit = BackoffTable | ColumnPolicy | LogitPolicy
"""What is usually done after a past or in contexts."""


@dataclass(frozen=True, eq=False)
class SteeredPolicy:
    """A table of what is usually done, and values that pull away from it.

    Attributes:
        habit: What is usually done after each past.
        q: `[S, A]` values of actions in nats, in the states of the world of the solution.
    """

    habit: Habit
    q: Float[np.ndarray, "S A"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "q", frozen_array(self.q, np.float64, "q"))


def steer(
    log_habit: Float[np.ndarray, "N A"], values: Float[np.ndarray, "N A"]
) -> Float[np.ndarray, "N A"]:
    """Logarithm of habit * exp(values), normalised over actions; -inf where the habit is 0."""
    logits = log_habit + np.where(np.isfinite(log_habit), values, 0.0)
    top = logits.max(axis=1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
