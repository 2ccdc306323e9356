"""Deep Q-learning (Mnih and others 2015) of any simulator, the whole training compiled.

Algorithm 1 of "Implementing Inverse Q-Learning" (Aubuchon and Ho 2023) is the preset `DQN.study()`.
"""

import os
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int, Key, PRNGKeyArray

from inverseq._core.arrays import frozen_array
from inverseq._core.errors import InputError
from inverseq._core.status import Status
from inverseq.forward.replay import Replay, sample
from inverseq.forward.simulator import Simulator
from inverseq.forward.trainer import (
    Progress,
    require_finished,
    train,
    train_side_by_side,
    training_status,
)
from inverseq.forward.training import Learner, Loop, Training
from inverseq.networks import (
    FullyConnected,
    Network,
    Planner,
    TrainedNetwork,
    trained_network,
)


@dataclass(frozen=True)
class DQN:
    """Settings of deep Q-learning.

    The target of Q(s, a) is r_1 + ... + discount^(n-1) r_n + discount^n V(s_n), minimised in the
    mean square, with V the largest value of the target network (of the network itself where there
    is none). While learning an action is drawn at random with probability epsilon, otherwise it is
    the best.

    Attributes:
        network: The network's settings.
        loop: Steps, replay, and tests.
        discount: Of the future, in (0, 1].
        learning_rate: Of Adam.
        batch: Moves in a training step.
        epsilon: Probability of a random action at the first move.
        epsilon_decay: Factor of epsilon at every move. The study's paper says "epsilon 1.0 decayed
            by 0.97 to 0.1"; its code does so at every move, so that 0.1 is reached after 76.
        epsilon_floor: Least epsilon.
        noise: Uniform noise in [0, noise) is added to every number of an observation, drawn anew
            each time that one is seen.
        target_every: Training steps after which the target network is made equal to the network;
            None for no target network.
        double: Double Q-learning (van Hasselt, Guez and Silver 2016): the network chooses the
            action whose value the target network gives.
        n_step: Moves followed before the value counts (Hessel and others 2018).
        bootstrap_at_limit: Whether the value counts where a game was cut off at a limit. The study
            took the limit for the end of the world.

    Raises:
        InputError: A number is out of range, or `double` without a target network.
    """

    network: Network = field(default_factory=FullyConnected)
    loop: Loop = field(default_factory=lambda: Loop(steps=20_000))
    discount: float = 0.9
    learning_rate: float = 1e-3
    batch: int = 32
    epsilon: float = 1.0
    epsilon_decay: float = 0.97
    epsilon_floor: float = 0.1
    noise: float = 0.0
    target_every: int | None = None
    double: bool = False
    n_step: int = 1
    bootstrap_at_limit: bool = True

    def __post_init__(self) -> None:
        for name in ("discount", "epsilon_decay"):
            if not 0 < getattr(self, name) <= 1:
                raise InputError(f"{name} must be above 0 and at most 1; got {getattr(self, name)}")
        for name in ("epsilon", "epsilon_floor"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} must be from 0 to 1; got {getattr(self, name)}")
        if self.learning_rate <= 0 or self.noise < 0:
            raise InputError(
                "learning_rate must be above 0 and noise at least 0; "
                f"got {self.learning_rate} and {self.noise}"
            )
        for name in ("batch", "n_step", "target_every"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise InputError(f"{name} must be 1 or more; got {getattr(self, name)}")
        if self.double and self.target_every is None:
            raise InputError(
                "double Q-learning needs a target network; give target_every, such as 250"
            )

    @classmethod
    def study(cls, steps: int = 20_000) -> "DQN":
        """Algorithm 1 with the settings of the 2023 study.

        Its steps were 20,000 on static walls, 100,000 on random walls and 150,000 with a random win
        state.
        """
        return cls(loop=Loop(steps), noise=0.1, bootstrap_at_limit=False)

    @classmethod
    def best(cls, steps: int = 20_000) -> "DQN":
        """Our best on boards within the same steps: a network that plans, taught steadily."""
        return cls(
            network=Planner(),
            loop=Loop(steps, capacity=20_000),
            learning_rate=1e-2,
            target_every=100,
            double=True,
        )


class Weights(NamedTuple):
    """What a DQN learns: the network as an Equinox module, and what Adam remembers of it."""

    network: Any
    slope: Any
    """Running mean of the gradient, a tree like the network."""
    square: Any
    """Running mean of its square."""
    target: Any
    """The target network; None where there is none."""
    learned: Int[Array, ""]
    """Training steps made."""


@dataclass(frozen=True, eq=False)
class TrainedDQN:
    """What deep Q-learning came to.

    Attributes:
        settings: What it was trained with.
        trained: The network; `inverseq.networks.action_values` gives its values.
        status: How it ended. The residual is the mean loss of the last block.
        loss: `[blocks]` mean loss of the training steps of each block.
        ratio: `[blocks]` mean distance ratio of the test games after each block, lost games counted
            with the moves of the limit; NaN where not tested.
        won: `[blocks]` share of the test games that were won.
        moves: `[blocks]` mean moves of the test games.
        earned: `[blocks]` mean sum of rewards of the test games.
    """

    settings: DQN
    trained: TrainedNetwork
    status: Status
    loss: Float[np.ndarray, " blocks"]
    ratio: Float[np.ndarray, " blocks"]
    won: Float[np.ndarray, " blocks"]
    moves: Float[np.ndarray, " blocks"]
    earned: Float[np.ndarray, " blocks"]

    def __post_init__(self) -> None:
        for name in ("loss", "ratio", "won", "moves", "earned"):
            object.__setattr__(self, name, frozen_array(getattr(self, name), np.float64, name))


def train_dqn(
    settings: DQN,
    simulator: Simulator,
    key: PRNGKeyArray,
    *,
    checkpoint: str | os.PathLike | None = None,
    accept_failure: bool = False,
    progress: Progress | None = None,
) -> TrainedDQN:
    """Learn to play a world by playing it.

    Args:
        settings: Of the learning; `DQN.study()` and `DQN.best()` are presets.
        simulator: The world, such as `worlds.grid_simulator(worlds.RANDOM_WALLS)`.
        key: JAX random key; it is consumed. The same key gives the same numbers.
        checkpoint: File that the training is written to now and then, and carried on from where it
            exists, with exactly the result of one that was not interrupted.
        accept_failure: Return a training that diverged instead of raising.
        progress: Called with (what is done, moves made, moves in all).

    Raises:
        InputError: The checkpoint is of another training, or the network does not fit the world.
        FitError: The loss grew beyond all bounds and `accept_failure` is false.
    """
    training = train(
        dqn_learner(settings, simulator),
        simulator,
        settings.loop,
        key,
        settings=repr(settings),
        checkpoint=checkpoint,
        progress=progress,
    )
    return _record(settings, simulator, training, accept_failure)


def train_dqns(
    settings: DQN,
    simulator: Simulator,
    keys: Key[Array, " R"],
    *,
    accept_failure: bool = False,
) -> tuple[TrainedDQN, ...]:
    """`train_dqn` for each of several keys, side by side on all cores or on an accelerator.

    Raises:
        InputError: The network does not fit the world.
        FitError: One of them diverged and `accept_failure` is false.
    """
    learner = dqn_learner(settings, simulator)
    trainings = train_side_by_side(learner, simulator, settings.loop, keys)
    return tuple(_record(settings, simulator, one, accept_failure) for one in trainings)


def _record(
    settings: DQN, simulator: Simulator, training: Training, accept_failure: bool
) -> TrainedDQN:
    """The record of a training."""
    remedy = (
        f"try a lower learning_rate (it was {settings.learning_rate:g}), a target network "
        f"(target_every was {settings.target_every}) or a lower discount ({settings.discount:g})."
    )
    status = training_status(settings.loop, training, remedy=remedy)
    if not accept_failure:
        require_finished("DQN", status)
    shape, actions = simulator.observation_shape, simulator.num_actions
    return TrainedDQN(
        settings,
        trained_network(settings.network, training.learner.network, shape, actions),
        status,
        **{name: np.asarray(curve) for name, curve in training.curves._asdict().items()},
    )


@lru_cache(maxsize=32)
def dqn_learner(settings: DQN, simulator: Simulator) -> Learner:
    """Deep Q-learning as four pure functions."""
    shape, actions = simulator.observation_shape, simulator.num_actions

    def values(network: Any, seen: jax.Array) -> jax.Array:
        return jax.vmap(network)(seen)

    def begin(key: PRNGKeyArray) -> Weights:
        network = settings.network.build(key, shape, actions)
        nothing = jax.tree.map(jnp.zeros_like, network)
        target = None if settings.target_every is None else network
        return Weights(network, nothing, nothing, target, jnp.int32(0))

    def act(
        key: PRNGKeyArray, state: Weights, observation: jax.Array, moves: jax.Array
    ) -> jax.Array:
        for_chance, for_noise = jax.random.split(key)
        seen = noisy(for_noise, observation[None], settings.noise)
        best = jnp.argmax(values(state.network, seen)[0]).astype(jnp.int32)
        chance = jax.random.uniform(for_chance, (2,))
        epsilon = jnp.maximum(
            settings.epsilon * settings.epsilon_decay ** moves.astype(jnp.float32),
            settings.epsilon_floor,
        )
        drawn = jnp.minimum((chance[1] * actions).astype(jnp.int32), actions - 1)
        return jnp.where(chance[0] < epsilon, drawn, best)

    def test(key: PRNGKeyArray, state: Weights, observations: jax.Array) -> jax.Array:
        seen = noisy(key, observations, settings.noise)
        return jnp.argmax(values(state.network, seen), axis=1).astype(jnp.int32)

    def learn(key: PRNGKeyArray, state: Weights, replay: Replay) -> tuple[Weights, jax.Array]:
        for_batch, for_noise, for_next = jax.random.split(key, 3)
        batch = sample(
            for_batch,
            replay,
            settings.batch,
            discount=settings.discount,
            n_step=settings.n_step,
            bootstrap_at_limit=settings.bootstrap_at_limit,
        )
        following = noisy(for_next, batch.next_observations, settings.noise)
        judge = state.network if state.target is None else state.target
        ahead = values(judge, following)
        if settings.double:
            chosen = jnp.argmax(values(state.network, following), axis=1)
            value = jnp.take_along_axis(ahead, chosen[:, None], axis=1)[:, 0]
        else:
            value = ahead.max(axis=1)
        goal = batch.returns + batch.discounts * value
        seen = noisy(for_noise, batch.observations, settings.noise)

        def loss(network: Any) -> jax.Array:
            made = values(network, seen)
            taken = jnp.where(jnp.arange(actions) == batch.actions[:, None], made, 0.0).sum(axis=1)
            return jnp.mean((taken - goal) ** 2)

        error, slope = jax.value_and_grad(loss)(state.network)
        learned = state.learned + 1
        network, first, second = _adam(state, slope, learned, settings.learning_rate)
        target = state.target
        if target is not None and settings.target_every is not None:
            renew = learned % settings.target_every == 0
            target = jax.tree.map(lambda new, old: jnp.where(renew, new, old), network, target)
        return Weights(network, first, second, target, learned), error

    return Learner(begin, act, learn, test)


def _adam(state: Weights, slope: Any, step: jax.Array, rate: float) -> tuple[Any, Any, Any]:
    """The network, and both running means, after a step of Adam (Kingma and Ba 2015).

    In the order of its section 2: the corrections of the bias are two numbers per step instead of
    two divisions per parameter.
    """
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state.slope, slope)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, state.square, slope)
    time = step.astype(jnp.float32)
    root = jnp.sqrt(1 - 0.999**time)
    scale, least = rate * root / (1 - 0.9**time), 1e-8 * root
    network = jax.tree.map(
        lambda p, m, v: p - scale * m / (jnp.sqrt(v) + least), state.network, first, second
    )
    return network, first, second


def noisy(
    key: PRNGKeyArray, observations: Float[Array, " *shape"], amount: float
) -> Float[Array, " *shape"]:
    """Observations plus uniform noise in [0, amount), in 256 levels.

    Hashed counters in place of JAX's generator, which took longer than the training step itself:
    a word for every four numbers, counted from a hash of the key and spread by the finaliser
    "lowbias32".
    """
    if amount == 0:
        return observations
    size = observations.size
    first, second = jax.random.key_data(key).astype(jnp.uint32)
    begin = _mixed(_mixed(first) ^ second)
    words = _mixed(begin + jnp.arange(-(-size // 4), dtype=jnp.uint32))
    levels = (words >> jnp.arange(0, 32, 8, dtype=jnp.uint32)[:, None]) & 255
    noise = levels.ravel()[:size].astype(jnp.float32) * jnp.float32(amount / 256)
    return observations + noise.reshape(observations.shape)


def _mixed(bits: jax.Array) -> jax.Array:
    """Every bit of a 32-bit word spread over all of them."""
    bits = (bits ^ (bits >> 16)) * jnp.uint32(0x7FEB352D)
    bits = (bits ^ (bits >> 15)) * jnp.uint32(0x846CA68B)
    return bits ^ (bits >> 16)
