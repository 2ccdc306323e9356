"""What an agent has lived through, kept to learn from: a ring of transitions of fixed size.

Experience replay after Lin (1992), as pure functions on arrays that a compiled loop carries along.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Int, PRNGKeyArray

from inverseq.training.batch import Batch, Drawing, Moves


class Replay(NamedTuple):
    """The last `n` moves, and how many were ever stored; move number m stands in row m modulo n."""

    moves: Moves
    stored: Int[Array, ""]


def empty_replay(
    capacity: int,
    observation_shape: tuple[int, ...],
    num_actions: int | None = None,
    components: int | None = None,
) -> Replay:
    """A replay for `capacity` moves in which nothing is stored yet.

    Args:
        capacity: Moves kept.
        observation_shape: Of one observation.
        num_actions: A, where it is kept which actions existed; None where all always do.
        components: D, where actions are continuous; None where they are numbered.
    """
    seen = jnp.zeros((capacity, *observation_shape), jnp.float32)
    flags = jnp.zeros(capacity, bool)
    masks = None if num_actions is None else jnp.zeros((capacity, num_actions), bool)
    acted = flags.astype(jnp.int32) if components is None else jnp.zeros((capacity, components))
    moves = Moves(seen, acted, flags.astype(jnp.float32), seen, flags, flags, masks, masks)
    return Replay(moves, jnp.int32(0))


def store(replay: Replay, moves: Moves) -> Replay:
    """The replay with more moves, which take the place of the oldest.

    The capacity must be a multiple of the number of moves, the same in every call, so that they
    are written in one piece, in place where the loop is compiled.
    """
    capacity, count = len(replay.moves.actions), len(moves.actions)
    row = replay.stored % capacity
    written = jax.tree.map(
        lambda ring, new: jax.lax.dynamic_update_slice_in_dim(ring, new, row, 0),
        replay.moves,
        moves,
    )
    return Replay(written, replay.stored + count)


def sample(key: PRNGKeyArray, replay: Replay, drawing: Drawing) -> Batch:
    """Moves drawn at random with replacement, each followed for up to `n_step` moves of its game.

    The return is the sum of discount^k r_k over the moves followed, and what comes after them
    counts discount^n, or nothing where the world ended. A game that was cut off at a limit did not
    end its world: the value of its last state counts, unless `bootstrap_at_limit` is False. Moves
    that follow the drawn one were made under an older policy; as usual (Hessel and others 2018)
    this is not corrected for.
    """
    (moves, stored), size, discount = replay, drawing.batch, drawing.discount
    capacity = len(moves.actions)
    filled = jnp.minimum(stored, capacity)
    # Age 0 is the newest; a window stops at the newest move.
    age = jax.random.randint(key, (size,), 0, filled)
    first = (stored - 1 - age) % capacity
    last, returns = first, moves.rewards[first]
    factor = jnp.full(size, discount, jnp.float32)
    for ahead in range(1, drawing.n_step):
        goes_on = (ahead <= age) & ~moves.over[last]
        last = jnp.where(goes_on, (last + 1) % capacity, last)
        returns += jnp.where(goes_on, factor * moves.rewards[last], 0.0)
        factor = jnp.where(goes_on, factor * discount, factor)
        age = jnp.where(goes_on, age, 0)  # once stopped, stopped for good
    ended = (moves.terminated if drawing.bootstrap_at_limit else moves.over)[last]
    return Batch(
        moves.observations[first],
        moves.actions[first],
        returns,
        moves.next_observations[last],
        jnp.where(ended, 0.0, factor),
        ended,
        None if moves.allowed is None else moves.allowed[first],
        None if moves.next_allowed is None else moves.next_allowed[last],
    )
