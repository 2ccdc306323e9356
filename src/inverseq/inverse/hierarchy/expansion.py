"""What a hierarchy asks of a solver: its likelihood as a quadratic in the numbers of its reward."""

from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int

from inverseq.inverse.planning import HardOptimum, SoftOptimum
from inverseq.mdp import MDP
from inverseq.rewards.each import KnownTable


class Quadratic(NamedTuple):
    """The log-likelihood of some decisions around some numbers.

    Attributes:
        value: It, in nats.
        slope: `[F]` its gradient.
        curvature: `[F, F]` minus its second derivative, positive semidefinite.
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


@runtime_checkable
class Expansion(Protocol):
    """A solver in a world, with F numbers that its reward hangs on."""

    @property
    def penalty(self) -> Float[np.ndarray, "F F"]:
        """Inverse covariance, up to its size, of how animals differ."""
        ...

    @property
    def blocks(self) -> Int[np.ndarray, " F"]:
        """Which numbers vary equally much between animals."""
        ...

    @property
    def planning(self) -> SoftOptimum | HardOptimum:
        """How the agent plans for its reward."""
        ...

    def start(self, counts: Float[np.ndarray, "S A"]) -> Float[np.ndarray, " F"]:
        """Numbers that explain all decisions together."""
        ...

    def quadratic(
        self, counts: Float[np.ndarray, "S A"], weights: Float[np.ndarray, " F"], near: Any
    ) -> Quadratic:
        """The likelihood of `counts` around `weights`; minus infinity where it has no value."""
        ...

    def explain(self, weights: Float[np.ndarray, " F"], near: Any) -> Explained:
        """What numbers mean."""
        ...


@runtime_checkable
class Expands(Protocol):
    """A solver that a hierarchy can be built on."""

    def expand(self, mdp: MDP) -> Expansion:
        """Its likelihood in a world.

        Raises:
            InputError: The world lacks what the reward depends on, or there are too many numbers.
        """
        ...
