"""Any finite world as a simulator."""

from hashlib import sha256
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.forward.records import reward_of
from inverseq.mdp import MDP
from inverseq.training.simulator import Simulator


class TabularState(NamedTuple):
    """Where a game in a finite world stands."""

    state: jax.Array
    """Number of the MDP's state."""
    moves: jax.Array
    """Moves made in this game."""


def simulator_of(mdp: MDP, reward: Any = None, *, max_moves: int = 100) -> Simulator:
    """Any finite world as a simulator; an observation is its state, one-hot `[S]`.

    The rules are those of the Gymnasium environment `worlds.MDPEnv`: a game terminates on arrival
    at a terminal state that earns nothing; a terminal state with a reward of its own is acted in
    once. An action that does not exist stays and earns nothing; a
    rule does not take it, for the simulator says which exist. The state of the simulator is a
    `TabularState`.

    Args:
        mdp: The world.
        reward: `[S, A]` or `[S]`; the world's own where left out.
        max_moves: Moves after which a game is truncated.

    Raises:
        InputError: There is no reward, or `max_moves` is below 1.
    """
    if max_moves < 1:
        raise InputError(f"max_moves must be 1 or more; got {max_moves}")
    earned = np.where(mdp.allowed, reward_of(mdp, reward), 0.0)
    rewards = jnp.asarray(earned, dtype=jnp.float32)
    successors = jnp.asarray(mdp.successors)
    # Logarithms of zero are minus infinity: what cannot happen is never drawn.
    with np.errstate(divide="ignore"):
        chances = jnp.asarray(np.log(mdp.probabilities), dtype=jnp.float32)
        begins = jnp.asarray(np.log(mdp.initial), dtype=jnp.float32)
    allowed, terminal = jnp.asarray(mdp.allowed), jnp.asarray(mdp.terminal)
    ends = jnp.asarray(mdp.terminal & ~(earned != 0).any(axis=1))

    def reset(key: jax.Array) -> TabularState:
        return TabularState(_drawn(key, begins), jnp.int32(0))

    def step(
        key: jax.Array, state: TabularState, action: jax.Array
    ) -> tuple[TabularState, jax.Array, jax.Array, jax.Array]:
        here = state.state
        drawn = successors[here, action, _drawn(key, chances[here, action])]
        stays = terminal[here] | ~allowed[here, action]
        following = TabularState(jnp.where(stays, here, drawn), state.moves + 1)
        over = terminal[here] | ends[following.state]
        return following, rewards[here, action], over, ~over & (following.moves >= max_moves)

    def observe(state: TabularState) -> jax.Array:
        return jax.nn.one_hot(state.state, mdp.num_states, dtype=jnp.float32)

    return Simulator(
        reset,
        step,
        observe,
        (mdp.num_states,),
        mdp.num_actions,
        allowed=None if mdp.allowed.all() else lambda state: allowed[state.state],
        description=_described(mdp, earned, max_moves),
    )


def _described(mdp: MDP, earned: Float[np.ndarray, "S A"], max_moves: int) -> str:
    """A world by its size and a digest of its numbers."""
    digest = sha256()
    parts = (mdp.successors, mdp.probabilities, mdp.allowed, mdp.terminal, mdp.initial, earned)
    for part in parts:
        digest.update(np.ascontiguousarray(part).tobytes())
    return (
        f"a world of {mdp.num_states} states ({digest.hexdigest()[:16]}), games of at most "
        f"{max_moves} moves"
    )


def _drawn(key: jax.Array, logarithms: jax.Array) -> jax.Array:
    """One index with the probabilities whose logarithms are given."""
    return jax.random.categorical(key, logarithms).astype(jnp.int32)
