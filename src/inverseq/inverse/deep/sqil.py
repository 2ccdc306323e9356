"""SQIL: soft Q-learning from a reward of 1 for what was demonstrated and 0 for own moves.

Reddy, Dragan and Levine, "SQIL: Imitation Learning via Reinforcement Learning with Sparse Rewards"
(ICLR 2020). Where its squares are least, Q(s, a) - gamma E[V(s')] is the share of the demonstrated
among all moves that were learned from at s and a: a reward between 0 and 1.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.inverse.deep.iq_objective import state_value
from inverseq.inverse.deep.iq_online import check_world
from inverseq.inverse.deep.learning import taken
from inverseq.inverse.deep.network_fit import taught_in
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.networks import FullyConnected, Network
from inverseq.policies.network import NetworkPolicy
from inverseq.rewards.read_out import ReadOutReward
from inverseq.training.batch import Batch, Drawing, existing
from inverseq.training.lessons import Lessons
from inverseq.training.loop import Course, Loop
from inverseq.training.rule import Learner, Part, Target
from inverseq.training.shown import shown_in
from inverseq.training.simulator import Simulator
from inverseq.training.trainer import train

_REMEDY = "lower learning_rate, follow or discount"


@dataclass(frozen=True)
class SQIL:
    """Soft Q imitation learning for discrete actions, beside own play in a world.

    Rewards and values of the solution are in units of `temperature`.

    Attributes:
        seed: Of the network, of own play and of the order of transitions. There is no default.
        discount: gamma, from 0 to below 1.
        simulator: The world to play in, whose observations the demonstrations hold, such as
            `worlds.ring_road()` or `forward.simulator_of(mdp)`.
        network: Settings; None is `FullyConnected()`.
        temperature: Of the policy and of the soft value, in the units of the rewards 1 and 0.
        own: lambda_samp, the weight of own moves; 1 weighs them as much as those demonstrated.
        terminal_value: V after the world has ended a game. 0 is that of the paper's code: where
            experts do well to come to an end, 1 / (1 - discount) says that they stay there.
        follow: Share of the way that the slow copy of the network goes in each step.
        lessons: How the network learns, a training step every `every` moves.
        every: Own moves between two training steps.
        capacity: Own moves that are kept.

    Raises:
        InputError: A number is out of range.
    """

    seed: int
    discount: float
    simulator: Simulator
    network: Network | None = None
    temperature: float = 0.1
    own: float = 1.0
    terminal_value: float = 0.0
    follow: float = 0.01
    lessons: Lessons = field(default_factory=lambda: Lessons(5000, 32))
    every: int = 4
    capacity: int = 10_000

    def __post_init__(self) -> None:
        if not 0 <= self.discount < 1:
            raise InputError(f"discount must be from 0 to below 1; got {self.discount}")
        if not (self.temperature > 0 and self.own > 0):
            raise InputError(
                f"temperature and own must be above 0; got {self.temperature} and {self.own}"
            )
        Target(share=self.follow)
        _ = self.loop

    @property
    def loop(self) -> Loop:
        """A block for each training step, to the first loss that is not finite."""
        lessons = Loop.of_lessons(self.lessons.steps * self.every)
        return replace(
            lessons, training_freq=self.every, capacity=self.capacity, learn_from=self.every
        )

    def solve(self, problem: Problem) -> Solution:
        """The solution of `problem`; `fit` calls this.

        Raises:
            InputError: States are numbered, or the decisions are not of this world.
        """
        data = problem.decisions
        if data.states.ndim == 1 or problem.given_mdp is not None:
            raise InputError(
                "SQIL reads what its simulator shows: leave mdp out, and give observations as "
                "states (those of forward.simulator_of(mdp) are numbers one-hot)"
            )
        check_world(data, self.simulator)
        course = Course.played(replace(self, seed=0), self.loop, self.simulator)
        shown = shown_in(data, problem.weights)
        keys = [jax.random.key(self.seed)]
        [training] = train(course, keys, shown, every=500, progress=problem.progress)
        taught = taught_in(course, training, _REMEDY)
        network = course.record(self.network or FullyConnected(), taught.learner.networks["q"])
        policy = NetworkPolicy(
            network, self.temperature, self.discount, absorbing_value=self.terminal_value
        )
        return Solution(
            solver="SQIL",
            settings=asdict(self) | {"simulator": self.simulator.description},
            policy=policy,
            reward_function=ReadOutReward(policy),
            status=taught.status,
            num_parameters=sum(array.size for array in network.arrays),
            trace=taught.trace,
        )

    @property
    def drawing(self) -> Drawing:
        """How transitions are drawn."""
        return Drawing(self.lessons.batch, self.discount, self.lessons.noise)

    def networks(self) -> dict[str, Part]:
        """The network Q and its slow copy."""
        build, slowly = (self.network or FullyConnected()).build, Target(share=self.follow)
        return {"q": Part(build, self.loss, self.lessons.optimiser, slowly)}

    def act(
        self,
        key: PRNGKeyArray,
        learner: Learner,
        observations: Float[Array, "n *shape"],
        allowed: Bool[Array, "n A"] | None,
        moves: Int[Array, ""] | None,
    ) -> Int[Array, " n"]:
        """Drawn by the policy at its temperature."""
        del moves
        q = existing(jax.vmap(learner.networks["q"])(observations), allowed)
        return jax.random.categorical(key, q / self.temperature).astype(jnp.int32)

    def loss(
        self, network: Any, learner: Learner, key: PRNGKeyArray, expert: Batch, own: Batch
    ) -> Float[Array, ""]:
        """Squared soft Bellman errors, of the expert's moves with reward 1, of own ones with 0."""
        del key

        def error(batch: Batch, reward: float) -> Float[Array, ""]:
            ahead = jax.vmap(learner.targets["q"])(batch.next_observations)
            v = state_value(existing(ahead, batch.next_allowed), "soft", self.temperature)
            v = jnp.where(batch.ended, self.terminal_value, v)
            made = taken(jax.vmap(network)(batch.observations), batch.actions)
            return jnp.mean((made - reward - self.discount * v) ** 2)

        return error(expert, 1.0) + self.own * error(own, 0.0) + self.lessons.penalty(network)
