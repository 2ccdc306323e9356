"""Policies of continuous actions, and the one of an actor network.

The record is plain arrays and needs no JAX; what it says loads it when it is asked.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped

import inverseq.networks as networks
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.networks.record import TrainedNetwork


class ContinuousPolicy(ABC):
    """A policy over continuous actions: it has densities, and an action that it takes for best."""

    @property
    def num_actions(self) -> None:
        """None: they cannot be counted."""
        return None

    @property
    def present_only(self) -> bool:
        """Whether a decision depends on its own row alone."""
        return True

    @abstractmethod
    def log_likelihoods(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, " N"]:
        """Logarithm of the density of each action taken; 0 where it is missing."""

    @abstractmethod
    def act(
        self, rng: np.random.Generator, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Shaped[np.ndarray, "N D"]:
        """An action drawn at each decision."""

    @abstractmethod
    def best(self, demonstrations: Demonstrations, mdp: MDP | None) -> Shaped[np.ndarray, "N D"]:
        """The action at each decision of who takes none by chance."""

    def exists(self, demonstrations: Demonstrations, mdp: MDP | None) -> Bool[np.ndarray, "N A"]:
        """No columns: actions cannot be counted."""
        raise self._uncounted("exist")

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """No columns: actions cannot be counted."""
        raise self._uncounted("are probable")

    def per_state(self, mdp: MDP | None) -> Float[np.ndarray, "S A"]:
        """No table: actions cannot be counted."""
        raise self._uncounted("are probable in a state")

    def _uncounted(self, what: str) -> InputError:
        return InputError(
            f"actions are continuous, so it cannot be listed which of them {what}: ask "
            "log_likelihoods for their densities, or act for one"
        )


def require_inside(
    demonstrations: Demonstrations,
    low: Float[np.ndarray, " D"],
    high: Float[np.ndarray, " D"],
    what: str,
    remedy: str = "",
) -> None:
    """Raise an `InputError` where an action lies outside of `what`, but for rounding."""
    actions, slack = demonstrations.actions, 1e-5 * (high - low)
    beyond = ((actions < low - slack) | (actions > high + slack)).any(axis=1)
    if (beyond & demonstrations.acted).any():
        row = int(np.argmax(beyond & demonstrations.acted))
        raise InputError(
            f"row {demonstrations.row(row)}: action {actions[row].tolist()} is outside of {what} "
            f"{low.tolist()} to {high.tolist()}{remedy}"
        )


@dataclass(frozen=True, eq=False)
class SquashedPolicy(ContinuousPolicy):
    """A Gaussian squashed by tanh into what is possible, its mean and spread a network.

    Haarnoja and others (2018), appendix C.

    Attributes:
        network: From an observation to `[2 D]`, see `networks.squashed`.
        low: `[D]` least action.
        high: `[D]` largest action.
    """

    network: TrainedNetwork
    low: Float[np.ndarray, " D"]
    high: Float[np.ndarray, " D"]

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Of one observation."""
        return tuple(self.network.observation_shape)

    @property
    def bounds(self) -> Float[np.ndarray, "D 2"]:
        """`[D, 2]` least and largest action."""
        return np.stack([self.low, self.high], axis=1)

    def outputs(self, observations: Shaped[np.ndarray, "N *shape"]) -> Float[np.ndarray, "N E"]:
        """What the network says of each observation.

        Raises:
            InputError: Observations have another shape than those it was trained on.
        """
        return networks.action_values(self.network, observations)

    def log_likelihoods(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, " N"]:
        """Logarithm of the density of each action taken, in the world's units; 0 where missing.

        An action at the very edge of what is possible counts as one a millionth inside.

        Raises:
            InputError: Actions are numbered, have other components, or one is impossible.
        """
        actions, acted = demonstrations.actions, demonstrations.acted
        if actions.ndim != 2 or actions.shape[1] != len(self.low):
            raise InputError(
                f"this policy has actions of {len(self.low)} components; those of the "
                f"demonstrations have shape {actions.shape[1:]}"
            )
        require_inside(demonstrations, self.low, self.high, "what was possible while fitting,")
        unit = networks.Unit.of(self.bounds)
        inside = np.where(acted[:, None], unit.inside(actions), 0.0)
        found = networks.log_density(self.outputs(demonstrations.states), inside)
        return np.where(acted, found - np.log(unit.half).sum(), 0.0)

    def act(
        self, rng: np.random.Generator, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Shaped[np.ndarray, "N D"]:
        """An action drawn at each decision."""
        mean, spread = networks.parted(self.outputs(demonstrations.states))
        drawn = np.tanh(mean + spread * rng.normal(size=mean.shape))
        return networks.Unit.of(self.bounds).outside(drawn)

    def best(self, demonstrations: Demonstrations, mdp: MDP | None) -> Shaped[np.ndarray, "N D"]:
        """The middle of the Gaussian, squashed."""
        mean, _ = networks.parted(self.outputs(demonstrations.states))
        return networks.Unit.of(self.bounds).outside(np.tanh(mean))
