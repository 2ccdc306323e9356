"""What every reward can say: its value at each transition, and in a finite world as a table."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP


@runtime_checkable
class Reward(Protocol):
    """A reward, in units of the temperature of a Boltzmann policy."""

    def values(self, demonstrations: Demonstrations, mdp: MDP | None) -> Float[np.ndarray, " N"]:
        """Of each row; NaN where its action, or a next state that counts, is unknown."""
        ...

    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """Of each state and action of a world, 0 where the action does not exist.

        Raises:
            InputError: It says nothing about states of a finite world.
        """
        ...

    def carry(self, old: MDP, new: MDP) -> "Reward":
        """The same reward for the states of another world.

        Args:
            old: The world it was fitted in.
            new: The world it is to hold in.

        Raises:
            InputError: It says nothing about some state, action or feature of the new world.
        """
        ...

    def like(
        self, table: Float[np.ndarray, "S A"] | None, parameters: Mapping[str, np.ndarray]
    ) -> "Reward":
        """A reward of the same kind with the numbers of another fit in the same world.

        Raises:
            InputError: They are not among what is given.
        """
        ...


class WorldReward(ABC):
    """A reward of a finite world: `table` says all there is to say."""

    @abstractmethod
    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """Of each state and action, 0 where the action does not exist."""

    @abstractmethod
    def carry(self, old: MDP, new: MDP) -> "WorldReward":
        """The same reward for the states of another world."""

    @abstractmethod
    def like(
        self, table: Float[np.ndarray, "S A"] | None, parameters: Mapping[str, np.ndarray]
    ) -> "WorldReward":
        """A reward of the same kind with the numbers of another fit."""

    def values(self, demonstrations: Demonstrations, mdp: MDP | None) -> Float[np.ndarray, " N"]:
        """Of each row's state and action; NaN where the action is missing.

        Raises:
            InputError: There is no world, or a row does not fit it.
        """
        if mdp is None:
            raise InputError("a reward of states needs the world: fit with mdp=...")
        actions = demonstrations.actions
        found = self.table(mdp)[align(demonstrations, mdp), np.maximum(actions, 0)]
        return np.where(actions >= 0, found, np.nan)


class ObservedReward(ABC):
    """A reward of observations, of which no finite world has a table: `values` says all."""

    @abstractmethod
    def values(self, demonstrations: Demonstrations, mdp: MDP | None) -> Float[np.ndarray, " N"]:
        """Of each row; NaN where its action, or a next state that counts, is unknown."""

    def table(self, mdp: MDP) -> Float[np.ndarray, "S A"]:
        """None: states are observations."""
        raise InputError(
            "this reward is one of observations, not of numbered states: ask "
            "inverseq.transition_rewards(solution, demonstrations)"
        )

    def carry(self, old: MDP, new: MDP) -> Any:
        """None: it was learned without a finite world."""
        return self.table(new)

    def like(
        self, table: Float[np.ndarray, "S A"] | None, parameters: Mapping[str, np.ndarray]
    ) -> "ObservedReward":
        """None: a network is no free parameter by name."""
        raise InputError("a reward that networks learned has no replicates of its numbers")


NOT_KEPT = (
    "the replicates have kept neither rewards nor weights; run the bootstrap of the same solver "
    "without contrasts"
)
"""What `like` says where the numbers it needs are not there."""
