"""Soft actor-critic: an agent of continuous actions, the whole training compiled.

Haarnoja, Zhou, Abbeel and Levine, "Soft Actor-Critic" (ICML 2018), with two critics of which the
lower one counts, and the temperature learned as in Haarnoja and others, "Soft Actor-Critic
Algorithms and Applications" (arXiv 1812.05905, equations 5, 7 and 18).
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq._core.status import Status
from inverseq.networks import FullyConnected, TrainedNetwork, trained_network
from inverseq.networks.squashed import Unit, drawn, judged, parted
from inverseq.policies.squashed import SquashedPolicy
from inverseq.training.batch import Batch, Drawing
from inverseq.training.loop import Course, Loop, Training
from inverseq.training.record import Measured, measured_in
from inverseq.training.rule import Learner, Part, Target
from inverseq.training.simulator import Bounds, Simulator
from inverseq.training.trainer import Keys, Progress, keys_in, train, training_status


@dataclass(frozen=True)
class SAC:
    """Settings of soft actor-critic.

    The target of both critics is r + discount (Q(s', a') - T log pi(a' | s')), a' drawn by the
    actor and Q the lower of two slow copies; the actor minimises T log pi(a | s) - Q(s, a).
    Densities are those of actions in [-1, 1].

    Attributes:
        network: Of the actor and of both critics, which read observation and action in one row.
        loop: Steps, replay, and tests. Before its `learn_from` any action is taken.
        discount: Of the future, from 0 to below 1.
        learning_rate: Of Adam.
        batch: Moves in a training step.
        temperature: T, in the units of rewards; None learns it, so that the entropy of actions
            comes to -D nats, as published.
        follow: Share of the way that the slow copies go in each step.
        bounds: Least and largest of each component of an action; `train_sac` takes the simulator's.

    Raises:
        InputError: A number is out of range.
    """

    network: FullyConnected = field(default_factory=lambda: FullyConnected((256, 256)))
    loop: Loop = field(
        default_factory=lambda: Loop(
            20_000, 1, 1000, test_games=5, capacity=20_000, learn_from=1000
        )
    )
    discount: float = 0.99
    learning_rate: float = 3e-4
    batch: int = 256
    temperature: float | None = None
    follow: float = 0.005
    bounds: Bounds | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.discount < 1:
            raise InputError(f"discount must be from 0 to below 1; got {self.discount}")
        if not (self.learning_rate > 0 and self.batch >= 1):
            raise InputError(
                "learning_rate must be above 0 and batch 1 or more; got "
                f"{self.learning_rate} and {self.batch}"
            )
        if self.temperature is not None and not self.temperature > 0:
            raise InputError(f"temperature must be above 0, or None; got {self.temperature}")
        Target(share=self.follow)

    @property
    def drawing(self) -> Drawing:
        """How transitions are drawn."""
        return Drawing(self.batch, self.discount)

    @property
    def unit(self) -> Unit:
        """Between actions of the world and [-1, 1]."""
        assert self.bounds is not None  # train_sac sees to it
        return Unit.of(self.bounds)

    def networks(self) -> dict[str, Part]:
        """Both critics, the actor, and the temperature where it is learned."""
        learns = optax.adam(self.learning_rate)

        def critics(key: PRNGKeyArray, shape: tuple[int, ...], components: int) -> Any:
            return tuple(critic_of(self.network, k, shape, components) for k in split(key))

        split = jax.random.split
        parts = {
            "q": Part(critics, self.q_loss, learns, Target(share=self.follow)),
            "actor": Part(
                lambda key, shape, components: self.network.build(key, shape, 2 * components),
                self.actor_loss,
                learns,
            ),
        }
        if self.temperature is None:
            parts["temperature"] = Part(
                lambda key, shape, components: jnp.float32(0), self.temperature_loss, learns
            )
        return parts

    def heat(self, learner: Learner) -> Any:
        """T."""
        if self.temperature is not None:
            return self.temperature
        return jnp.exp(learner.networks["temperature"])

    def act(
        self,
        key: PRNGKeyArray,
        learner: Learner,
        observations: Float[Array, "n *shape"],
        allowed: Bool[Array, "n A"] | None,
        moves: Int[Array, ""] | None,
    ) -> Float[Array, "n D"]:
        """Drawn by the actor, at first any; the middle of the Gaussian while it is tested."""
        del allowed  # of no meaning here
        outputs = jax.vmap(learner.networks["actor"])(observations)
        if moves is None:
            return self.unit.outside(jnp.tanh(parted(outputs)[0]))
        actions, _ = drawn(key, outputs)
        anything = jax.random.uniform(jax.random.fold_in(key, 1), actions.shape, minval=-1.0)
        return self.unit.outside(jnp.where(moves < self.loop.learn_from, anything, actions))

    def q_loss(
        self, critics: Any, learner: Learner, key: PRNGKeyArray, shown: Batch | None, own: Batch
    ) -> Float[Array, ""]:
        """Mean squares of the distances of both critics from their target, added."""
        del shown
        following = own.next_observations
        actions, density = drawn(key, jax.vmap(learner.networks["actor"])(following))
        ahead = lowest(learner.targets["q"], following, actions) - self.heat(learner) * density
        goal = own.returns + own.discounts * ahead
        done = self.unit.inside(own.actions)
        errors = jnp.stack([judged(critic, own.observations, done) - goal for critic in critics])
        return jnp.mean(errors**2, axis=-1).sum()

    def actor_loss(
        self, actor: Any, learner: Learner, key: PRNGKeyArray, shown: Batch | None, own: Batch
    ) -> Float[Array, ""]:
        """Mean of T log pi(a | s) - Q(s, a)."""
        del shown
        actions, density = drawn(jax.random.fold_in(key, 1), jax.vmap(actor)(own.observations))
        values = lowest(learner.networks["q"], own.observations, actions)
        return jnp.mean(self.heat(learner) * density - values)

    def temperature_loss(
        self, heat: Any, learner: Learner, key: PRNGKeyArray, shown: Batch | None, own: Batch
    ) -> Float[Array, ""]:
        """Log T times the entropy beyond -D nats."""
        del shown
        outputs = jax.vmap(learner.networks["actor"])(own.observations)
        actions, density = drawn(jax.random.fold_in(key, 1), outputs)
        return -heat * jnp.mean(density - actions.shape[1])


def critic_of(
    network: FullyConnected, key: PRNGKeyArray, shape: tuple[int, ...], components: int
) -> Any:
    """A random network from an observation and an action in one row to Q(s, a)."""
    return network.build(key, (int(np.prod(shape)) + components,), 1)


def lowest(
    critics: Sequence[Any], observations: Float[Array, "n *shape"], actions: Float[Array, "n D"]
) -> Float[Array, " n"]:
    """The lowest of what critics say of actions in [-1, 1]."""
    return jnp.stack([judged(critic, observations, actions) for critic in critics]).min(axis=0)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainedSAC(Measured):
    """What soft actor-critic came to, and what was measured on the way.

    Attributes:
        settings: What it was trained with.
        policy: The actor.
        critics: Both; they read an observation and an action in [-1, 1] in one row.
        temperature: T at the end.
        status: How it ended. The residual is the mean loss of the last block that is farthest from
            0.
    """

    settings: SAC
    policy: SquashedPolicy
    critics: tuple[TrainedNetwork, ...]
    temperature: float
    status: Status


@overload
def train_sac(
    settings: SAC,
    simulator: Simulator,
    key: PRNGKeyArray,
    *,
    checkpoint: str | os.PathLike | None = ...,
    accept_failure: bool = ...,
    progress: Progress | None = ...,
) -> TrainedSAC: ...
@overload
def train_sac(
    settings: SAC,
    simulator: Simulator,
    key: Sequence[PRNGKeyArray],
    *,
    checkpoint: str | os.PathLike | None = ...,
    accept_failure: bool = ...,
    progress: Progress | None = ...,
) -> tuple[TrainedSAC, ...]: ...
def train_sac(
    settings: SAC,
    simulator: Simulator,
    key: Keys,
    *,
    checkpoint: str | os.PathLike | None = None,
    accept_failure: bool = False,
    progress: Progress | None = None,
) -> TrainedSAC | tuple[TrainedSAC, ...]:
    """Learn to play a world of continuous actions by playing it.

    Args:
        settings: Of the learning.
        simulator: The world, such as `worlds.gymnasium_simulator("Pendulum-v1")`.
        key: JAX random key, or several in a list, as for `train_dqn`.
        checkpoint: File that the training is written to now and then, and carried on from where it
            exists, with exactly the result of one that was not interrupted.
        accept_failure: Return a training that diverged instead of raising.
        progress: Called with (what is done, moves made, moves in all).

    Returns:
        What was learned; of several keys a tuple.

    Raises:
        InputError: Actions of the world are numbered, its bounds are others than those given, or
            the checkpoint is of another training.
        FitError: A loss grew beyond all bounds and `accept_failure` is false.
    """
    rule = replace(settings, bounds=bounds_of(simulator, settings.bounds))
    course = Course.played(rule, settings.loop, simulator)
    trainings = train(course, keys_in(key), checkpoint=checkpoint, progress=progress)
    made = tuple(_record(course, rule, one, accept_failure) for one in trainings)
    return made[0] if isinstance(key, jax.Array) else made


def bounds_of(simulator: Simulator, given: Bounds | None) -> Bounds:
    """The bounds of a world's actions.

    Raises:
        InputError: Its actions are numbered, or other bounds are given.
    """
    if simulator.bounds is None:
        raise InputError(
            "the actions of this simulator are numbered, not continuous: train_dqn learns to play "
            "it, and IQLearn without an actor"
        )
    if given is not None and given != simulator.bounds:
        raise InputError(
            f"bounds are {given}, those of the simulator {simulator.bounds}: leave bounds out"
        )
    return simulator.bounds


def _record(course: Course, rule: SAC, training: Training, accept_failure: bool) -> TrainedSAC:
    """The record of a training."""
    remedy = (
        f"try a lower learning_rate (it was {rule.learning_rate:g}), follow ({rule.follow:g}) or "
        f"discount ({rule.discount:g})."
    )
    status = training_status(
        course, training, what="SAC", remedy=remedy, accept_failure=accept_failure
    )
    learner = training.learner
    return TrainedSAC(
        settings=rule,
        policy=policy_of(rule.network, learner.networks["actor"], course, rule.bounds),
        critics=tuple(
            critic_record(rule.network, critic, course) for critic in learner.networks["q"]
        ),
        temperature=float(rule.heat(learner)),
        status=status,
        **measured_in(training),
    )


def policy_of(network: FullyConnected, actor: Any, course: Course, bounds: Any) -> SquashedPolicy:
    """The policy of a trained actor."""
    trained = trained_network(network, actor, course.observation_shape, 2 * course.num_actions)
    low, high = np.asarray(bounds, dtype=float).T
    return SquashedPolicy(trained, low, high)


def critic_record(network: FullyConnected, critic: Any, course: Course) -> TrainedNetwork:
    """The record of a trained critic."""
    size = int(np.prod(course.observation_shape)) + course.num_actions
    return trained_network(network, critic, (size,), 1)
