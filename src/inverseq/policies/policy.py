"""What every policy says of a decision: which actions exist, how probable each is, and one drawn.

A decision is a row of `Demonstrations`; what a policy says of it depends on that row's state and on
rows before it in its trajectory, never on the action taken there nor on anything later.
"""

from abc import ABC, abstractmethod
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Shaped

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.existing import existing
from inverseq.mdp import MDP


@runtime_checkable
class Policy(Protocol):
    """A policy; `mdp` is the world in which decisions are made, None where there is none."""

    @property
    def num_actions(self) -> int | None:
        """A, or None where actions are continuous."""
        ...

    @property
    def present_only(self) -> bool:
        """Whether a decision depends on its own row alone, not on those before it."""
        ...

    def exists(self, demonstrations: Demonstrations, mdp: MDP | None) -> Bool[np.ndarray, "N A"]:
        """Which actions exist at each decision."""
        ...

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """Probability of each action at each decision, 0 where it does not exist."""
        ...

    def log_likelihoods(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, " N"]:
        """Logarithm of the probability (the density, of continuous actions) of each action taken;
        0 where it is missing.
        """
        ...

    def act(
        self, rng: np.random.Generator, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Shaped[np.ndarray, "N *D"]:
        """An action drawn at each decision."""
        ...

    def per_state(self, mdp: MDP | None) -> Float[np.ndarray, "S A"]:
        """Probability of each action in each state of the world.

        Raises:
            InputError: The state alone does not decide what is done.
        """
        ...


class FinitePolicy(ABC):
    """A policy over numbered actions: `probabilities` says all there is to say."""

    @property
    @abstractmethod
    def num_actions(self) -> int:
        """A."""

    @property
    def present_only(self) -> bool:
        """Whether a decision depends on its own row alone."""
        return True

    @abstractmethod
    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """Probability of each action at each decision."""

    def exists(self, demonstrations: Demonstrations, mdp: MDP | None) -> Bool[np.ndarray, "N A"]:
        """The actions that the world allows at each decision, or, where there is none, the
        demonstrations themselves (all, where they do not say).

        Raises:
            InputError: A decision does not fit the world, or speaks of another number of actions.
        """
        if mdp is not None:
            return mdp.allowed[align(demonstrations, mdp)]
        return existing(demonstrations, self.num_actions)

    def log_likelihoods(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, " N"]:
        """Logarithm of the probability of each action taken; 0 where it is missing."""
        return log_taken(self.probabilities(demonstrations, mdp), demonstrations)

    def act(
        self, rng: np.random.Generator, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Shaped[np.ndarray, " N"]:
        """An action drawn at each decision."""
        return draw_rows(rng, self.probabilities(demonstrations, mdp))

    def per_state(self, mdp: MDP | None) -> Float[np.ndarray, "S A"]:
        """No table: the state alone does not decide."""
        raise InputError(
            f"a {type(self).__name__} does not say what is done in a state by itself; fit IAVI, "
            "MaxEnt or another solver whose policy is a table of states"
        )


def check_known(demonstrations: Demonstrations, num_actions: int) -> None:
    """Raise an `InputError` where an action is none of those that a policy knows."""
    unknown = demonstrations.actions >= num_actions
    if unknown.any():
        row = int(np.argmax(unknown))
        raise InputError(
            f"row {demonstrations.row(row)}: action {demonstrations.actions[row]} was never seen "
            f"while fitting, which knew {num_actions} actions numbered from 0"
        )


def log_taken(
    probabilities: Float[np.ndarray, "N A"], demonstrations: Demonstrations
) -> Float[np.ndarray, " N"]:
    """Logarithm of the probability of each action taken; 0 where it is missing.

    Raises:
        InputError: An action has no column, or what it was given is no probability.
    """
    actions, num_actions = demonstrations.actions, probabilities.shape[1]
    if actions.ndim > 1:
        raise InputError(
            "these actions are continuous, and this solution chooses among numbered ones: bin "
            "them, or fit a solver whose policy has densities"
        )
    check_known(demonstrations, num_actions)
    taken = probabilities[np.arange(len(actions)), np.maximum(actions, 0)]
    wrong = ~((taken >= 0) & (taken <= 1 + 1e-6))  # not a number is wrong too
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"row {demonstrations.row(row)}: the policy gives its action {taken[row]:.4g}, which "
            "is no probability; make what probabilities() returns sum to 1 over actions"
        )
    with np.errstate(divide="ignore"):
        return np.where(actions >= 0, np.log(taken), 0.0)


def draw_rows(
    rng: np.random.Generator, probabilities: Float[np.ndarray, "N A"]
) -> Shaped[np.ndarray, " N"]:
    """One column drawn for each row of probabilities.

    Raises:
        InputError: Nothing can be drawn, as at the destination of a trip.
    """
    reached = np.cumsum(probabilities, axis=1)
    if not (reached[:, -1] > 0).all():
        row = int(np.argmin(reached[:, -1] > 0))
        raise InputError(f"decision {row + 1}: no action is possible where it is made; end there")
    found = (rng.random(len(reached))[:, None] * reached[:, -1:] >= reached).sum(axis=1)
    return np.minimum(found, probabilities.shape[1] - 1)
