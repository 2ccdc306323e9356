"""Several networks of one form that begin differently, and what they say on average.

Lakshminarayanan, Pritzel and Blundell, "Simple and Scalable Predictive Uncertainty Estimation using
Deep Ensembles" (NeurIPS 2017).
"""

from dataclasses import asdict, dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.networks.convolutional import Convolutional
from inverseq.networks.fully_connected import FullyConnected
from inverseq.networks.pixels import Pixels
from inverseq.networks.planner import Planner

MEMBERS = (FullyConnected, Convolutional, Pixels, Planner)
"""What an ensemble may be made of."""


@dataclass(frozen=True)
class Ensemble:
    """Networks whose outputs are averaged: logits, so that probabilities are in their logarithms.

    Attributes:
        size: How many.
        kind: Name of the class of their settings.
        settings: Names and values of these settings.

    Raises:
        InputError: There are none.
    """

    size: int
    kind: str
    settings: tuple[tuple[str, Any], ...]

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"an ensemble has 1 member or more; got {self.size}")

    @classmethod
    def of(
        cls, network: FullyConnected | Convolutional | Pixels | Planner, size: int
    ) -> "Ensemble":
        """`size` networks with these settings."""
        return cls(size, type(network).__name__, tuple(asdict(network).items()))

    def build(
        self, key: PRNGKeyArray, observation_shape: tuple[int, ...], num_actions: int
    ) -> "Average":
        """Random networks from one observation to `[A]` numbers, and their mean."""
        kind = next(kind for kind in MEMBERS if kind.__name__ == self.kind)
        member = kind(**dict(self.settings))
        keys = jax.random.split(key, self.size)
        build = lambda key: member.build(key, observation_shape, num_actions)  # noqa: E731
        return Average(eqx.filter_vmap(build)(keys))


class Average(eqx.Module):
    """Networks with a leading axis, averaged."""

    members: Any

    def each(self, observation: Float[Array, " *shape"]) -> Float[Array, "M A"]:
        """What each of them says of one observation."""
        return jax.vmap(lambda one: one(observation))(self.members)

    def __call__(self, observation: Float[Array, " *shape"]) -> Float[Array, " A"]:
        """Their mean."""
        return jnp.mean(self.each(observation), axis=0)
