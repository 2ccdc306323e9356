"""A habit that a reward steers: p(a | past) in proportion to habit(a | past) * exp(Q(s, a))."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.policies.backoff import BackoffTable
from inverseq.policies.columns import ColumnPolicy
from inverseq.policies.logit import LogitPolicy
from inverseq.policies.policy import FinitePolicy, Policy


@runtime_checkable
class Habit(Policy, Protocol):
    """What is usually done after a past or in contexts, in any world."""

    def within(self, mdp: MDP) -> "Habit":
        """The same in another world.

        Raises:
            InputError: It says nothing about the states of that world.
        """
        ...


KnownHabit = BackoffTable | ColumnPolicy | LogitPolicy
"""Habits that can be read from a file without being named."""


@dataclass(frozen=True, eq=False)
class SteeredPolicy(FinitePolicy):
    """A table of what is usually done, and values that pull away from it.

    Attributes:
        habit: What is usually done after each past.
        q: `[S, A]` values of actions in nats, in the states of the world of the solution.
    """

    habit: Habit | KnownHabit
    q: Float[np.ndarray, "S A"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "q")

    @property
    def num_actions(self) -> int:
        """A."""
        return self.q.shape[1]

    @property
    def present_only(self) -> bool:
        """Whether the habit looks at the row alone."""
        return self.habit.present_only

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """The habit of each decision, steered by the values of its state.

        Raises:
            InputError: There is no world, or a decision does not fit it or the habit.
        """
        if mdp is None:
            raise InputError("a reward that steers a habit needs the world: fit it with mdp=...")
        habit = self.habit.probabilities(demonstrations, mdp)
        return _steered(habit, self.q[align(demonstrations, mdp)])

    def per_state(self, mdp: MDP | None) -> Float[np.ndarray, "S A"]:
        """The table, where the habit is one."""
        return _steered(self.habit.per_state(mdp), self.q)


def _steered(
    habit: Float[np.ndarray, "N A"], values: Float[np.ndarray, "N A"]
) -> Float[np.ndarray, "N A"]:
    """`steer` in probabilities."""
    with np.errstate(divide="ignore"):
        return np.exp(steer(np.log(habit), values))


def steer(
    log_habit: Float[np.ndarray, "N A"], values: Float[np.ndarray, "N A"]
) -> Float[np.ndarray, "N A"]:
    """Logarithm of habit * exp(values), normalised over actions; -inf where the habit is 0."""
    logits = log_habit + np.where(np.isfinite(log_habit), values, 0.0)
    top = logits.max(axis=1, keepdims=True)
    return logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
