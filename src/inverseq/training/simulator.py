"""A world as pure functions that run inside JAX's `jit` and `vmap`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax

State = Any
"""The state of a world: any tree of arrays."""
Bounds = tuple[tuple[float, float], ...]
"""Least and largest of each component of a continuous action."""


@dataclass(frozen=True)
class Simulator:
    """A world to act in, as pure functions; nothing is kept between calls.

    A game ends when it is terminated (the world ends: nothing follows) or truncated (a limit: what
    would have followed still counts). What `step` does after either is undefined: `reset` first.

    Attributes:
        reset: `reset(key) -> state`, the beginning of a game.
        step: `step(key, state, action) -> (state, reward, terminated, truncated)`; the action is a
            whole number, or float32 `[D]` where actions are continuous, the reward float32, both
            ends bool, all of shape `[]`.
        observe: `observe(state) -> float32 array` of `observation_shape`.
        observation_shape: Shape of one observation.
        num_actions: A; where actions are continuous D, how many numbers one is made of.
        allowed: `allowed(state) -> bool [A]`, which actions exist, one at least, also where a game
            has ended; None where all always do.
        best_moves: `best_moves(state) -> int32`, the fewest moves to the end from a state; None
            where nobody knows.
        straight_moves: Like `best_moves`, as if nothing stood in the way (the Manhattan distance of
            Aubuchon and Ho 2023); None where it has no meaning.
        bounds: Least and largest of each component of a continuous action; None where actions are
            numbered.
        description: Which world it is, in words: a training is carried on from its checkpoint where
            these are the same.
    """

    reset: Callable[[jax.Array], State]
    step: Callable[[jax.Array, State, jax.Array], tuple[State, jax.Array, jax.Array, jax.Array]]
    observe: Callable[[State], jax.Array]
    observation_shape: tuple[int, ...]
    num_actions: int
    allowed: Callable[[State], jax.Array] | None = None
    best_moves: Callable[[State], jax.Array] | None = None
    straight_moves: Callable[[State], jax.Array] | None = None
    bounds: Bounds | None = None
    description: str = ""

    def allowed_in(self, state: State) -> jax.Array | None:
        """`[A]` which actions exist in a state; None where all always do."""
        return None if self.allowed is None else self.allowed(state)
