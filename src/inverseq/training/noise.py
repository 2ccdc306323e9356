"""Noise on observations, cheaper than the training step that it disturbs."""

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, PRNGKeyArray


def noisy(
    key: PRNGKeyArray, observations: Float[Array, " *shape"], amount: float
) -> Float[Array, " *shape"]:
    """Observations plus uniform noise in [0, amount), in 256 levels.

    Hashed counters in place of JAX's generator, which took longer than the training step itself:
    a word for every four numbers, counted from a hash of the key and spread by the finaliser
    "lowbias32".
    """
    if amount == 0:
        return observations
    size = observations.size
    first, second = jax.random.key_data(key).astype(jnp.uint32)
    begin = _mixed(_mixed(first) ^ second)
    words = _mixed(begin + jnp.arange(-(-size // 4), dtype=jnp.uint32))
    levels = (words >> jnp.arange(0, 32, 8, dtype=jnp.uint32)[:, None]) & 255
    noise = levels.ravel()[:size].astype(jnp.float32) * jnp.float32(amount / 256)
    return observations + noise.reshape(observations.shape)


def _mixed(bits: jax.Array) -> jax.Array:
    """Every bit of a 32-bit word spread over all of them."""
    bits = (bits ^ (bits >> 16)) * jnp.uint32(0x7FEB352D)
    bits = (bits ^ (bits >> 15)) * jnp.uint32(0x846CA68B)
    return bits ^ (bits >> 16)
