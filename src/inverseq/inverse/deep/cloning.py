"""Behaviour cloning: a classifier of the demonstrated actions, the yardstick of imitation.

Pomerleau (1989). It knows nothing of what follows an action: what IQ-Learn gains over it with the
same network and data is what the transitions add.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from inverseq._core.errors import InputError
from inverseq.inverse.deep.calibrate import kept_apart
from inverseq.inverse.deep.learning import nats
from inverseq.inverse.deep.network_fit import numbered, teach
from inverseq.inverse.deep.scaled import scale_of
from inverseq.inverse.deep.table_fit import Table, fit_table
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.mdp.backup import soft_value
from inverseq.networks import FullyConnected, Network, Planner
from inverseq.policies import TabularPolicy, boltzmann
from inverseq.policies.network import NetworkPolicy
from inverseq.training.batch import Batch, Drawing
from inverseq.training.lessons import Lessons
from inverseq.training.rule import Learner, Part


@dataclass(frozen=True)
class BehaviourCloning:
    """The policy softmax(Q) that makes the demonstrated actions most likely; it has no reward.

    Numbered states in a world given as `mdp` are fitted as a table, features by a network; where it
    is fully connected and reads them as numbers, they are brought to mean 0 and spread 1 first.

    Attributes:
        seed: Of the network and the order of transitions; a table needs none, and is the same for
            any. There is no default.
        network: Settings, for features; None is `FullyConnected()`.
        lessons: How a network learns; its `decay` is the L2 penalty.
        held_out: Share of the decisions, as in `DIQL`, that are not learned from; the network is
            taken as it was when they were likeliest. 0 learns from all, to the end.
        strength: For tables, weight of the Gaussian prior on Q, in decisions.
        num_actions: A, for features; None takes the largest action seen.

    Raises:
        InputError: A number is out of range.
    """

    seed: int
    network: Network | None = None
    lessons: Lessons = field(default_factory=Lessons)
    held_out: float = 0.0
    strength: float = 0.1
    num_actions: int | None = None
    describes_only = True

    def __post_init__(self) -> None:
        if not 0 <= self.held_out < 1:
            raise InputError(f"held_out must be a share from 0 to below 1; got {self.held_out}")
        if not 0 <= self.strength < np.inf:
            raise InputError(f"strength must be 0 or more decisions; got {self.strength}")

    @classmethod
    def best(cls, seed: int, steps: int = 1000) -> "BehaviourCloning":
        """The network and lessons of `IQLearn.best`, to be set beside it."""
        return cls(seed, network=Planner(), lessons=Lessons(steps, 32, 0.03), num_actions=4)

    def solve(self, problem: Problem) -> Solution:
        """The solution of `problem`; `fit` calls this.

        Raises:
            InputError: The decisions cannot be learned from.
        """
        if numbered(problem, self.network):
            return self.tabulated(problem)
        settings, data = self.network or FullyConnected(), problem.decisions
        scale = scale_of(problem, settings)
        learned, judged = kept_apart(problem, self.held_out)
        seen = replace(problem, demonstrations=scale.applied(data), weights=learned)
        # Without the seed, so that several seeds share one compiled program.
        rule = replace(self, seed=0, held_out=0.0 if np.isnan(judged).all() else self.held_out)
        taught = teach(seen, rule, self.lessons, self.seed, self.num_actions, judged=judged)
        network = taught.course.record(settings, scale.folded(taught.learner.kept("q")))
        return Solution(
            solver="BehaviourCloning",
            settings=asdict(self),
            policy=NetworkPolicy(network, 1.0),
            status=taught.status,
            num_parameters=sum(array.size for array in network.arrays),
            trace=taught.trace,
        )

    @property
    def drawing(self) -> Drawing:
        """How decisions are drawn."""
        return Drawing(self.lessons.batch, 0.0, self.lessons.noise)

    def networks(self) -> dict[str, Part]:
        """The classifier."""
        build = (self.network or FullyConnected()).build
        judge = nats if self.held_out else None
        return {"q": Part(build, self.loss, self.lessons.optimiser, nats=judge)}

    def loss(
        self, network: Any, learner: Learner, key: PRNGKeyArray, expert: Batch, own: Batch | None
    ) -> Float[Array, ""]:
        """Mean negative log-likelihood of a batch of actions, in nats."""
        del learner, key, own  # of no meaning here
        return jnp.mean(nats(network, expert)) + self.lessons.penalty(network)

    def log_prior(self, solution: Solution) -> float:
        """Logarithm of the prior of a solution, up to a constant; networks have none."""
        return 0.0 if solution.q is None else -0.5 * self.strength * float((solution.q**2).sum())

    def tabulated(self, problem: Problem) -> Solution:
        """Numbered states in a known world, fitted all at once."""
        mdp, counts = problem.mdp, problem.counts.state_action
        q, status, trace = fit_table(
            cloning_table_loss, mdp, counts, strength=self.strength, progress=problem.progress
        )
        return Solution(
            solver="BehaviourCloning",
            settings=asdict(self),
            policy=TabularPolicy(boltzmann(q, mdp.allowed)),
            status=status,
            mdp=mdp,
            q=q,
            v=soft_value(q, mdp.allowed),
            visits=counts.sum(1),
            num_parameters=int((mdp.allowed.sum(1) - 1)[counts.sum(1) > 0].sum()),
            trace=trace,
        )


def cloning_table_loss(q: Float[Array, "S A"], table: Table) -> Float[Array, ""]:
    """Negative log-likelihood of all counted actions, in nats."""
    v = jax.nn.logsumexp(jnp.where(table.allowed, q, -jnp.inf), axis=1)
    return jnp.sum(table.counts * (v[:, None] - q))
