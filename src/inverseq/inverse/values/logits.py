"""Behaviour as a quadratic in the log-odds of its actions, of which IAVI reads the reward."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq.inverse.hierarchy.expansion import Explained, OfCounts, Quadratic
from inverseq.inverse.planning import HardOptimum, SoftOptimum
from inverseq.mdp import MDP
from inverseq.policies import boltzmann, log_boltzmann

_MOST = 1500
"""Numbers up to which a matrix of their second derivatives is kept for each animal."""


@dataclass(frozen=True, eq=False)
class LogitExpansion(OfCounts):
    """One number for each action that exists; only differences within a state mean something, and
    the prior sets the rest to nothing.

    Attributes:
        mdp: The world.
        read: From a policy to its reward.
        planning: How the agent plans for it.
    """

    mdp: MDP
    read: Callable[[Float[np.ndarray, "S A"], MDP], Explained]
    planning: SoftOptimum | HardOptimum

    def __post_init__(self) -> None:
        if self._pairs.size > _MOST:
            raise InputError(
                f"{self._pairs.size:,} log-odds of actions are too many to share out between "
                f"animals ({_MOST:,} at most): join states, or take a MaxEnt on states or features"
            )

    @cached_property
    def _pairs(self) -> Int[np.ndarray, " F"]:
        """Numbers s * A + a of the actions that exist."""
        return np.flatnonzero(self.mdp.allowed)

    @property
    def penalty(self) -> Float[np.ndarray, "F F"]:
        """All log-odds vary alike."""
        return np.eye(self._pairs.size)

    @property
    def blocks(self) -> Int[np.ndarray, " F"]:
        """All log-odds vary alike."""
        return np.zeros(self._pairs.size, dtype=np.int64)

    def start(self, seen: Sequence[Float[np.ndarray, "S A"]]) -> Float[np.ndarray, " F"]:
        """Log-odds of all decisions, half a decision of each kind added."""
        logs = np.log(np.sum(seen, axis=0) + 0.5)
        exists = self.mdp.allowed
        mean = np.where(exists, logs, 0.0).sum(1, keepdims=True) / exists.sum(1, keepdims=True)
        return (logs - mean).ravel()[self._pairs]

    def quadratic(
        self, seen: Float[np.ndarray, "S A"], weights: Float[np.ndarray, " F"], near: None
    ) -> Quadratic:
        """The multinomial likelihood; its curvature joins actions of one state only."""
        table, exists = self._table(weights), self.mdp.allowed
        logs = np.where(exists, log_boltzmann(table, exists), 0.0)
        policy, visits = np.where(exists, np.exp(logs), 0.0), seen.sum(1, keepdims=True)
        slope = (seen - visits * policy).ravel()[self._pairs]
        chance = policy.ravel()[self._pairs]
        states = self._pairs // self.mdp.num_actions
        times = visits.ravel()[states]
        together = states[:, None] == states
        curvature = np.diag(times * chance) - together * np.outer(times * chance, chance)
        return Quadratic(float((seen * logs).sum()), slope, curvature, None)

    def explain(self, weights: Float[np.ndarray, " F"], near: None) -> Explained:
        """The policy, and the reward that is read of it."""
        return self.read(boltzmann(self._table(weights), self.mdp.allowed), self.mdp)

    def _table(self, weights: Float[np.ndarray, " F"]) -> Float[np.ndarray, "S A"]:
        """The numbers as a table."""
        made = np.zeros(self.mdp.allowed.size)
        made[self._pairs] = weights
        return made.reshape(self.mdp.allowed.shape)
