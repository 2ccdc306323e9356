"""Which actions exist at each decision, where states are features, and numbers that can be."""

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Shaped

from inverseq._core.arrays import frozen_array, require_shape
from inverseq._core.errors import InputError
from inverseq.demonstrations.arrays import plain_array
from inverseq.demonstrations.following import NextStates


@runtime_checkable
class Masked(Protocol):
    """Decisions, some of whose actions may not exist."""

    @property
    def num_decisions(self) -> int:
        """N."""
        ...

    @property
    def allowed(self) -> Bool[np.ndarray, "N A"] | None:
        """Which actions exist; None where all do."""
        ...


def existing(demonstrations: Masked, num_actions: int) -> Bool[np.ndarray, "N A"]:
    """Which of `num_actions` actions exist at each decision; all where nothing says which.

    Raises:
        InputError: The decisions say it of more or fewer actions.
    """
    allowed = demonstrations.allowed
    if allowed is None:
        return np.ones((demonstrations.num_decisions, num_actions), dtype=bool)
    if allowed.shape[1] != num_actions:
        raise InputError(
            f"allowed speaks of {allowed.shape[1]} actions, and there are {num_actions}: give it a "
            "column for each action, also where demonstrations are predicted or scored"
        )
    return allowed


def read_allowed(
    given: Any,
    states: Shaped[np.ndarray, "N *features"],
    actions: Shaped[np.ndarray, "N *components"],
    names: tuple[str, ...],
    row: Callable[[int], int],
) -> Bool[np.ndarray, "N A"] | None:
    """The mask, read-only.

    Args:
        given: The mask, or None.
        states: Of the rows.
        actions: Taken.
        names: Of the actions, or empty.
        row: From the number of a decision to that of its row in the source, for messages.

    Raises:
        InputError: States are numbers, actions are continuous, the shape is another, or in some row
            no action exists or the one that was taken does not.
    """
    if given is None:
        return None
    if states.ndim == 1 or actions.ndim > 1:
        raise InputError(
            "allowed goes with features as states and numbered actions; where states are numbers, "
            "the world says which actions exist: MDP.from_dense(..., allowed=[S, A])"
        )
    mask = plain_array(given, "allowed")
    require_shape(mask, (len(states), len(names) or None), "allowed", "N, A")
    mask = frozen_array(mask, bool, "allowed")
    none = ~mask.any(axis=1)
    if none.any():
        raise InputError(f"row {row(int(np.argmax(none)))}: allowed says that no action exists")
    rows = np.arange(len(actions))
    beyond = actions >= mask.shape[1]
    wrong = beyond | ~mask[rows, np.where(beyond, 0, actions)] & (actions >= 0)
    if wrong.any():
        first = int(np.argmax(wrong))
        raise InputError(
            f"row {row(first)}: action {actions[first]} was taken, which does not exist there: "
            f"allowed has {np.flatnonzero(mask[first]).tolist()} ({int(wrong.sum())} such rows). "
            "Correct the table, or allow the action"
        )
    return mask


def after(
    allowed: Bool[np.ndarray, "N A"] | None, following: NextStates
) -> Bool[np.ndarray, "N A"] | None:
    """The mask where each decision led: that of the following row, or every action."""
    if allowed is None:
        return None
    made = np.ones_like(allowed)
    rows = np.setdiff1d(np.flatnonzero(following.known), following.rows)
    made[rows] = allowed[rows + 1]
    return made


def require_numbers(
    states: Shaped[np.ndarray, "N *features"],
    actions: Shaped[np.ndarray, "N *components"],
    following: NextStates,
    row: Callable[[int], int],
) -> None:
    """Raise an `InputError` naming the first row with a number that cannot be."""
    low = actions < -1 if actions.ndim == 1 else np.isinf(actions).any(1)
    if states.ndim == 1:
        low = low | (states < 0)
        low[following.rows] |= following.states < 0
    if low.any():
        first = int(np.argmax(low))
        raise InputError(
            f"row {row(first)}: state {states[first]}, action {actions[first]}, next state "
            f"{following.beside(states)[first]}: numbers start at 0 (-1 marks a missing action or "
            "an unknown next state), and continuous actions are finite (NaN marks a missing one)"
        )
