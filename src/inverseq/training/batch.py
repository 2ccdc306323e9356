"""Transitions to learn from, whoever made them, and the choice among the actions that exist."""

from dataclasses import dataclass
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Shaped


class Moves(NamedTuple):
    """Consecutive moves, the earliest first; an `Array` has one entry per move."""

    observations: Float[Array, "n *shape"]
    actions: Shaped[Array, "n *D"]
    """Whole numbers `[n]`, or continuous `[n, D]`."""
    rewards: Float[Array, " n"]
    next_observations: Float[Array, "n *shape"]
    terminated: Bool[Array, " n"]
    """Whether the world ended: nothing follows."""
    over: Bool[Array, " n"]
    """Whether the game ended, by itself or at a limit, and the next move begins another."""
    allowed: Bool[Array, "n A"] | None = None
    """Which actions existed; None where all always do."""
    next_allowed: Bool[Array, "n A"] | None = None


class Batch(NamedTuple):
    """Transitions of one training step: the target of Q(s, a) is `returns + discounts * V(s')`."""

    observations: Float[Array, "n *shape"]
    actions: Shaped[Array, "n *D"]
    """Whole numbers `[n]`, or continuous `[n, D]`."""
    returns: Float[Array, " n"]
    """NaN where nobody saw rewards, as of an expert."""
    next_observations: Float[Array, "n *shape"]
    discounts: Float[Array, " n"]
    """What the value of the next observation counts; 0 where the world ended."""
    ended: Bool[Array, " n"]
    """Whether the world ended after the transition."""
    allowed: Bool[Array, "n A"] | None = None
    """Which actions existed; None where all always do."""
    next_allowed: Bool[Array, "n A"] | None = None
    starts: Float[Array, "n *shape"] | None = None
    """Observations with which games of the expert begin."""
    starts_allowed: Bool[Array, "n A"] | None = None
    """Which actions existed there."""
    next_safe: Bool[Array, "n A"] | None = None
    """Which actions a constraint allows at the next observation; None where nothing asks."""


@dataclass(frozen=True)
class Drawing:
    """How the transitions of a training step are drawn.

    Attributes:
        batch: How many of the expert, and as many of the learner.
        discount: Of the future.
        noise: Uniform noise in [0, noise) is added to every number of an observation, drawn anew
            each time that one is seen.
        n_step: Moves of the learner that are followed before a value counts.
        bootstrap_at_limit: Whether the value counts where a game was cut off at a limit.
        own: Whether a rule that is shown demonstrations has a use for moves of the learner too.
    """

    batch: int
    discount: float
    noise: float = 0.0
    n_step: int = 1
    bootstrap_at_limit: bool = True
    own: bool = True


def existing(q: Float[Array, "*n A"], allowed: Bool[Array, "*#n A"] | None) -> Float[Array, "*n A"]:
    """Values of the actions that exist; minus infinity for the others, so that no maximum, and no
    soft one, takes them.
    """
    return q if allowed is None else jnp.where(allowed, q, -jnp.inf)
