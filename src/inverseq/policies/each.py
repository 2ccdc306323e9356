"""A policy for each animal: whose decision it is decides what is done."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import frozen_array
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.policies.policy import FinitePolicy
from inverseq.policies.tabular import TabularPolicy
from inverseq.policies.walk import Walk


@dataclass(frozen=True)
class Members:
    """Animals and their groups; M of both together, and behind them all of them as one.

    Attributes:
        by: Trajectory column that names the animals.
        animals: Their names.
        group: Trajectory column that names the groups; empty where there are none.
        groups: Their names.
    """

    by: str
    animals: tuple[str, ...]
    group: str = ""
    groups: tuple[str, ...] = ()

    def which(self, demonstrations: Demonstrations) -> Int[np.ndarray, " N"]:
        """The member of each decision: its animal, else (an animal never seen) its group, else,
        where that was never seen either, all of them.

        Raises:
            InputError: Nothing says whose the decisions are.
        """
        columns = demonstrations.trajectories
        if self.by not in columns:
            raise InputError(
                f"each {self.by} has a reward of its own, and nothing says whose these decisions "
                f"are: they have no column {self.by!r} that is constant in a trajectory. For one "
                "animal alone, take inverseq.each_of(solution)[name]"
            )
        everyone = len(self.animals) + len(self.groups)
        known = {name: i for i, name in enumerate(self.animals)}
        group = {name: len(known) + i for i, name in enumerate(self.groups)}
        levels = columns.get(self.group, np.full(len(columns[self.by]), ""))
        found = [
            known.get(str(name), group.get(str(level), everyone))
            for name, level in zip(columns[self.by], levels, strict=True)
        ]
        return np.array(found, dtype=np.int64)[demonstrations.trajectory_of]


@dataclass(frozen=True, eq=False)
class EachPolicy(FinitePolicy):
    """The policy of each animal, of each group for animals never seen, and of all; or of each
    moment of a walk.

    Attributes:
        members: The M animals and groups, or moments.
        tables: `[M + 1, S, A]` probabilities of actions, the last those of all.
    """

    members: Members | Walk
    tables: Float[np.ndarray, "M1 S A"]

    def __post_init__(self) -> None:
        object.__setattr__(self, "tables", frozen_array(self.tables, np.float64, "policies"))

    @property
    def num_actions(self) -> int:
        """A."""
        return self.tables.shape[2]

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """The row of each decision's animal and state.

        Raises:
            InputError: There is no world, a decision does not fit it, or nothing says whose it is.
        """
        if mdp is None:
            raise InputError("these policies are tables of the states of a world; fit with mdp=...")
        return self.tables[self.members.which(demonstrations), align(demonstrations, mdp)]

    def alone(self, member: int) -> TabularPolicy:
        """That of one member."""
        return TabularPolicy(self.tables[member])

    def per_state(self, mdp: MDP | None) -> Float[np.ndarray, "S A"]:
        """No table: the state alone does not decide."""
        if isinstance(self.members, Walk):
            raise InputError(f"what is done changes with {self.members.by}: there is no one policy")
        raise InputError(
            f"what is done depends on the {self.members.by}; for one alone, take "
            "inverseq.each_of(solution)[name]"
        )
