"""A convolutional network: what is near matters in the same way everywhere on the board."""

from dataclasses import dataclass

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.networks.fully_connected import FullyConnected, Layers
from inverseq.networks.tiles import check_board, check_tiles, one_hot_tiles


@dataclass(frozen=True)
class Convolutional:
    """Convolutions over the board, then fully connected layers.

    Attributes:
        channels: Filters of each convolution; the board keeps its size (zeros around it).
        kernel: Odd width of the filters, in tiles.
        hidden: Units of each fully connected layer after them.
        tiles: Kinds of tiles, read one-hot; None takes the numbers as one channel.

    Raises:
        InputError: A number is out of range.
    """

    channels: tuple[int, ...] = (32, 32)
    kernel: int = 3
    hidden: tuple[int, ...] = (128,)
    tiles: int | None = 4

    def __post_init__(self) -> None:
        if not self.channels or min(self.channels) < 1:
            raise InputError(f"channels must be layers of 1 filter or more; got {self.channels}")
        if self.kernel < 1 or self.kernel % 2 == 0:
            raise InputError(f"kernel must be an odd number of tiles; got {self.kernel}")
        check_tiles(self.tiles)

    def build(
        self, key: PRNGKeyArray, observation_shape: tuple[int, ...], num_actions: int
    ) -> "Filters":
        """A random network from one board `[H, W]` to `[A]` action values.

        Raises:
            InputError: Observations are no boards.
        """
        check_board(observation_shape, "Convolutional")
        first, second = jax.random.split(key)
        sizes = (self.tiles or 1, *self.channels)
        filters = tuple(
            eqx.nn.Conv2d(before, after, self.kernel, padding="SAME", key=k)
            for before, after, k in zip(
                sizes[:-1], sizes[1:], jax.random.split(first, len(sizes) - 1), strict=True
            )
        )
        flat = (self.channels[-1], *observation_shape)
        head = FullyConnected(self.hidden).build(second, flat, num_actions)
        return Filters(filters, head, self.tiles)


class Filters(eqx.Module):
    """Convolutions with rectifiers, and the layers that read them."""

    filters: tuple[eqx.nn.Conv2d, ...]
    head: Layers
    tiles: int | None = eqx.field(static=True)

    def encode(self, observation: Float[Array, "H W"]) -> Float[Array, "C H W"]:
        """A board as channels."""
        if self.tiles is None:
            return observation[None]
        return one_hot_tiles(observation, self.tiles).transpose(2, 0, 1)

    def values(self, seen: Float[Array, "C H W"]) -> Float[Array, " A"]:
        """Action values of an encoded board."""
        for layer in self.filters:
            seen = jax.nn.relu(layer(seen))
        return self.head.values(seen)

    def __call__(self, observation: Float[Array, " *shape"]) -> Float[Array, " A"]:
        """Action values of one observation."""
        return self.values(self.encode(observation))
