"""IQ-Learn: action values from demonstrations, and the reward that they imply.

Garg, Chakraborty, Cundy, Song and Ermon, "IQ-Learn: Inverse soft-Q Learning for Imitation" (NeurIPS
2021). The reward is written as r(s, a) = Q(s, a) - gamma V(s'), so that one loss in Q
(`inverse.deep.iq_objective`) is minimised and no reinforcement learning problem is solved on the
way. `IQLearn.study()` is Algorithm 2 of "Implementing Inverse Q-Learning" (Aubuchon and Ho 2023).
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Literal, get_args

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq._core.status import Status
from inverseq.inverse.deep.iq_actor import Actor, actor_rule, unseeded
from inverseq.inverse.deep.iq_objective import (
    Absorbing,
    Distance,
    Form,
    Numbers,
    Terms,
    Value,
    gradient_penalty,
    iq_loss,
    state_value,
)
from inverseq.inverse.deep.iq_table import table_loss
from inverseq.inverse.deep.network_fit import numbered, teach
from inverseq.inverse.deep.scaled import UNSCALED, Scale, scale_of
from inverseq.inverse.deep.table_fit import fit_table
from inverseq.inverse.planning import HardOptimum, SoftOptimum
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.mdp.backup import hard_value, soft_value
from inverseq.networks import FullyConnected, Network, Planner, TrainedNetwork
from inverseq.policies import TabularPolicy, boltzmann
from inverseq.policies.network import NetworkPolicy
from inverseq.rewards import StateActionReward
from inverseq.rewards.read_out import ReadOutReward
from inverseq.training.batch import Batch, Drawing, existing
from inverseq.training.lessons import Lessons
from inverseq.training.loop import Course
from inverseq.training.noise import noisy
from inverseq.training.rule import Learner, Part

_GRADIENT, _BOUND = 10.0, 10.0
"""Weights of the penalty on gradients, as in the paper's code, and on rewards beyond a bound."""


@dataclass(frozen=True)
class IQLearn:
    """Inverse soft Q-learning (IQ-Learn) for discrete actions, and with an actor for continuous.

    Numbered states in a world given as `mdp` are fitted all at once with exact expectations, and
    the solution holds arrays `[S, A]`; features are learned by a network in training steps (where
    it is fully connected and actions are numbered, brought to mean 0 and spread 1 first), and the
    solution's policy is a `NetworkPolicy`, or a `SquashedPolicy` where actions are continuous.

    Rewards and values of the solution are in units of `temperature`.

    Attributes:
        seed: Of the network and the order of transitions; a table needs none, and is the same for
            any. There is no default.
        network: Settings, for features; None is `FullyConnected()`.
        distance: Between the visits of expert and learner, see `iq_objective.phi`; "wasserstein" is
            a penalty on the gradient of Q, "least-squares" is LS-IQ (Al-Hafez and others 2023).
        form: Of the value term: "value-expert" (offline), "value" (rows of the learner too, online;
            offline there are none, and it is "value-expert") or "v0" (beginnings of games).
        value: V(s) is "soft", temperature * log sum exp(Q / temperature), or "hard", the largest.
        temperature: Of the policy and of the soft value, in the units of rewards.
        alpha: Strength of chi-square: rewards stay near or below 2 alpha. Of LS-IQ its c.
        discount: gamma, below 1; None takes the world's.
        penalised: Rows whose rewards chi-square penalises online: "expert" or "all". Offline there
            are only the expert's.
        absorbing: After the world has ended a game, V is r / (1 - gamma) with a "learned" reward r
            that is in the loss like any other, or "zero" as in the paper's code (which biases
            rewards: with 0 and rewards above 0 the end looks bad, see LS-IQ).
        reward_bound: Rewards beyond +-this are penalised by their squared excess; None for none.
        lessons: How a network learns.
        strength: For tables, weight of the Gaussian prior on Q / temperature, in decisions.
        num_actions: A, for features; None takes the largest action seen.
        actor: Where actions are continuous; None is `Actor()`.

    Raises:
        InputError: A name is not known or a number out of range.
    """

    seed: int
    network: Network | None = None
    distance: Distance = "chi-square"
    form: Form = "value-expert"
    value: Value = "soft"
    temperature: float = 0.1
    alpha: float = 0.5
    discount: float | None = None
    penalised: Literal["expert", "all"] = "expert"
    absorbing: Literal["learned", "zero"] = "learned"
    reward_bound: float | None = None
    lessons: Lessons = field(default_factory=Lessons)
    strength: float = 0.1
    num_actions: int | None = None
    actor: Actor | None = None

    def __post_init__(self) -> None:
        choices = {
            "distance": get_args(Distance),
            "form": get_args(Form),
            "value": get_args(Value),
            "penalised": ("expert", "all"),
            "absorbing": ("learned", "zero"),
        }
        for name, known in choices.items():
            if getattr(self, name) not in known:
                raise InputError(f"{name} must be one of {known}; got {getattr(self, name)!r}")
        for name in ("temperature", "alpha", "reward_bound"):
            number = getattr(self, name)
            if number is not None and not 0 < number < np.inf:
                raise InputError(f"{name} must be above 0; got {number}")
        if self.discount is not None and not 0 <= self.discount < 1:
            raise InputError(f"discount must be from 0 to below 1; got {self.discount}")
        if not 0 <= self.strength < np.inf:
            raise InputError(f"strength must be 0 or more decisions; got {self.strength}")

    @classmethod
    def study(cls, seed: int, steps: int = 20_000) -> "IQLearn":
        """Algorithm 2 with the settings of the 2023 study: V the largest Q, no divergence term.

        Args:
            seed: Of the network and the order of transitions.
            steps: Game steps of its budget, one training step in four: 20,000 on static walls,
                100,000 on random walls, 150,000 with a random win state.
        """
        return cls(
            seed,
            network=FullyConnected(),
            distance="total-variation",
            value="hard",
            temperature=0.01,
            discount=0.9,
            absorbing="zero",
            lessons=Lessons(steps // 4, 32, 1e-3, "constant", noise=0.1),
            num_actions=4,
        )

    @classmethod
    def best(cls, seed: int, steps: int = 1000) -> "IQLearn":
        """Our best on boards: a network that plans, soft values, chi-square."""
        return cls(
            seed,
            network=Planner(),
            temperature=0.1,
            alpha=2.0,
            discount=0.9,
            lessons=Lessons(steps, 32, 0.03),
            num_actions=4,
        )

    def solve(self, problem: Problem) -> Solution:
        """The solution of `problem`; `fit` calls this.

        Raises:
            InputError: The decisions cannot be learned from, or the discount is missing, 1, or not
                the world's.
        """
        if numbered(problem, self.network):
            return replace(self, discount=self.discount_of(problem.mdp)).tabulated(problem)
        settled = replace(self, discount=self.discount_of(None))
        acting = actor_rule(settled, problem.decisions)
        if acting is not None:
            components = len(acting.bounds)
            taught = teach(
                problem, unseeded(acting), self.lessons, self.seed, components=components
            )
            return acting.solution(taught.course, taught.learner, taught.status, taught.trace)
        scale = scale_of(problem, self.network or FullyConnected())
        seen = replace(problem, demonstrations=scale.applied(problem.decisions))
        taught = teach(seen, replace(settled, seed=0), self.lessons, self.seed, self.num_actions)
        return settled.solution(taught.course, taught.learner, taught.status, taught.trace, scale)

    def solution(
        self,
        course: Course,
        learner: Learner,
        status: Status,
        trace: Float[np.ndarray, " blocks"],
        scale: Scale = UNSCALED,
    ) -> Solution:
        """The solution of a training, on features in these units."""
        numbers = learner.networks["q"]
        network = course.record(self.network or FullyConnected(), scale.folded(numbers.module))
        policy = self.policy_of(network, float(numbers.absorbing))
        return Solution(
            solver="IQLearn",
            settings=asdict(self),
            policy=policy,
            reward_function=ReadOutReward(policy),
            status=status,
            num_parameters=sum(array.size for array in network.arrays),
            trace=trace,
        )

    def policy_of(self, network: TrainedNetwork, absorbing: float) -> NetworkPolicy:
        """The policy of a trained network, given the reward of steps after the end."""
        after = absorbing / (1 - self.gamma) if self.absorbing == "learned" else 0.0
        return NetworkPolicy(network, self.temperature, self.gamma, self.value, after)

    @property
    def online(self) -> bool:
        """Whether the loss has a use for transitions of the learner itself."""
        return (
            self.form == "value"
            or self.penalised == "all"
            or self.distance in ("wasserstein", "least-squares")
        )

    @property
    def gamma(self) -> float:
        """The discount, where it is known."""
        return 0.0 if self.discount is None else self.discount

    def discount_of(self, mdp: MDP | None) -> float:
        """gamma, which a world may know.

        Raises:
            InputError: It is missing, 1, or not the world's.
        """
        if mdp is None and self.discount is None:
            raise InputError(
                "without a world the discount is not known: give IQLearn(discount=0.9)"
            )
        if mdp is None or self.discount == mdp.discount:
            return float(self.gamma)
        if self.discount is not None:
            raise InputError(
                f"discount={self.discount:g} contradicts the world's {mdp.discount:g}; leave it "
                "out, or change the world with dataclasses.replace(mdp, discount=...)"
            )
        if mdp.discount >= 1:
            raise InputError(
                "IQ-Learn needs a discount below 1: what lasts for ever is worth r / (1 - "
                "discount). Use dataclasses.replace(mdp, discount=0.99)"
            )
        return mdp.discount

    @property
    def drawing(self) -> Drawing:
        """How transitions are drawn."""
        lessons = self.lessons
        return Drawing(lessons.batch, self.gamma, lessons.noise, own=self.online)

    def networks(self) -> dict[str, Part]:
        """The network Q with the absorbing reward."""
        build = (self.network or FullyConnected()).build
        begin = lambda *given: Numbers(build(*given), jnp.float32(0))  # noqa: E731
        return {"q": Part(begin, self.loss, self.lessons.optimiser)}

    def act(
        self,
        key: PRNGKeyArray,
        learner: Learner,
        observations: Float[Array, "n *shape"],
        allowed: Bool[Array, "n A"] | None,
        moves: Int[Array, ""] | None,
    ) -> Int[Array, " n"]:
        """Drawn by the policy at its temperature, while it learns and while it is tested."""
        for_noise, for_draw = jax.random.split(key)
        seen = noisy(for_noise, observations, self.lessons.noise)
        q = existing(jax.vmap(learner.networks["q"].module)(seen), allowed)
        return jax.random.categorical(for_draw, q / self.temperature).astype(jnp.int32)

    def loss(
        self,
        numbers: Numbers,
        learner: Learner,
        key: PRNGKeyArray,
        expert: Batch,
        own: Batch | None,
    ) -> Float[Array, ""]:
        """The loss of a batch of transitions, offline where `own` is None."""
        after = self.after(numbers)
        parts = [expert.observations, expert.next_observations]
        parts += [] if own is None else [own.observations, own.next_observations]
        parts += [] if self.form != "v0" or expert.starts is None else [expert.starts]
        # One pass through the network for all of them.
        every = jax.vmap(numbers.module)(jnp.concatenate(parts))
        q = jnp.split(every, np.cumsum([len(part) for part in parts])[:-1])
        seen = self.terms(q[0], q[1], expert, after)
        mine = None if own is None else self.terms(q[2], q[3], own, after)
        starts = None
        if self.form == "v0":
            starts = state_value(
                existing(q[-1], expert.starts_allowed), self.value, self.temperature
            )
        ends = expert.ended, None if own is None else own.ended
        total = self.combined(numbers, seen, mine, starts, ends)
        if self.distance == "wasserstein":
            other = jnp.roll(expert.observations, 1, axis=0) if own is None else own.observations
            total += _GRADIENT * gradient_penalty(
                numbers.module, key, expert.observations, other, expert.actions
            )
        return total

    def after(self, numbers: Numbers) -> Float[Array, ""]:
        """V after the world has ended a game."""
        lasting = numbers.absorbing / (1 - self.gamma)
        return lasting if self.absorbing == "learned" else jnp.float32(0)

    def combined(
        self,
        numbers: Numbers,
        seen: Terms,
        mine: Terms | None,
        starts: Float[Array, " m"] | None,
        ends: Sequence[Bool[Array, " n"] | None],
    ) -> Float[Array, ""]:
        """The loss of what two batches give (and of values of beginnings), and all penalties;
        `ends` are which of their rows the world ended.
        """
        rows = None
        if self.absorbing == "learned":
            lasting = self.gamma / (1 - self.gamma)
            shares = [0.0 if ended is None else jnp.mean(ended) * lasting for ended in ends]
            rows = Absorbing(numbers.absorbing, *shares)
        total = iq_loss(
            seen,
            mine,
            starts,
            distance=self.distance,
            form=self.form,
            alpha=self.alpha,
            discount=self.gamma,
            penalised=self.penalised,
            absorbing=rows,
        )
        if self.reward_bound is not None:
            rewards = jnp.concatenate([t.reward for t in (seen, mine) if t is not None])
            beyond = jnp.maximum(jnp.abs(rewards) - self.reward_bound, 0.0)
            total += _BOUND * jnp.mean(beyond**2)
        return total + self.lessons.penalty(numbers)

    def terms(
        self, q: Float[Array, "n A"], following: Float[Array, "n A"], batch: Batch, after: Array
    ) -> Terms:
        """Q(s, a), V(s) and gamma V(s') of a batch whose action values these are."""
        chosen = jnp.take_along_axis(q, batch.actions[:, None], axis=1)[:, 0]
        q, following = existing(q, batch.allowed), existing(following, batch.next_allowed)
        ahead = state_value(following, self.value, self.temperature)
        ahead = self.gamma * jnp.where(batch.ended, after, ahead)
        return Terms(chosen, state_value(q, self.value, self.temperature), ahead)

    def tabulated(self, problem: Problem) -> Solution:
        """Numbered states in a known world, fitted all at once."""
        if self.distance == "wasserstein":
            raise InputError(
                'numbered states have no distances between them, so "wasserstein" has no meaning: '
                "take another distance, or give a network"
            )
        mdp, counts = problem.mdp, problem.counts.state_action
        heat, how = self.temperature, {"value": self.value, "absorbing": self.absorbing}
        loss = partial(
            table_loss,
            distance=self.distance,
            form=self.form,
            temperature=heat,
            alpha=self.alpha,
            discount=self.gamma,
            **how,
        )
        q, status, trace = fit_table(
            lambda scaled, table: loss(heat * scaled, table) / heat,
            mdp,
            counts,
            strength=self.strength,
            progress=problem.progress,
        )
        v = (hard_value if self.value == "hard" else soft_value)(q, mdp.allowed)
        reached = np.where(mdp.terminal & (self.absorbing == "zero"), 0.0, v)
        reward = q - self.gamma * mdp.expected(reached)
        return Solution(
            solver="IQLearn",
            settings=asdict(self),
            policy=TabularPolicy(boltzmann(q, mdp.allowed)),
            status=status,
            mdp=mdp,
            reward_function=StateActionReward(np.where(mdp.allowed, reward, 0.0)),
            planning=HardOptimum() if self.value == "hard" else SoftOptimum(),
            q=q,
            v=v,
            visits=counts.sum(1),
            num_parameters=int(mdp.allowed[counts.sum(1) > 0].sum()),
            trace=trace,
        )
