"""The network of the 2023 study: fully connected layers with rectifiers between them."""

from dataclasses import dataclass
from math import prod

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.networks.tiles import check_tiles, one_hot_tiles


@dataclass(frozen=True)
class FullyConnected:
    """Fully connected layers on the unrolled observation.

    Without `tiles` this is the network of "Implementing Inverse Q-Learning" (Aubuchon and Ho 2023):
    100 -> 150 -> 100 -> 4 on the codes of a 10 x 10 grid.

    Attributes:
        hidden: Units of each hidden layer; none leaves one linear layer, which on one-hot states is
            a table.
        tiles: Kinds of tiles where observations are tile codes, to be read one-hot; None takes the
            numbers as they are.

    Raises:
        InputError: A layer has no units, or `tiles` is below 2.
    """

    hidden: tuple[int, ...] = (150, 100)
    tiles: int | None = None

    def __post_init__(self) -> None:
        if min(self.hidden, default=1) < 1:
            raise InputError(f"hidden must be layers of 1 unit or more; got {self.hidden}")
        check_tiles(self.tiles)

    def build(
        self, key: PRNGKeyArray, observation_shape: tuple[int, ...], num_actions: int
    ) -> "Layers":
        """A random network from one observation of `observation_shape` to `[A]` action values."""
        sizes = (prod(observation_shape) * (self.tiles or 1), *self.hidden, num_actions)
        keys = jax.random.split(key, len(sizes) - 1)
        layers = tuple(
            eqx.nn.Linear(before, after, key=k)
            for before, after, k in zip(sizes[:-1], sizes[1:], keys, strict=True)
        )
        return Layers(layers, self.tiles)


class Layers(eqx.Module):
    """Linear layers with rectifiers between them."""

    layers: tuple[eqx.nn.Linear, ...]
    tiles: int | None = eqx.field(static=True)

    def encode(self, observation: Float[Array, " *shape"]) -> Float[Array, " *seen"]:
        """An observation as the first layer sees it, before unrolling."""
        return observation if self.tiles is None else one_hot_tiles(observation, self.tiles)

    def values(self, seen: Float[Array, " *seen"]) -> Float[Array, " A"]:
        """Action values of an encoded observation."""
        hidden = seen.ravel()
        for layer in self.layers[:-1]:
            hidden = jax.nn.relu(layer(hidden))
        return self.layers[-1](hidden)

    def __call__(self, observation: Float[Array, " *shape"]) -> Float[Array, " A"]:
        """Action values of one observation."""
        return self.values(self.encode(observation))
