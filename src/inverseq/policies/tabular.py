"""Policies per state: a table, and tables made from what actions are worth.

A table is an array `[S, A]` of probabilities: 0 at actions that do not exist, rows sum to one.
Like the backups, the functions take further trailing axes `*R`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float
from numpy.lib.mixins import NDArrayOperatorsMixin

from inverseq._core.arrays import frozen_array
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.mdp.backup import check_temperature, only
from inverseq.policies.policy import FinitePolicy


@dataclass(frozen=True, eq=False)
class TabularPolicy(FinitePolicy, NDArrayOperatorsMixin):
    """Probabilities of actions in each state of a world; reads like its array.

    Attributes:
        table: `[S, A]`.
    """

    table: Float[np.ndarray, "S A"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "table", frozen_array(self.table, np.float64, "policy"))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.table, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **how: Any) -> Any:
        plain = [i.table if isinstance(i, TabularPolicy) else i for i in inputs]
        return getattr(ufunc, method)(*plain, **how)

    def __getitem__(self, where: Any) -> Any:
        return self.table[where]

    def __len__(self) -> int:
        return len(self.table)

    @property
    def num_actions(self) -> int:
        """A."""
        return self.table.shape[1]

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """The row of each decision's state.

        Raises:
            InputError: There is no world, or a decision does not fit it.
        """
        return self.per_state(mdp)[align(demonstrations, _known(mdp))]

    def per_state(self, mdp: MDP | None) -> Float[np.ndarray, "S A"]:
        """The table."""
        return self.table


def _known(mdp: MDP | None) -> MDP:
    """The world; an `InputError` where there is none."""
    if mdp is None:
        raise InputError(
            "this policy is a table of the states of a world, and no world is there: fit it with "
            "mdp=... (a solver of your own keeps it, Solution(mdp=problem.mdp, ...)), or give an "
            "agent the table of action values, numpy.log(policy.table)"
        )
    return mdp


def log_boltzmann(
    q: Float[np.ndarray, "S A *R"], allowed: Bool[np.ndarray, "S A"], temperature: float = 1.0
) -> Float[np.ndarray, "S A *R"]:
    """Logarithm of pi(a | s) proportional to exp(Q / temperature); -inf where no action exists.

    Args:
        q: `[S, A, *R]` values of actions.
        allowed: `[S, A]` actions that exist; one per state at least.
        temperature: In units of Q, above 0.

    Raises:
        InputError: The temperature is not a positive number.
    """
    check_temperature(temperature)
    masked = only(q, allowed)
    # The largest exponent is 0, so nothing overflows and no sum is 0.
    scaled = (masked - masked.max(axis=1, keepdims=True)) / temperature
    return scaled - np.log(np.exp(scaled).sum(axis=1, keepdims=True))


def boltzmann(
    q: Float[np.ndarray, "S A *R"], allowed: Bool[np.ndarray, "S A"], temperature: float = 1.0
) -> Float[np.ndarray, "S A *R"]:
    """pi(a | s) proportional to exp(Q(s, a) / temperature) over the actions that exist.

    Raises:
        InputError: The temperature is not a positive number.
    """
    return np.exp(log_boltzmann(q, allowed, temperature))


def greedy(
    q: Float[np.ndarray, "S A *R"], allowed: Bool[np.ndarray, "S A"], tolerance: float = 1e-9
) -> Float[np.ndarray, "S A *R"]:
    """The best action of each state; actions that tie share equally.

    Args:
        q: `[S, A, *R]` values of actions.
        allowed: `[S, A]` actions that exist; one per state at least.
        tolerance: Values tie when they differ by at most this share of the best one's size (of 1
            where that is smaller), so that rounding does not choose between equals.
    """
    masked = only(q, allowed)
    best = masked.max(axis=1, keepdims=True)
    ties = masked >= best - tolerance * np.maximum(np.abs(best), 1.0)
    return ties / ties.sum(axis=1, keepdims=True)


def uniform(allowed: Bool[np.ndarray, "S A"]) -> Float[np.ndarray, "S A"]:
    """Every action that exists, equally often."""
    return allowed / allowed.sum(axis=1, keepdims=True)
