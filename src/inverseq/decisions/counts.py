"""Weighted counts of decisions: the narrow waist that most solvers need nothing beyond."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from inverseq._core.arrays import frozen_array, require_finite, require_shape
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align, check_existing
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.grouping import held_out, named_units
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
        by: What a unit is: "trajectory", "session", "subject" or a column; "" where nobody said.
        unit_names: What the units are called; empty where they have no names, as trajectories.
    """

    state_action: Float[np.ndarray, "S A"]
    units: sparse.csr_array | None = None
    by: str = ""
    unit_names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        array = frozen_array(self.state_action, np.float64, "state_action")
        require_shape(array, (None, None), "state_action", "S, A")
        require_finite(array, "state_action")
        if (array < 0).any():
            raise InputError("counts must not be negative")
        object.__setattr__(self, "state_action", array)
        number = 0 if self.units is None else self.units.shape[0]
        if self.unit_names and len(set(self.unit_names)) != number:
            raise InputError(
                f"{len(set(self.unit_names))} different names were given for {number} units; give "
                "each a name of its own"
            )

    @property
    def visits(self) -> Float[np.ndarray, " S"]:
        """Weight of the decisions made in each state."""
        return self.state_action.sum(1)

    def __add__(self, other: "Counts") -> "Counts":
        """Counts of both parts; units of one name are one, those without names are others.

        Raises:
            InputError: The parts have other states, actions or kinds of units.
        """
        if self.state_action.shape != other.state_action.shape:
            shapes = [" x ".join(map(str, c.state_action.shape)) for c in (self, other)]
            raise InputError(
                f"counts of {shapes[0]} and {shapes[1]} states and actions do not add up; count "
                "both parts with the same state_names and action_names"
            )
        total = self.state_action + other.state_action
        if self.units is None or other.units is None:
            return Counts(total)
        if self.by != other.by:
            raise InputError(
                f"counts by {self.by!r} and by {other.by!r} have different units; count both parts "
                "by the same"
            )
        units = sparse.vstack([self.units, other.units], format="csr")
        if not (self.unit_names and other.unit_names):
            return Counts(total, units, self.by)
        names, place = np.unique([*self.unit_names, *other.unit_names], return_inverse=True)
        which = (np.ones(place.size), (place, np.arange(place.size)))
        merged = sparse.csr_array(which, shape=(names.size, place.size)) @ units
        return Counts(total, sparse.csr_array(merged), self.by, tuple(names.tolist()))

    def require_by(self, by: str, solver: str) -> None:
        """Raise an `InputError` where a solver asks for other units than these: counts bring their
        own, of which "trajectory" (what solvers ask for if nothing is said) takes any.
        """
        if by not in ("trajectory", self.by):
            raise InputError(
                f"these counts are by {self.by or 'no known unit'}, and {solver}(by={by!r}) "
                f"asks for others: count by {by!r}, or drop by"
            )

    def take(self, units: Int[np.ndarray, " K"] | Bool[np.ndarray, " U"]) -> "Counts":
        """Counts of some units alone: what a fit sees, or what is held out from it.

        Args:
            units: Their numbers, or which of all they are.

        Raises:
            InputError: There are no units.
        """
        if self.units is None:
            raise InputError("these counts have no units; count them with by='subject'")
        chosen = np.arange(self.units.shape[0])[units]
        part = sparse.csr_array(self.units[chosen])
        total = np.asarray(part.sum(axis=0)).reshape(self.state_action.shape)
        names = tuple(self.unit_names[i] for i in chosen) if self.unit_names else ()
        return Counts(total, part, self.by, names)

    def split(self, test: float, seed: int = 0) -> tuple["Counts", "Counts"]:
        """Two parts (train, test) that share no unit: those of `Demonstrations.split`.

        Args:
            test: Share of the units in the second part, in (0, 1); at least one, never all.
            seed: Which random choice.

        Raises:
            InputError: There are fewer than two units.
        """
        number = 0 if self.units is None else self.units.shape[0]
        if number < 2:
            raise InputError(
                f"there are {number} units, and two or more are needed: count by something finer"
            )
        apart = held_out(np.arange(number), test, self.by or "unit", seed)
        return self.take(~apart), self.take(apart)


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
    unit_of, names = named_units(demonstrations.trajectories, demonstrations.num_trajectories, by)
    unit = unit_of[demonstrations.trajectory_of[acted]]
    shape = (int(unit_of.max()) + 1, mdp.num_states * mdp.num_actions)
    units = sparse.coo_array((weight, (unit, cell)), shape=shape).tocsr()
    total = np.bincount(cell, weights=weight, minlength=shape[1])
    # Of nothing, bincount makes whole numbers even with weights.
    total = total.astype(np.float64).reshape(mdp.num_states, mdp.num_actions)
    return Counts(total, units, by, names)


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
