"""The ring of moves: what is kept, and the returns drawn from it, against a plain loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from inverseq.training.batch import Drawing, Moves
from inverseq.training.replay import empty_replay, sample, store


def lived(seed: int, count: int) -> Moves:
    """Moves whose observation is their number, in games of random length."""
    rng = np.random.default_rng(seed)
    number = np.arange(count, dtype=np.float32)
    over = rng.random(count) < 0.3
    return Moves(
        jnp.asarray(number[:, None]),
        jnp.asarray(rng.integers(0, 3, count), jnp.int32),
        jnp.asarray(rng.normal(size=count), jnp.float32),
        jnp.asarray(number[:, None] + 0.5),
        jnp.asarray(over & (rng.random(count) < 0.5)),
        jnp.asarray(over),
    )


def kept(moves: Moves, capacity: int, piece: int):
    """The replay after storing moves a few at a time."""
    replay = empty_replay(capacity, (1,))
    for first in range(0, len(moves.actions), piece):
        replay = store(replay, jax.tree.map(lambda a, i=first: a[i : i + piece], moves))
    return replay


def by_hand(moves: Moves, first: int, n_step: int, discount: float, at_limit: bool):
    """Return, next observation and discount of one move, followed one by one."""
    total, factor, last = 0.0, 1.0, first
    for row in range(first, min(first + n_step, len(moves.actions))):
        total += factor * float(moves.rewards[row])
        factor, last = factor * discount, row
        if moves.over[row]:
            break
    ended = bool(moves.terminated[last]) or (bool(moves.over[last]) and not at_limit)
    return total, float(moves.next_observations[last, 0]), 0.0 if ended else factor


@pytest.mark.parametrize("n_step", [1, 3])
@pytest.mark.parametrize("at_limit", [False, True])
@pytest.mark.parametrize("count", [8, 44])
def test_samples_are_those_of_a_plain_loop(n_step, at_limit, count):
    moves = lived(3, count)
    replay = kept(moves, 20, 4)
    drawing = Drawing(400, 0.8, n_step=n_step, bootstrap_at_limit=at_limit)
    batch = sample(jax.random.key(0), replay, drawing)
    drawn = np.asarray(batch.observations[:, 0]).astype(int)
    assert sorted(set(drawn)) == list(range(max(0, count - 20), count))
    for i, first in enumerate(drawn):
        total, following, factor = by_hand(moves, first, n_step, 0.8, at_limit)
        assert float(batch.returns[i]) == pytest.approx(total, abs=1e-5)
        assert float(batch.next_observations[i, 0]) == following
        assert float(batch.discounts[i]) == pytest.approx(factor, abs=1e-6)
        assert bool(batch.ended[i]) == (factor == 0)
        assert int(batch.actions[i]) == int(moves.actions[first])


def test_moves_are_drawn_evenly():
    replay = kept(lived(0, 20), 20, 4)
    drawn = sample(jax.random.key(1), replay, Drawing(20_000, 0.9)).observations[:, 0]
    counts = np.bincount(np.asarray(drawn).astype(int), minlength=20)
    assert np.abs(counts - 1000).max() < 5 * np.sqrt(1000)
