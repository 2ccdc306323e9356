"""Games played side by side by one policy, to see how good it is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from inverseq.training.simulator import Simulator

Policy = Callable[[PRNGKeyArray, jax.Array, jax.Array | None], jax.Array]
"""`policy(key, observations, allowed) -> actions` for a batch of observations; `allowed` `[n, A]`
says which actions exist, None where all always do."""


class Games(NamedTuple):
    """How each game went."""

    moves: Int[Array, " games"]
    """Moves made."""
    won: Bool[Array, " games"]
    """Whether it terminated; the others were cut off at the limit."""
    earned: Float[Array, " games"]
    """Sum of rewards."""
    ratio: Float[Array, " games"]
    """Distance ratio of Aubuchon and Ho 2023: moves made over the straight way from start to end;
    lost games count with the moves of the limit. NaN where the simulator knows no straight way."""


def play_games(simulator: Simulator, policy: Policy, key: PRNGKeyArray, *, games: int) -> Games:
    """Play `games` new games to their ends. A pure function for `jit` and `vmap`.

    Args:
        simulator: The world.
        policy: What is played.
        key: For the beginnings, the policy and the world.
        games: How many.
    """
    for_begin, for_moves = jax.random.split(key)
    begun = jax.vmap(simulator.reset)(jax.random.split(for_begin, games))
    if simulator.straight_moves is None:
        straight = jnp.full(games, jnp.nan)
    else:
        straight = jax.vmap(simulator.straight_moves)(begun).astype(jnp.float32)

    def going_on(carry: Any) -> jax.Array:
        return ~carry[2].all()

    def move(carry: Any) -> Any:
        number, state, over, won, moves, earned = carry
        for_policy, for_step = jax.random.split(jax.random.fold_in(for_moves, number))
        seen, allowed = jax.vmap(lambda s: (simulator.observe(s), simulator.allowed_in(s)))(state)
        actions = policy(for_policy, seen, allowed)
        keys = jax.random.split(for_step, games)
        state, rewards, terminated, truncated = jax.vmap(simulator.step)(keys, state, actions)
        won |= terminated & ~over
        moves += ~over
        earned += jnp.where(over, 0.0, rewards)
        return number + 1, state, over | terminated | truncated, won, moves, earned

    never = jnp.zeros(games, bool)
    counts = jnp.zeros(games, jnp.int32)
    start = (jnp.int32(0), begun, never, never, counts, counts.astype(jnp.float32))
    _, _, _, won, moves, earned = jax.lax.while_loop(going_on, move, start)
    return Games(moves, won, earned, moves / straight)
