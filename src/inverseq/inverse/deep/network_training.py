"""The compiled loop in which a network learns from demonstrations, as pure functions of a key.

`begin` makes the `Learning` of a key and `advance` carries it on; both may be put under `jax.jit`
and `jax.vmap` (over keys). Step i draws from the key folded with i, so that a training that was
stopped and carried on gives the numbers of one that was not.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.flatten_util import ravel_pytree
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.forward.dqn import noisy
from inverseq.inverse.deep.network_rows import Batch, Rows, draw
from inverseq.networks import Network

TRACED = 100
"""Blocks of a training, each with a mean loss in the trace."""


class Numbers(NamedTuple):
    """What is learned."""

    module: Any
    """The network."""
    absorbing: Float[Array, ""]
    """Reward of every step after the world has ended a game."""


Loss = Callable[[Numbers, PRNGKeyArray, Batch, Batch | None], Float[Array, ""]]
"""Of what was learned, a key, transitions of the expert, and of the learner (None offline)."""


@dataclass(frozen=True)
class Lessons:
    """How long and how a network learns from demonstrations.

    Attributes:
        steps: Training steps.
        batch: Transitions in one.
        learning_rate: Of Adam.
        schedule: "cosine" lets the learning rate fall to 0 along a half cosine; "constant" not.
        decay: Weight of half the sum of squares of all parameters in the loss.
        noise: Uniform noise in [0, noise) is added to every number of an observation, drawn anew
            each time that one is seen.

    Raises:
        InputError: A number is out of range.
    """

    steps: int = 2000
    batch: int = 32
    learning_rate: float = 1e-3
    schedule: Literal["constant", "cosine"] = "cosine"
    decay: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise InputError(
                f"steps and batch must be 1 or more; got {self.steps} and {self.batch}"
            )
        if not (self.learning_rate > 0 and self.decay >= 0 and self.noise >= 0):
            raise InputError(
                "learning_rate must be above 0, decay and noise 0 or more; got "
                f"{self.learning_rate}, {self.decay} and {self.noise}"
            )
        if self.schedule not in ("constant", "cosine"):
            raise InputError(f'schedule must be "constant" or "cosine"; got {self.schedule!r}')


class Learning(NamedTuple):
    """All there is to know about a training: a tree of arrays, to be carried on or saved."""

    seed: jax.Array
    """The key's data."""
    step: Int[Array, ""]
    """Training steps made."""
    numbers: Float[Array, " P"]
    """Parameters of the network and the absorbing reward as one vector, so that a step of Adam is
    one pass over memory."""
    optimiser: Any
    trace: Float[Array, " blocks"]
    """Sum of the losses of each block of steps."""
    diverged: Bool[Array, ""]
    """Whether a loss was not finite; no step is made after that."""


def unpacked(
    network: Network, shape: tuple[int, ...], actions: int, numbers: Float[Array, " P"]
) -> Numbers:
    """The network and the absorbing reward in a vector of parameters."""
    template = eqx.filter_eval_shape(network.build, jax.random.key(0), shape, actions)
    empty = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), template)
    return ravel_pytree(Numbers(empty, jnp.float32(0)))[1](numbers)


def begin(
    lessons: Lessons, network: Network, shape: tuple[int, ...], actions: int, key: PRNGKeyArray
) -> Learning:
    """The training of a key before its first step."""
    for_network, for_steps = jax.random.split(key)
    module = network.build(for_network, shape, actions)
    numbers = ravel_pytree(Numbers(module, jnp.float32(0)))[0]
    return Learning(
        jax.random.key_data(for_steps),
        jnp.int32(0),
        numbers,
        optimiser_of(lessons).init(numbers),
        jnp.zeros(TRACED),
        jnp.bool_(False),
    )


def optimiser_of(lessons: Lessons) -> optax.GradientTransformation:
    """Adam; the step size constant, or falling to zero along a half cosine ("cosine")."""
    rate: Any = lessons.learning_rate
    if lessons.schedule == "cosine":
        rate = optax.cosine_decay_schedule(rate, lessons.steps)
    return optax.adam(rate)


def improve(
    lessons: Lessons,
    loss: Loss,
    unpack: Callable[[Float[Array, " P"]], Numbers],
    rows: Rows,
    key: PRNGKeyArray,
    state: tuple[Float[Array, " P"], Any],
    own: Batch | None = None,
) -> tuple[tuple[Float[Array, " P"], Any], Float[Array, ""]]:
    """One training step: parameters and the optimiser's state after it, and the loss before it.

    Args:
        lessons: How to learn.
        loss: What to minimise.
        unpack: From parameters to the network and the absorbing reward.
        rows: The expert's transitions.
        key: Of the step.
        state: Parameters, and the optimiser's state.
        own: Transitions of the learner; None offline.
    """
    for_batch, for_now, for_next, for_loss = jax.random.split(key, 4)
    expert = _seen(for_now, for_next, draw(for_batch, rows, lessons.batch), lessons.noise)
    if own is not None:
        own_now, own_next = (jax.random.fold_in(k, 2) for k in (for_now, for_next))
        own = _seen(own_now, own_next, own, lessons.noise)
    numbers, optimiser = state

    def objective(numbers: jax.Array) -> jax.Array:
        penalty = 0.5 * lessons.decay * jnp.sum(numbers**2)
        return loss(unpack(numbers), for_loss, expert, own) + penalty

    found, slope = jax.value_and_grad(objective)(numbers)
    change, optimiser = optimiser_of(lessons).update(slope, optimiser)
    return (numbers + change, optimiser), found


def _seen(for_now: PRNGKeyArray, for_next: PRNGKeyArray, batch: Batch, noise: float) -> Batch:
    """Transitions with noise on every observation."""
    return batch._replace(
        observations=noisy(for_now, batch.observations, noise),
        following=noisy(for_next, batch.following, noise),
        starts=noisy(jax.random.fold_in(for_now, 1), batch.starts, noise),
    )


@partial(jax.jit, static_argnames=("lessons", "loss", "network", "actions"))
def advance(
    lessons: Lessons,
    loss: Loss,
    network: Network,
    actions: int,
    rows: Rows,
    learning: Learning,
    until: Any,
) -> Learning:
    """The training carried on to step number `until`, or to a loss that is not finite.

    However it is cut in pieces, it is the same program and gives the same numbers.
    """
    shape = rows.observations.shape[1:]
    unpack = partial(unpacked, network, shape, actions)
    seed = jax.random.wrap_key_data(learning.seed)
    last = jnp.minimum(jnp.int32(until), lessons.steps)

    def unfinished(now: Learning) -> jax.Array:
        return (now.step < last) & ~now.diverged

    def step(now: Learning) -> Learning:
        key, state = jax.random.fold_in(seed, now.step), (now.numbers, now.optimiser)
        (numbers, optimiser), found = improve(lessons, loss, unpack, rows, key, state)
        block = now.step * TRACED // lessons.steps
        return Learning(
            now.seed,
            now.step + 1,
            numbers,
            optimiser,
            now.trace.at[block].add(found),
            ~jnp.isfinite(found),
        )

    return jax.lax.while_loop(unfinished, step, learning)


def mean_losses(learning: Learning, steps: int) -> Float[np.ndarray, " blocks"]:
    """Mean loss of each block of a training of `steps` steps that was reached."""
    block = np.arange(steps) * TRACED // steps
    made = np.bincount(block[: int(learning.step)], minlength=TRACED)
    return np.asarray(learning.trace, dtype=np.float64)[made > 0] / made[made > 0]
