"""IQ-Learn for continuous actions: beside Q an actor learns, by which V is judged.

Garg and others 2021, equation 10: the loss in Q is that of numbered actions with V(s) = E[Q(s, a) -
T log pi(a | s)] over the actor's actions, and the actor is that of soft actor-critic (Haarnoja and
others 2018). Densities are those of actions in [-1, 1].
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq._core.status import Status
from inverseq.demonstrations import Demonstrations
from inverseq.forward.sac import critic_of, critic_record, policy_of
from inverseq.inverse.deep.iq_objective import Numbers, Terms
from inverseq.inverse.solution import Solution
from inverseq.networks import FullyConnected
from inverseq.networks.squashed import Unit, drawn, judged, parted
from inverseq.policies.squashed import require_inside
from inverseq.rewards.squashed import SquashedReadOut
from inverseq.training.batch import Batch, Drawing
from inverseq.training.lessons import Lessons, adam
from inverseq.training.loop import Course
from inverseq.training.rule import Learner, Part, Target
from inverseq.training.simulator import Bounds


@dataclass(frozen=True)
class Actor:
    """The actor of IQ-Learn for continuous actions.

    Attributes:
        network: Its settings; the critic's are `IQLearn.network`.
        learning_rate: Of Adam; the critic's is that of the lessons, and so is the schedule of both.
        follow: Share of the way that a slow copy of the critic, which judges what lies ahead, goes
            in each step; None asks the critic itself, as in the paper's code.
        bounds: Least and largest of each component of an action; None takes the simulator's, and
            offline the least and largest seen.

    Raises:
        InputError: A number is out of range.
    """

    network: FullyConnected = field(default_factory=lambda: FullyConnected((256, 256)))
    learning_rate: float = 3e-4
    follow: float | None = 0.005
    bounds: Bounds | None = None

    def __post_init__(self) -> None:
        if not self.learning_rate > 0:
            raise InputError(f"learning_rate must be above 0; got {self.learning_rate}")
        if self.follow is not None:
            Target(share=self.follow)


@dataclass(frozen=True)
class ActorRule:
    """IQ-Learn of continuous actions as a rule that learns and plays.

    Attributes:
        settings: Of IQ-Learn (`IQLearn`), the discount known.
        bounds: Of actions.
    """

    settings: Any
    bounds: Bounds

    @property
    def actor(self) -> Actor:
        """Settings of the actor."""
        return self.settings.actor or Actor()

    @property
    def critic(self) -> FullyConnected:
        """Settings of the critic."""
        return self.settings.network or self.actor.network

    @property
    def drawing(self) -> Drawing:
        """How transitions are drawn."""
        return self.settings.drawing

    def networks(self) -> dict[str, Part]:
        """The critic with the absorbing reward, and the actor."""
        actor, lessons = self.actor, self.settings.lessons

        def begin(key: PRNGKeyArray, shape: tuple[int, ...], components: int) -> Numbers:
            return Numbers(critic_of(self.critic, key, shape, components), jnp.float32(0))

        slowly = None if actor.follow is None else Target(share=actor.follow)
        return {
            "q": Part(begin, self.loss, lessons.optimiser, slowly),
            "actor": Part(
                lambda key, shape, components: actor.network.build(key, shape, 2 * components),
                self.actor_loss,
                adam(actor.learning_rate, lessons.schedule, lessons.steps),
            ),
        }

    def act(
        self,
        key: PRNGKeyArray,
        learner: Learner,
        observations: Float[Array, "n *shape"],
        allowed: Bool[Array, "n A"] | None,
        moves: Int[Array, ""] | None,
    ) -> Float[Array, "n D"]:
        """Drawn by the actor; the middle of its Gaussian while it is tested."""
        del allowed  # of no meaning here
        outputs = jax.vmap(learner.networks["actor"])(observations)
        if moves is None:
            actions = jnp.tanh(parted(outputs)[0])
        else:
            actions, _ = drawn(key, outputs)
        return Unit.of(self.bounds).outside(actions)

    def loss(
        self,
        numbers: Numbers,
        learner: Learner,
        key: PRNGKeyArray,
        expert: Batch,
        own: Batch | None,
    ) -> Float[Array, ""]:
        """The loss of a batch of transitions in Q, offline where `own` is None."""
        for_seen, for_own, for_starts = jax.random.split(key, 3)
        seen = self.terms(numbers, learner, for_seen, expert)
        mine = None if own is None else self.terms(numbers, learner, for_own, own)
        starts = None
        if self.settings.form == "v0" and expert.starts is not None:
            starts = self.value(numbers.module, learner, for_starts, expert.starts)
        ends = expert.ended, None if own is None else own.ended
        return self.settings.combined(numbers, seen, mine, starts, ends)

    def terms(self, numbers: Numbers, learner: Learner, key: PRNGKeyArray, batch: Batch) -> Terms:
        """Q(s, a), V(s) and gamma V(s') of a batch."""
        for_now, for_next = jax.random.split(key)
        chosen = judged(
            numbers.module, batch.observations, Unit.of(self.bounds).inside(batch.actions)
        )
        judge = learner.targets["q"].module if "q" in learner.targets else numbers.module
        ahead = self.value(judge, learner, for_next, batch.next_observations)
        ahead = self.settings.gamma * jnp.where(batch.ended, self.settings.after(numbers), ahead)
        return Terms(
            chosen, self.value(numbers.module, learner, for_now, batch.observations), ahead
        )

    def value(
        self, critic: Any, learner: Learner, key: PRNGKeyArray, seen: Float[Array, "n *shape"]
    ) -> Float[Array, " n"]:
        """Q(s, a) - T log pi(a | s) of one action drawn by the actor."""
        actions, density = drawn(key, jax.vmap(learner.networks["actor"])(seen))
        return judged(critic, seen, actions) - self.settings.temperature * density

    def actor_loss(
        self,
        actor: Any,
        learner: Learner,
        key: PRNGKeyArray,
        expert: Batch,
        own: Batch | None,
    ) -> Float[Array, ""]:
        """Mean of T log pi(a | s) - Q(s, a), where the expert and the learner were."""
        seen = expert.observations
        if own is not None:
            seen = jnp.concatenate([seen, own.observations])
        actions, density = drawn(jax.random.fold_in(key, 1), jax.vmap(actor)(seen))
        values = judged(learner.networks["q"].module, seen, actions)
        return jnp.mean(self.settings.temperature * density - values)

    def solution(
        self, course: Course, learner: Learner, status: Status, trace: Float[np.ndarray, " blocks"]
    ) -> Solution:
        """The solution of a training."""
        numbers, told = learner.networks["q"], self.settings
        policy = policy_of(self.actor.network, learner.networks["actor"], course, self.bounds)
        critic = critic_record(self.critic, numbers.module, course)
        reward = SquashedReadOut(
            policy, critic, told.temperature, told.gamma, float(told.after(numbers))
        )
        return Solution(
            solver="IQLearn",
            settings=asdict(self.settings),
            policy=policy,
            reward_function=reward,
            status=status,
            num_parameters=sum(a.size for a in (*policy.network.arrays, *critic.arrays)),
            trace=trace,
        )


def actor_rule(
    settings: Any, demonstrations: Demonstrations, bounds: Bounds | None = None
) -> ActorRule | None:
    """The rule for continuous actions; None where they are numbered.

    Args:
        settings: Of IQ-Learn, the discount known.
        demonstrations: What is learned from.
        bounds: Of the world that is played; None offline.

    Raises:
        InputError: An actor is given where actions are numbered, a setting has no meaning for
            continuous ones, or an action lies outside of the bounds.
    """
    actions = demonstrations.actions
    if actions.ndim == 1:
        if settings.actor is not None:
            raise InputError(
                "actions are numbered, and an actor is for continuous ones: leave it out"
            )
        return None
    if settings.value != "soft" or settings.distance == "wasserstein":
        raise InputError(
            'continuous actions have soft values, and no distance "wasserstein" here: take '
            'value="soft" and another distance, such as "chi-square"'
        )
    if not isinstance(settings.network, FullyConnected | None):
        raise InputError(
            "a critic reads an observation and an action in one row: give network="
            f"FullyConnected(...), not {type(settings.network).__name__}"
        )
    told = (settings.actor or Actor()).bounds
    if told is not None and bounds is not None and told != bounds:
        raise InputError(
            f"bounds of the actor are {told}, those of the world {bounds}: leave them out"
        )
    acted = actions[demonstrations.acted]
    if told is None and bounds is None:
        low, high = acted.min(axis=0), acted.max(axis=0)
        bounds = tuple(zip(low.tolist(), high.tolist(), strict=True))
    known = told or bounds
    assert known is not None
    low, high = np.asarray(known, dtype=float).reshape(-1, 2).T
    if len(low) != actions.shape[1] or not (low < high).all():
        raise InputError(
            f"bounds must be a least and a larger number for each of the {actions.shape[1]} "
            f"components of an action; they are {known}: give Actor(bounds=...)"
        )
    require_inside(demonstrations, low, high, "the bounds", "; give wider ones, Actor(bounds=...)")
    return ActorRule(settings, known)


def unseeded(rule: ActorRule, lessons: Lessons | None = None) -> ActorRule:
    """The rule without its seed, so that several seeds share one compiled program."""
    told = replace(rule.settings, seed=0, lessons=lessons or rule.settings.lessons)
    return replace(rule, settings=told)
