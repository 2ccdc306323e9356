"""Weighted counts of decisions: the narrow waist that most solvers need nothing beyond."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from inverseq._core.arrays import frozen_array, require_finite, require_shape
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align, check_existing
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP


@dataclass(frozen=True, eq=False)
class Counts:
    """How often (with what weight) each action was taken in each state.

    Sufficient for IAVI, maximum causal entropy, cloning and EM; additive (`a + b`), so that it can
    be computed in pieces.

    Attributes:
        state_action: `[S, A]` weight of the decisions.
        units: `[U, S * A]` the same per unit (trajectory, session, subject) for resampling and
            cross-validation, or None.
    """

    state_action: Float[np.ndarray, "S A"]
    units: sparse.csr_array | None = None

    def __post_init__(self) -> None:
        array = frozen_array(self.state_action, np.float64, "state_action")
        require_shape(array, (None, None), "state_action", "S, A")
        require_finite(array, "state_action")
        if (array < 0).any():
            raise InputError("counts must not be negative")
        object.__setattr__(self, "state_action", array)

    @property
    def visits(self) -> Float[np.ndarray, " S"]:
        """Weight of the decisions made in each state."""
        return self.state_action.sum(1)

    def __add__(self, other: "Counts") -> "Counts":
        units = None
        if self.units is not None and other.units is not None:
            units = sparse.vstack([self.units, other.units], format="csr")
        return Counts(self.state_action + other.state_action, units)


def count(
    demonstrations: Demonstrations,
    mdp: MDP,
    *,
    weights: Float[np.ndarray, " N"] | None = None,
    by: str = "trajectory",
) -> Counts:
    """Count the decisions of `demonstrations` in the states of `mdp`, missing actions left out.

    Args:
        demonstrations: N decisions.
        mdp: The world, the union of worlds, or either with history.
        weights: `[N]` weight of each decision; 1 where left out.
        by: What a unit is: "trajectory", "session", "subject" or any trajectory column.

    Raises:
        InputError: A decision does not fit the world; the message names the row.
    """
    states = align(demonstrations, mdp)
    check_existing(demonstrations, mdp, states)
    acted = demonstrations.acted
    cell = states[acted] * mdp.num_actions + demonstrations.actions[acted]
    weight = decision_weights(weights, demonstrations.num_decisions)[acted]
    unit_of = demonstrations.units(by)
    unit = unit_of[demonstrations.trajectory_of[acted]]
    shape = (int(unit_of.max()) + 1, mdp.num_states * mdp.num_actions)
    units = sparse.coo_array((weight, (unit, cell)), shape=shape).tocsr()
    total = np.bincount(cell, weights=weight, minlength=shape[1])
    # Of nothing, bincount makes whole numbers even with weights.
    total = total.astype(np.float64).reshape(mdp.num_states, mdp.num_actions)
    return Counts(total, units)


def count_each(
    demonstrations: Demonstrations,
    mdp: MDP,
    part: Int[np.ndarray, " N"],
    *,
    weights: Float[np.ndarray, " N"] | None = None,
) -> list[Float[np.ndarray, "S A"]]:
    """Count the decisions of each part, as `count` does; `part` is that of each decision.

    Raises:
        InputError: A decision does not fit the world; the message names the row.
    """
    states = align(demonstrations, mdp)
    check_existing(demonstrations, mdp, states)
    acted = demonstrations.acted
    weight = decision_weights(weights, demonstrations.num_decisions)[acted]
    made = np.zeros((int(part.max(initial=-1)) + 1, *mdp.allowed.shape))
    np.add.at(made, (part[acted], states[acted], demonstrations.actions[acted]), weight)
    return [made[i] for i in range(len(made))]


def decision_weights(weights: Float[np.ndarray, " N"] | None, size: int) -> Float[np.ndarray, " N"]:
    """Checked weights, 1 where left out."""
    if weights is None:
        return np.ones(size)
    array = frozen_array(weights, np.float64, "weights")
    require_shape(array, (size,), "weights", "N")
    require_finite(array, "weights")
    if (array < 0).any():
        raise InputError("weights must not be negative")
    return array
