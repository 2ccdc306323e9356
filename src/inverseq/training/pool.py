"""Observations of demonstrations, each held once and where it lies, to be drawn by number."""

from math import prod
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int, Shaped

from inverseq.demonstrations import Demonstrations

BLOCK = 64
"""Bytes: where XLA on processors wants memory to begin that it takes over in place of a copy."""


class Pool(NamedTuple):
    """Observations. Numbers from 0 are rows of `blocks`, where there are any, else of `kept`;
    below 0 they count `kept` from its beginning: -1 is the first.
    """

    kept: Shaped[Array, "K *shape"]
    """What lies elsewhere than in `blocks`: all of it, where observations are no bytes."""
    blocks: Shaped[Array, "B 64"] | None = None
    """The memory of rows of bytes, from the first address on that can be taken over."""
    before: Int[Array, ""] | None = None
    """Bytes of row 0 that lie before it."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one observation."""
        return self.kept.shape[1:]

    def take(self, numbers: Int[Array, " n"]) -> Shaped[Array, "n *shape"]:
        """Observations by number."""
        if self.blocks is None or self.before is None:
            return self.kept[numbers]
        blocks, size = self.blocks, prod(self.shape)
        # Not numbers * size, which would be too large for 32 bits.
        left = jnp.maximum(numbers, 0) * (size % BLOCK) - self.before
        first = jnp.maximum(numbers, 0) * (size // BLOCK) + left // BLOCK
        span = _span(size)

        def one(block: Array, start: Array) -> Array:
            around = jax.lax.dynamic_slice(blocks, (block, 0), (span, BLOCK)).reshape(-1)
            return jax.lax.dynamic_slice(around, (start,), (size,)).reshape(self.shape)

        inside = jax.vmap(one)(first, left % BLOCK)
        elsewhere = self.kept[jnp.maximum(-1 - numbers, 0)]
        return jnp.where((numbers < 0).reshape(-1, *[1] * len(self.shape)), elsewhere, inside)


def pooled(data: Demonstrations) -> tuple[Pool, Int[np.ndarray, " N"], Int[np.ndarray, " K"]]:
    """The observations of decisions; and the numbers of the states of all rows, and of the next
    states that are not that of the next row.

    Bytes stay where they are, but for few: XLA takes over memory from an address on that 64
    divides, and NumPy's begins elsewhere. Anything else becomes numbers of 32 bits.
    """
    states, ends = data.states, data.following.states
    rows, further = np.arange(len(states)), np.arange(len(ends))
    size, count = prod(states.shape[1:]), (states.nbytes - BLOCK + 1) // BLOCK
    # Wherever the memory begins, so that what is compiled for these shapes is so once.
    begin = rows * size
    inside = (begin >= BLOCK - 1) & (begin // BLOCK + _span(size) <= count)
    bytes_alone = states.dtype.kind in "bui" and states.dtype.itemsize == 1
    if not (bytes_alone and inside.any()):
        numbers = states.dtype if bytes_alone else np.dtype(np.float32)
        held = _aligned((len(states) + len(ends), *states.shape[1:]), numbers)
        held[: len(states)], held[len(states) :] = states, ends
        return Pool(jax.device_put(held)), rows, len(states) + further
    before = -states.ctypes.data % BLOCK
    memory = states.reshape(-1)[before : before + count * BLOCK].reshape(count, BLOCK)
    apart = np.concatenate([states[~inside], ends])
    pool = Pool(jnp.asarray(apart), jax.device_put(memory), jnp.int32(before))
    numbers = np.where(inside, rows, -np.cumsum(~inside, dtype=np.int64))
    return pool, numbers, -1 - int((~inside).sum()) - further


def _aligned(shape: tuple[int, ...], numbers: np.dtype) -> np.ndarray:
    """An empty array whose memory can be taken over."""
    count = prod(shape) * numbers.itemsize
    memory = np.empty(count + BLOCK, np.uint8)
    start = -memory.ctypes.data % BLOCK
    return memory[start : start + count].view(numbers).reshape(shape)


def _span(size: int) -> int:
    """Blocks in which so many bytes surely lie, wherever they begin."""
    return (size + 2 * BLOCK - 2) // BLOCK
