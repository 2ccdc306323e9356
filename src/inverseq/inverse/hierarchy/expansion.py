"""What a hierarchy asks of a solver: its likelihood as a quadratic, and what its numbers mean."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from inverseq.decisions.counts import count_each
from inverseq.inverse.planning import HardOptimum, SoftOptimum
from inverseq.inverse.problem import Problem
from inverseq.mdp import MDP
from inverseq.policies.each import EachPolicy, Members
from inverseq.policies.walk import Walk
from inverseq.rewards.each import EachReward, KnownTable


class Quadratic(NamedTuple):
    """The log-likelihood of some decisions around some numbers.

    Attributes:
        value: It, in nats.
        slope: `[F]` its gradient.
        curvature: `[F, F]` minus its second derivative, or the mean of that (the information),
            positive semidefinite.
        near: What makes the next expansion nearby cheaper.
    """

    value: float
    slope: Float[np.ndarray, " F"]
    curvature: Float[np.ndarray, "F F"]
    near: Any


class Explained(NamedTuple):
    """What some numbers mean: a reward, what is done for it, and how good that is."""

    reward: KnownTable
    policy: Float[np.ndarray, "S A"]
    q: Float[np.ndarray, "S A"]
    v: Float[np.ndarray, " S"]


@dataclass(frozen=True, eq=False)
class Numbers:
    """What has been found of M animals and groups, or of M moments of a walk.

    Attributes:
        members: Their names.
        values: `[M + 1, F]` the numbers of each and, last, of all.
        spread: `[M, F]` how unsure those of each are.
        near: What the last expansion around each left.
    """

    members: Members | Walk
    values: Float[np.ndarray, "M1 F"]
    spread: Float[np.ndarray, "M F"]
    near: Sequence[Any]


@dataclass(frozen=True, eq=False)
class Meaning:
    """What numbers mean in a `Solution`.

    Attributes:
        policy: What is done, by whose decision it is.
        fields: Further fields of the solution: its reward, its planning, its values.
        settings: Names of the numbers and the like.
        parameters: Numbers by name, beside those of the hierarchy.
    """

    policy: Any
    fields: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    parameters: Mapping[str, np.ndarray] = field(default_factory=dict)


@runtime_checkable
class Expansion(Protocol):
    """The likelihood of a solver, with F numbers that it hangs on."""

    @property
    def penalty(self) -> Float[np.ndarray, "F F"]:
        """Inverse covariance, up to its size, of how animals differ."""
        ...

    @property
    def blocks(self) -> Int[np.ndarray, " F"]:
        """Which numbers vary equally much between animals."""
        ...

    @property
    def cautious(self) -> bool:
        """Whether animals differ in each number, however little a few of them show it."""
        ...

    def seen(self, problem: Problem, animal: Int[np.ndarray, " N"]) -> list[Any]:
        """What the decisions of each animal say; `animal` is that of each decision."""
        ...

    def start(self, seen: Sequence[Any]) -> Float[np.ndarray, " F"]:
        """Numbers that explain all decisions together."""
        ...

    def quadratic(self, seen: Any, weights: Float[np.ndarray, " F"], near: Any) -> Quadratic:
        """The likelihood of what was seen around `weights`; minus infinity where it has none."""
        ...

    def meaning(self, found: Numbers, seen: Sequence[Any]) -> Meaning:
        """What numbers mean."""
        ...


class OfCounts(ABC):
    """An expansion in a world: counts of each animal are what is seen, tables are what is meant.

    Attributes:
        mdp: The world.
        planning: How the agent plans for its reward.
    """

    mdp: MDP
    planning: SoftOptimum | HardOptimum

    @property
    def cautious(self) -> bool:
        """No: rewards that do not differ are said not to differ."""
        return False

    def seen(
        self, problem: Problem, animal: Int[np.ndarray, " N"]
    ) -> list[Float[np.ndarray, "S A"]]:
        """Counts of each animal's decisions."""
        return count_each(problem.decisions, self.mdp, animal, weights=problem.weights)

    @abstractmethod
    def explain(self, weights: Float[np.ndarray, " F"], near: Any) -> Explained:
        """What some numbers mean."""

    def meaning(self, found: Numbers, seen: Sequence[Float[np.ndarray, "S A"]]) -> Meaning:
        """A reward and a policy of each animal, group, and of all."""
        told = [self.explain(w, n) for w, n in zip(found.values, found.near, strict=True)]
        members, last = found.members, told[-1]
        fields = {
            "reward_function": EachReward(
                members, tuple(one.reward for one in told), found.values[:-1], found.spread
            ),
            "planning": self.planning,
            "mdp": self.mdp,
            "q": last.q,
            "v": last.v,
            "visits": np.sum(seen, axis=(0, 2)),
        }
        policy = EachPolicy(members, np.stack([one.policy for one in told]))
        return Meaning(policy, fields, {"discount": self.mdp.discount})


@runtime_checkable
class Expands(Protocol):
    """A solver that a hierarchy can be built on."""

    def expand(self, problem: Problem) -> Expansion:
        """Its likelihood, in a world where it needs one.

        Raises:
            InputError: The world lacks what the reward depends on, or there are too many numbers.
        """
        ...
