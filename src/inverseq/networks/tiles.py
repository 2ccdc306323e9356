"""Observations that are tile codes, and how a network reads them."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from inverseq._core.errors import InputError


def one_hot_tiles(
    observation: Float[Array, " *shape"], tiles: int
) -> Float[Array, " *shape {tiles}"]:
    """One channel per kind of tile, last; codes are rounded, so that noise below 0.5 is harmless.

    Args:
        observation: Codes 0 to `tiles` - 1, of any shape.
        tiles: How many kinds there are.
    """
    return jax.nn.one_hot(jnp.round(observation).astype(jnp.int32), tiles, dtype=jnp.float32)


def check_tiles(tiles: int | None) -> None:
    """Raise an `InputError` unless `tiles` is None or a number of kinds."""
    if tiles is not None and tiles < 2:
        raise InputError(
            f"tiles must be 2 or more kinds of tiles, or None for numbers; got {tiles}"
        )


def check_board(shape: tuple[int, ...], what: str) -> None:
    """Raise an `InputError` unless observations are boards `[H, W]`."""
    if len(shape) != 2:
        raise InputError(
            f"{what} reads boards of shape (height, width); these observations have shape {shape}. "
            "Use FullyConnected for them"
        )
