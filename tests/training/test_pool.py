import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_array_equal

import inverseq as iq
from inverseq.training.pool import BLOCK, pooled
from inverseq.training.shown import content


@pytest.mark.parametrize("shift", [0, 1, 16, 63])
@pytest.mark.parametrize("shape", [(1,), (5, 3), (64,), (9, 8, 2)])
def test_observations_are_those_whatever_the_address_and_the_size(shift, shape):
    count, rng = 100, np.random.default_rng(0)
    memory = np.empty(count * int(np.prod(shape)) + 2 * BLOCK, np.uint8)
    start = -memory.ctypes.data % BLOCK + shift
    states = memory[start : start + count * int(np.prod(shape))].reshape(count, *shape)
    states[:] = rng.integers(256, size=states.shape)
    following = np.roll(states, -1, axis=0)
    following[::10] = rng.integers(256, size=following[::10].shape)
    data = iq.Demonstrations.from_arrays(states, np.zeros(count, int), next_states=following)
    pool, rows, ends = pooled(data)
    assert_array_equal(pool.take(jnp.asarray(rows)), states)
    assert_array_equal(pool.take(jnp.asarray(rows[::-7])), states[::-7])
    assert_array_equal(pool.take(jnp.asarray(ends)), data.following.states)
    assert pool.blocks is not None or shape == (1,)
    # The same program, and the same checkpoint, wherever the bytes lie.
    copy = iq.Demonstrations.from_arrays(states.copy(), np.zeros(count, int), next_states=following)
    other, same, _ = pooled(copy)
    assert_array_equal(same, rows)
    assert [x.shape for x in other if x is not None] == [x.shape for x in pool if x is not None]
    assert content(copy) == content(data)
    assert content(copy, np.ones(count)) != content(data)


def test_numbers_become_numbers_of_32_bits():
    states = np.arange(6.0).reshape(3, 2)
    data = iq.Demonstrations.from_arrays(states, [0, 0, 0], next_states=states + 2)
    pool, rows, ends = pooled(data)
    assert pool.blocks is None
    assert pool.kept.dtype == np.float32
    assert_array_equal(pool.take(jnp.asarray(rows)), states)
    assert_array_equal(pool.take(jnp.asarray(ends)), [[6, 7]])
