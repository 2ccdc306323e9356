"""The network for images of "Human-level control through deep reinforcement learning"."""

from dataclasses import dataclass

import equinox as eqx
import jax
from jaxtyping import Array, Float, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.networks.convolutional import Filters
from inverseq.networks.fully_connected import FullyConnected


@dataclass(frozen=True)
class Pixels:
    """Convolutions that step over images `[H, W, C]`, then fully connected layers.

    Mnih and others (Nature 518, 2015), whose images are 84 x 84 of the last 4 frames. Pixels are
    bytes, 0 to 255; a batch becomes numbers only when it is read.

    Attributes:
        channels: Filters of each convolution.
        kernels: Their width, in pixels.
        strides: Pixels from one place of a filter to the next.
        hidden: Units of each fully connected layer after them.

    Raises:
        InputError: A number is out of range, or the first three are not equally long.
    """

    channels: tuple[int, ...] = (32, 64, 64)
    kernels: tuple[int, ...] = (8, 4, 3)
    strides: tuple[int, ...] = (4, 2, 1)
    hidden: tuple[int, ...] = (512,)

    def __post_init__(self) -> None:
        layers = self.channels, self.kernels, self.strides
        if not self.channels or len({*map(len, layers)}) > 1 or min(map(min, layers)) < 1:
            raise InputError(
                "channels, kernels and strides must be as many, 1 or more; got "
                f"{self.channels}, {self.kernels} and {self.strides}"
            )

    def build(
        self, key: PRNGKeyArray, observation_shape: tuple[int, ...], num_actions: int
    ) -> "Frames":
        """A random network from one image `[H, W, C]` to `[A]` numbers.

        Raises:
            InputError: Observations are no images, or too small for the filters.
        """
        if len(observation_shape) != 3:
            raise InputError(
                "Pixels reads images of shape (height, width, channels); these observations have "
                f"shape {observation_shape}. Use FullyConnected for them"
            )
        height, width, before = observation_shape
        for_head, *keys = jax.random.split(key, len(self.channels) + 1)
        filters = []
        layers = zip(self.channels, self.kernels, self.strides, keys, strict=True)
        for after, kernel, stride, one in layers:
            filters.append(eqx.nn.Conv2d(before, after, kernel, stride, key=one))
            height, width = ((size - kernel) // stride + 1 for size in (height, width))
            before = after
        if min(height, width) < 1:
            raise InputError(
                f"images of shape {observation_shape} are smaller than the filters see: give "
                "smaller kernels or strides"
            )
        head = FullyConnected(self.hidden).build(for_head, (before, height, width), num_actions)
        return Frames(tuple(filters), head, None)


class Frames(Filters):
    """Convolutions that read images of bytes."""

    def encode(self, observation: Float[Array, "H W C"]) -> Float[Array, "C H W"]:
        """An image, channels first, in numbers from 0 to 1."""
        return observation.transpose(2, 0, 1) / 255
