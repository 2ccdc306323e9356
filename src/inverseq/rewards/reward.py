"""What every reward can say: its value at each transition, and in a finite world as a table."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

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


NOT_KEPT = (
    "the replicates have kept neither rewards nor weights; run the bootstrap of the same solver "
    "without contrasts"
)
"""What `like` says where the numbers it needs are not there."""
