"""Deep constrained inverse Q-learning: what another wants, done without what is forbidden.

Kalweit, Huegle, Werling and Boedecker 2020. The reward is that of `DIQL`, driven by the
unconstrained values. Beside it a constrained Q is learned from the same transitions,

    Q^C(s, a) <- r(s, a) + gamma max over safe b of Q^C(s', b),

which foresees that only safe actions will follow; the policy takes the best safe action by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PRNGKeyArray, Shaped

from inverseq._core.errors import InputError
from inverseq.demonstrations.existing import existing
from inverseq.inverse.deep.diql import DIQL
from inverseq.inverse.deep.learning import Seen, log_probabilities, taken
from inverseq.inverse.deep.network_fit import Taught
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.ciql import Constraint
from inverseq.policies.network import NetworkPolicy
from inverseq.policies.safe import SafePolicy, Safety, safe_at
from inverseq.training.batch import Batch, Drawing
from inverseq.training.rule import Learner, Part, Rule, Target

_TOGETHER = 4096
"""Observations that a constraint is asked for at a time, before training."""


@dataclass(frozen=True, eq=False)
class Bounded:
    """Safe where every cost keeps to its bound: c_i(s, a) <= beta_i.

    Attributes:
        constraints: Each `cost(observations [N, ...]) -> [N, A]`.
    """

    constraints: tuple[Constraint, ...]

    def __call__(self, observations: Shaped[np.ndarray, "N *shape"]) -> Bool[np.ndarray, "N A"]:
        """`[N, A]` which actions are safe.

        Raises:
            InputError: A cost is no number.
        """
        safe = []
        for constraint in self.constraints:
            cost = np.asarray(constraint.cost(observations), dtype=np.float64)
            if np.isnan(cost).any():
                first = np.argwhere(np.isnan(cost))[0]
                raise InputError(
                    f"{constraint.name} gives no number at the observation "
                    f"{np.array2string(observations[first[0]], precision=4, threshold=30)}"
                )
            safe.append(cost <= constraint.bound)
        return np.logical_and.reduce(safe)


@dataclass(frozen=True, eq=False)
class DCIQL:
    """Deep constrained inverse Q-learning, offline, from features and numbered actions.

    In the solution `reward_function` explains the observed behaviour, as that of `DIQL`; the policy
    is the constrained one (a `SafePolicy`), 0 at every forbidden action.

    Attributes:
        constraints: A function of observations `[N, ...]` that gives `[N, A]` bool, the safe
            actions; or `Constraint`s whose costs are functions of observations that give `[N, A]`
            numbers.
        learner: Settings of the inverse Q-learning below.
        behaviour: "greedy" takes the best safe action (the paper), "boltzmann" the safe actions in
            proportion to exp(Q^C).

    Raises:
        InputError: There is no constraint, or no such behaviour.
    """

    constraints: Safety | Sequence[Constraint]
    learner: DIQL
    behaviour: Literal["greedy", "boltzmann"] = "greedy"

    def __post_init__(self) -> None:
        if self.behaviour not in ("greedy", "boltzmann"):
            raise InputError(f'behaviour must be "greedy" or "boltzmann"; got {self.behaviour!r}')
        if not callable(self.constraints):
            known = len(self.constraints) > 0
            if not known or not all(callable(c.cost) for c in self.constraints):
                raise InputError(
                    "give a function of observations that says which actions are safe, or "
                    "Constraints whose cost is such a function; without any, fit DIQL"
                )

    @property
    def safety(self) -> Safety:
        """Which actions are safe, as one function of observations."""
        given = self.constraints
        return given if callable(given) else Bounded(tuple(given))

    def solve(self, problem: Problem) -> Solution:
        """The reward and the constrained policy of `problem`; `fit` calls this.

        Raises:
            InputError: As for `DIQL`; or no action is safe at an observation.
        """
        return self.solution(*self.learner.taught(problem, *self.rule(problem)))

    def with_seed(self, seed: int) -> "DCIQL":
        """The same with another seed."""
        return replace(self, learner=self.learner.with_seed(seed))

    def rule(self, problem: Problem) -> tuple[Rule, Bool[np.ndarray, "N A"]]:
        """How it learns, and `[N, A]` what is safe where each decision led.

        Raises:
            InputError: No action is safe at an observation.
        """
        learner, data = self.learner, problem.decisions
        wanted = learner.num_actions or data.num_actions
        exist, there = existing(data, wanted), data.next_allowed
        known = data.next_known & ~data.terminated
        next_safe = np.ones((data.num_decisions, wanted), dtype=bool)
        # So many at a time, so that images are not all held again.
        for first in range(0, data.num_decisions, _TOGETHER):
            block = slice(first, first + _TOGETHER)
            safe_at(self.safety, data.states[block], exist[block])
            rows = first + np.flatnonzero(known[block])
            if rows.size:
                exists = next_safe[rows] if there is None else there[rows]
                following = data.following.of(data.states, rows)
                next_safe[rows] = safe_at(self.safety, following, exists)
        return _Constrained(learner.ready(problem)), next_safe

    def solution(self, taught: Taught, seen: Seen) -> Solution:
        """The solution of a training."""
        learner = self.learner
        free = learner.solution(taught, seen)
        values, heat = learner.record(taught, seen.scale, "safe"), free.parameters["temperature"]
        return replace(
            free,
            solver="DCIQL",
            settings={
                **free.settings,
                "constraints": self._said(),
                "behaviour": self.behaviour,
            },
            policy=SafePolicy(NetworkPolicy(values, float(heat)), self.safety, self.behaviour),
        )

    def _said(self) -> list[dict[str, Any]] | str:
        """The constraints in words that a file can hold."""
        if callable(self.constraints):
            return "a function of the observation"
        return [{"name": c.name, "bound": float(c.bound)} for c in self.constraints]


@dataclass(frozen=True)
class _Constrained:
    """The rule of `DIQL` with the constrained Q beside it."""

    learner: DIQL

    @property
    def drawing(self) -> Drawing:
        """How transitions are drawn."""
        return self.learner.drawing

    def networks(self) -> dict[str, Part]:
        """Those of inverse Q-learning, and Q^C."""
        below = self.learner
        slowly = Target(share=below.follow)
        constrained = Part(below.settings.build, self.loss, below.lessons.optimiser, slowly)
        return below.networks() | {"safe": constrained}

    def loss(
        self, network: Any, learner: Learner, key: PRNGKeyArray, expert: Batch, own: Batch | None
    ) -> Float[Array, ""]:
        """Squared distance of Q^C(s, a) from r(s, a) + gamma max over safe b of Q^C(s', b)."""
        del key, own
        below = self.learner
        reward = jax.vmap(learner.networks["reward"])(expert.observations)
        seen, mask = expert.next_observations, expert.next_allowed
        spoken = below.supported(log_probabilities(learner.kept("policy"), seen, mask))
        safe = expert.next_safe
        assert safe is not None  # the solver sees to it
        # Of the safe actions those that the data speak of; all, where they speak of none.
        among = jnp.where((safe & spoken).any(axis=1, keepdims=True), safe & spoken, safe)
        q = jnp.where(among, jax.vmap(learner.targets["safe"])(seen), -jnp.inf)
        v = jnp.where(expert.ended, below.terminal_value, q.max(axis=1))
        wanted = taken(reward, expert.actions) + below.discount * v
        made = jax.vmap(network)(expert.observations)
        return jnp.mean((taken(made, expert.actions) - wanted) ** 2) + below.lessons.penalty(
            network
        )
