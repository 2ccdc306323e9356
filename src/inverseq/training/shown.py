"""Demonstrated transitions as arrays for a compiled training loop, drawn by weight."""

import hashlib
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, Shaped

from inverseq._core.errors import InputError
from inverseq.decisions.counts import decision_weights
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.following import check_finite
from inverseq.training.batch import Batch, Drawing
from inverseq.training.pool import Pool, pooled

_JUDGED = 2048
"""Decisions that are judged at most, so that to look at them costs little beside the learning."""
_TOGETHER = 64
"""Of these at a time, so that images become numbers for a batch alone."""


class Judged(NamedTuple):
    """Decisions that nothing is learned from, in rows of equal length."""

    observations: Int[Array, "J n"]
    """Their numbers in the pool."""
    actions: Shaped[Array, "J n *D"]
    allowed: Bool[Array, "J n A"] | None
    weights: Float[Array, "J n"]
    """They sum to 1; 0 where a row is filled up."""


class Shown(NamedTuple):
    """N transitions of an expert."""

    pool: Pool
    """Observations, each held once; bytes stay bytes until they are drawn."""
    rows: Batch
    """All of them, observations as their numbers in `pool`; discounts are 1, or 0 where the world
    ended."""
    drawn: Float[Array, " N"]
    """Running share of the weights: row i is drawn by numbers between entries i - 1 and i."""
    first: Int[Array, " T"]
    """Rows with which games begin."""
    first_drawn: Float[Array, " T"]
    """Running share of their weights."""
    judged: Judged | None = None
    """Decisions that tell when a network knew most; None where nothing is kept back."""


def shown_in(
    demonstrations: Demonstrations,
    weights: Float[np.ndarray, " N"] | None = None,
    next_safe: Bool[np.ndarray, "N A"] | None = None,
    judged: Float[np.ndarray, " N"] | None = None,
) -> Shown:
    """The transitions of demonstrations whose states are features.

    Left out are rows without an action, or after which nobody saw where they led. Rows of weight 0
    stay and are never drawn: other weights are other numbers for the same compiled program.

    Args:
        demonstrations: N decisions.
        weights: `[N]` weight of each decision; 1 where left out.
        next_safe: `[N, A]` what is safe where each decision led, for rules that ask.
        judged: `[N]` weight of each decision in telling when a network knew most; NaN where it is
            not asked. None asks none.

    Raises:
        InputError: No row is left, or a state holds a number that is not finite.
    """
    states, ended = demonstrations.states, demonstrations.terminated
    check_finite(demonstrations)
    known = demonstrations.next_known & ~ended
    pool, numbers, ends = pooled(demonstrations)
    following = np.append(numbers[1:], 0)
    following[demonstrations.following.rows] = ends
    following = np.where(known, following, numbers)
    weight = np.asarray(decision_weights(weights, len(states)), dtype=np.float64)
    used = demonstrations.acted & (ended | known)
    if not weight[used].any():
        raise InputError(
            "no row has an action and a known next state (or an end), so there is no transition to "
            "learn from. Give next_states, or trajectories of two rows and more"
        )
    first = np.zeros(len(states), dtype=bool)
    first[demonstrations.starts[:-1]] = True
    begins = np.flatnonzero(first[used])
    if not weight[used][begins].any():
        begins = np.flatnonzero(weight[used])[:1]
    masks = demonstrations.allowed, demonstrations.next_allowed
    rows = Batch(
        jnp.asarray(numbers[used], dtype=jnp.int32),
        _numbers(demonstrations.actions[used]),
        jnp.full(int(used.sum()), jnp.nan),
        jnp.asarray(following[used], dtype=jnp.int32),
        jnp.asarray(~ended[used], dtype=jnp.float32),
        jnp.asarray(ended[used]),
        *(None if mask is None else jnp.asarray(mask[used]) for mask in masks),
        next_safe=None if next_safe is None else jnp.asarray(next_safe[used]),
    )
    first_rows = jnp.asarray(begins, dtype=jnp.int32)
    drawn = _running(weight[used]), first_rows, _running(weight[used][begins])
    return Shown(pool, rows, *drawn, judged=_judged(demonstrations, numbers, judged))


def _judged(
    demonstrations: Demonstrations,
    numbers: Int[np.ndarray, " N"],
    weights: Float[np.ndarray, " N"] | None,
) -> Judged | None:
    """The decisions with a weight that is a number, every so many of them where they are many; of
    states with these numbers in the pool.
    """
    if weights is None:
        return None
    rows = np.flatnonzero(demonstrations.acted & ~np.isnan(weights))
    if not rows.size:
        return None
    rows = rows[:: -(-rows.size // _JUDGED)]
    filled = np.resize(rows, (-(-rows.size // _TOGETHER), _TOGETHER))
    weight = np.where(np.arange(filled.size) < rows.size, weights[filled.ravel()], 0.0)
    mask = demonstrations.allowed
    return Judged(
        jnp.asarray(numbers[filled], dtype=jnp.int32),
        _numbers(demonstrations.actions[filled]),
        None if mask is None else jnp.asarray(mask[filled]),
        jnp.asarray(weight.reshape(filled.shape) / max(weight.sum(), 1e-300), dtype=jnp.float32),
    )


def _numbers(actions: Shaped[np.ndarray, "*n"]) -> jax.Array:
    """Actions in 32 bits: numbers of actions, or continuous ones."""
    return jnp.asarray(actions, dtype=jnp.int32 if actions.dtype.kind in "iu" else jnp.float32)


def judgement(nats: Callable[[Batch], Array], pool: Pool, judged: Judged) -> Float[Array, ""]:
    """Mean of what judged decisions cost; NaN where none has a weight."""

    def some(row: Judged) -> jax.Array:
        seen = jnp.asarray(pool.take(row.observations), dtype=jnp.float32)
        nothing = jnp.zeros(row.observations.shape)
        batch = Batch(seen, row.actions, nothing, seen, nothing, nothing > 0, row.allowed)
        return row.weights @ nats(batch)

    total = judged.weights.sum()
    return jax.lax.map(some, judged).sum() / jnp.where(total > 0, total, jnp.nan)


def content(demonstrations: Demonstrations, *beside: Shaped[np.ndarray, "N ..."] | None) -> str:
    """SHA-256 of all that is learned from: what was seen and what stands beside it, how much it
    weighs, what is safe; wherever it lies in memory.
    """
    digest = hashlib.sha256(demonstrations.fingerprint.encode())
    for array in (demonstrations.endings, *beside):
        digest.update(b"none" if array is None else np.ascontiguousarray(array).data)
    return digest.hexdigest()


def draw(key: jax.Array, shown: Shown, drawing: Drawing) -> Batch:
    """Transitions and as many beginnings, drawn by weight with replacement."""
    for_rows, for_first = jax.random.split(key)
    picked = _pick(for_rows, shown.drawn, drawing.batch)
    begins = shown.first[_pick(for_first, shown.first_drawn, drawing.batch)]
    batch, first = (
        jax.tree.map(lambda column, rows=rows: column[rows], shown.rows)
        for rows in (picked, begins)
    )
    return batch._replace(
        observations=shown.pool.take(batch.observations),
        next_observations=shown.pool.take(batch.next_observations),
        discounts=drawing.discount * batch.discounts,
        starts=shown.pool.take(first.observations),
        starts_allowed=first.allowed,
    )


def _pick(key: jax.Array, running: jax.Array, size: int) -> jax.Array:
    """Numbers of rows, drawn by the running share of their weights."""
    chance = jax.random.uniform(key, (size,))
    return jnp.minimum(jnp.searchsorted(running, chance, side="right"), running.size - 1)


def _running(weights: np.ndarray) -> jax.Array:
    """Running share of the weights, in `[0, 1]`."""
    return jnp.asarray(np.cumsum(weights / weights.sum()), dtype=jnp.float32)
