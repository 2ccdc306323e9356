"""Deep Q-learning (Mnih and others 2015) of any simulator, the whole training compiled.

Algorithm 1 of "Implementing Inverse Q-Learning" (Aubuchon and Ho 2023) is the preset `DQN.study()`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq._core.status import Status
from inverseq.networks import FullyConnected, Network, Planner, TrainedNetwork
from inverseq.training.batch import Batch, Drawing, existing
from inverseq.training.lessons import Schedule, adam, check_schedule
from inverseq.training.loop import Course, Loop, Training
from inverseq.training.noise import noisy
from inverseq.training.record import Measured, measured_in
from inverseq.training.rule import Learner, Part, Target
from inverseq.training.simulator import Simulator
from inverseq.training.trainer import (
    Keys,
    Progress,
    keys_in,
    train,
    training_status,
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
        schedule: "cosine" lets the learning rate fall to 0 along a half cosine, so that what is
            learned last is not unlearned again; "constant" not.
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
    schedule: Schedule = "constant"
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
        check_schedule(self.schedule)
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

    @property
    def drawing(self) -> Drawing:
        """How transitions are drawn."""
        return Drawing(self.batch, self.discount, self.noise, self.n_step, self.bootstrap_at_limit)

    def networks(self) -> dict[str, Part]:
        """The network Q, and its target where there is one."""
        target = None if self.target_every is None else Target(self.target_every)
        steps = self.loop.blocks * self.loop.learn_steps
        learns = adam(self.learning_rate, self.schedule, steps)
        return {"q": Part(self.network.build, self.loss, learns, target)}

    def loss(
        self, network: Any, learner: Learner, key: PRNGKeyArray, shown: Batch | None, own: Batch
    ) -> Float[Array, ""]:
        """Mean square of the distances of Q(s, a) from their targets."""
        del key, shown  # of no meaning here
        values = lambda judge, seen: jax.vmap(judge)(seen)  # noqa: E731
        present = learner.networks["q"]
        ahead = values(learner.targets.get("q", present), own.next_observations)
        ahead = existing(ahead, own.next_allowed)
        if self.double:
            judged = existing(values(present, own.next_observations), own.next_allowed)
            chosen = jnp.argmax(judged, axis=1)
            value = jnp.take_along_axis(ahead, chosen[:, None], axis=1)[:, 0]
        else:
            value = ahead.max(axis=1)
        goal = own.returns + own.discounts * value
        made = values(network, own.observations)
        taken = jnp.where(jnp.arange(made.shape[1]) == own.actions[:, None], made, 0.0).sum(axis=1)
        return jnp.mean((taken - goal) ** 2)

    def act(
        self,
        key: PRNGKeyArray,
        learner: Learner,
        observations: Float[Array, "n *shape"],
        allowed: Bool[Array, "n A"] | None,
        moves: Int[Array, ""] | None,
    ) -> Int[Array, " n"]:
        """The best action, while it learns a random one with probability epsilon."""
        for_chance, for_noise = (key, key) if moves is None else jax.random.split(key)
        seen = noisy(for_noise, observations, self.noise)
        q = jax.vmap(learner.networks["q"])(seen)
        best = jnp.argmax(existing(q, allowed), axis=1).astype(jnp.int32)
        if moves is None:
            return best
        chance = jax.random.uniform(for_chance, (2, len(best)))
        epsilon = jnp.maximum(
            self.epsilon * self.epsilon_decay ** moves.astype(jnp.float32), self.epsilon_floor
        )
        exist = jnp.ones(q.shape, bool) if allowed is None else allowed
        count = exist.sum(axis=1)
        place = jnp.minimum((chance[1] * count).astype(jnp.int32), count - 1)
        # The action that `place` others that exist come before.
        drawn = (jnp.cumsum(exist, axis=1) <= place[:, None]).sum(axis=1, dtype=jnp.int32)
        return jnp.where(chance[0] < epsilon, drawn, best)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainedDQN(Measured):
    """What deep Q-learning came to, and what was measured on the way.

    Attributes:
        settings: What it was trained with.
        trained: The network; `inverseq.networks.action_values` gives its values.
        status: How it ended. The residual is the mean loss of the last block.
    """

    settings: DQN
    trained: TrainedNetwork
    status: Status


@overload
def train_dqn(
    settings: DQN,
    simulator: Simulator,
    key: PRNGKeyArray,
    *,
    checkpoint: str | os.PathLike | None = ...,
    accept_failure: bool = ...,
    progress: Progress | None = ...,
) -> TrainedDQN: ...
@overload
def train_dqn(
    settings: DQN,
    simulator: Simulator,
    key: Sequence[PRNGKeyArray],
    *,
    checkpoint: str | os.PathLike | None = ...,
    accept_failure: bool = ...,
    progress: Progress | None = ...,
) -> tuple[TrainedDQN, ...]: ...
def train_dqn(
    settings: DQN,
    simulator: Simulator,
    key: Keys,
    *,
    checkpoint: str | os.PathLike | None = None,
    accept_failure: bool = False,
    progress: Progress | None = None,
) -> TrainedDQN | tuple[TrainedDQN, ...]:
    """Learn to play a world by playing it.

    Args:
        settings: Of the learning; `DQN.study()` and `DQN.best()` are presets.
        simulator: The world, such as `worlds.grid_simulator(worlds.RANDOM_WALLS)`.
        key: JAX random key, or several in a list, such as `list(jax.random.split(key, 16))`, which
            are trained side by side on all cores or on an accelerator. They are consumed; the same
            key gives the same numbers.
        checkpoint: File that the training is written to now and then, and carried on from where it
            exists, with exactly the result of one that was not interrupted.
        accept_failure: Return a training that diverged instead of raising.
        progress: Called with (what is done, moves made, moves in all).

    Returns:
        What was learned; of several keys a tuple.

    Raises:
        InputError: The checkpoint is of another training, or the network does not fit the world.
        FitError: The loss grew beyond all bounds and `accept_failure` is false.
    """
    course, keys = Course.played(settings, settings.loop, simulator), keys_in(key)
    trainings = train(course, keys, checkpoint=checkpoint, progress=progress)
    made = tuple(_record(course, settings, one, accept_failure) for one in trainings)
    return made[0] if isinstance(key, jax.Array) else made


def _record(course: Course, settings: DQN, training: Training, accept_failure: bool) -> TrainedDQN:
    """The record of a training."""
    remedy = (
        f"try a lower learning_rate (it was {settings.learning_rate:g}), a target network "
        f"(target_every was {settings.target_every}) or a lower discount ({settings.discount:g})."
    )
    status = training_status(
        course, training, what="DQN", remedy=remedy, accept_failure=accept_failure
    )
    network = course.record(settings.network, training.learner.networks["q"])
    return TrainedDQN(settings=settings, trained=network, status=status, **measured_in(training))
