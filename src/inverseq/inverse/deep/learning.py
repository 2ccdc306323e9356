"""What deep inverse Q-learning is made of, with and without constraints."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from inverseq.demonstrations import Demonstrations
from inverseq.inverse.deep.scaled import Scale
from inverseq.inverse.problem import Problem
from inverseq.networks.ensemble import Average
from inverseq.training.batch import Batch, existing
from inverseq.training.lessons import Lessons

Mask = Bool[Array, "n A"] | None

REMEDY = "lower learning_rate, follow or discount"
"""What to try where a training diverged."""


class Seen(NamedTuple):
    """A problem as networks see it."""

    problem: Problem
    """Of scaled features, with weight 0 where decisions are held out."""
    scale: Scale
    data: Demonstrations
    """The decisions in their own units."""
    judged: Float[np.ndarray, " N"]
    """Weights for the temperature and for which classifier is kept; NaN where decisions are learned
    from."""


def classifier_loss(
    network: Any, batch: Batch, smoothing: float, lessons: Lessons
) -> Float[Array, ""]:
    """Cross-entropy of the smoothed actions of a batch, in nats; of an ensemble the mean of its
    members' losses, so that each learns, and is penalised, as it would alone.
    """
    several = isinstance(network, Average)
    each = network.each if several else lambda x: network(x)[None]
    values = jax.vmap(each)(batch.observations)  # [n, M, A]
    mask = None if batch.allowed is None else batch.allowed[:, None]
    log_policy = jax.nn.log_softmax(existing(values, mask), axis=2)
    exist = jnp.isfinite(log_policy[:, 0])
    spread = smoothing * exist / exist.sum(axis=1, keepdims=True)
    wanted = spread + (1 - smoothing) * jax.nn.one_hot(batch.actions, exist.shape[1])
    nats = -jnp.where(exist[:, None], wanted[:, None] * log_policy, 0.0).sum(axis=2)
    return jnp.mean(nats) + lessons.penalty(network) / nats.shape[1]


def log_probabilities(
    network: Any, observations: Float[Array, "n *shape"], allowed: Mask
) -> Float[Array, "n A"]:
    """Logarithm of what a classifier expects; minus infinity where no action exists."""
    return jax.nn.log_softmax(existing(jax.vmap(network)(observations), allowed), axis=1)


def taken(values: Float[Array, "n A"], actions: Any) -> Float[Array, " n"]:
    """Of each row, that of its action."""
    return jnp.take_along_axis(values, actions[:, None], axis=1)[:, 0]


def nats(network: Any, batch: Batch) -> Float[Array, " n"]:
    """What the decisions of a batch cost under a classifier."""
    return -taken(log_probabilities(network, batch.observations, batch.allowed), batch.actions)
