"""Constrained inverse Q-learning: what another wants, done without what is forbidden.

Kalweit, Huegle, Werling and Boedecker 2020. The reward is that of `IQL`, driven by the
unconstrained Q. Beside it a constrained Q is learned from the same transitions,

    Q^C(s, a) += alpha_C (r(s, a) + gamma max over safe b of Q^C(s', b) - Q^C(s, a)),

which foresees that only safe actions will follow. The policy chooses among the safe actions by Q^C.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.arrays import frozen_array, require_shape
from inverseq._core.errors import InputError
from inverseq.forward.planning import policy_iteration
from inverseq.forward.records import Plan
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.inverse.values.iql import IQL, check_step
from inverseq.inverse.values.iql_transitions import Transitions, observed_transitions
from inverseq.mdp import MDP
from inverseq.mdp.backup import action_values, hard_value
from inverseq.mdp.build import lists_of
from inverseq.policies import TabularPolicy, boltzmann, greedy

Behaviour = Literal["greedy", "boltzmann"]


@dataclass(frozen=True, eq=False)
class Constraint:
    """An action is safe where its cost is at most the bound, c(s, a) <= beta.

    Attributes:
        cost: `[S, A]` costs, or a function of (state, action) that gives one.
        bound: beta, in the units of the cost.
        name: For the report.
    """

    cost: Any
    bound: float = 0.0
    name: str = "constraint"

    def satisfied(self, shape: tuple[int, int]) -> Bool[np.ndarray, "S A"]:
        """`[S, A]` where the cost keeps to the bound.

        Raises:
            InputError: The costs have another shape, or one is NaN.
        """
        cost = self.cost
        if isinstance(cost, Callable):
            cost = [[cost(s, a) for a in range(shape[1])] for s in range(shape[0])]
        array = frozen_array(cost, np.float64, self.name)
        require_shape(array, shape, self.name, "S, A")
        if np.isnan(array).any():
            s, a = (int(i) for i in np.argwhere(np.isnan(array))[0])
            raise InputError(f"{self.name} gives no number for state {s}, action {a}")
        return array <= self.bound


@dataclass(frozen=True, eq=False)
class CIQL:
    """Constrained inverse Q-learning, from transitions in their observed order.

    In the solution, `reward` explains the observed behaviour, as in `IQL`; `q`, `v` and `policy`
    are the constrained ones. The policy is 0 at every forbidden action.
    `parameters["unconstrained_q"]` is the Q that goes with the reward, and `parameters["safe"]` the
    safe actions.

    Attributes:
        constraints: `[S, A]` bool, True where an action is safe; or a sequence of `Constraint`, all
            of which a safe action satisfies.
        learner: Settings of the inverse Q-learning below.
        constrained_step: alpha_C, in (0, 1]; it fades as the other steps do.
        behaviour: "greedy" takes the best safe action (the paper), "boltzmann" the safe actions in
            proportion to exp(Q^C).
    """

    constraints: Bool[np.ndarray, "S A"] | Sequence[Constraint]
    learner: IQL = field(default_factory=IQL)
    constrained_step: float = 1e-2
    behaviour: Behaviour = "greedy"

    def __post_init__(self) -> None:
        check_step("constrained_step", self.constrained_step)
        if self.behaviour not in ("greedy", "boltzmann"):
            raise InputError(f'behaviour must be "greedy" or "boltzmann"; got {self.behaviour!r}')

    def solve(self, problem: Problem) -> Solution:
        """The reward and the constrained policy of `problem`; `fit` calls this.

        Raises:
            InputError: As for `IQL`; or the constraints do not fit the world, or leave some state
                without a safe action.
        """
        transitions = observed_transitions(problem, self.learner.discount)
        mdp = transitions.mdp
        safe = self.safe_actions(mdp)
        if self.learner.method == "exact":
            free = self.learner.solve(problem)
            plan = exact_constrained_plan(transitions, _of(free.reward), safe)
            q, status = plan.q, plan.status if free.status.ok else free.status
        else:
            run = self.learner.sample(transitions, problem, safe, self.constrained_step)
            q, status = _of(run.safe_q), self.learner.status_of(run)
            free = self.learner.solution(transitions, run.reward, run.q, status, run.changes)
        policy = (greedy if self.behaviour == "greedy" else boltzmann)(q, safe)
        return replace(
            free,
            solver="CIQL",
            settings={
                "constraints": self._said(),
                "learner": asdict(self.learner),
                "constrained_step": self.constrained_step,
                "behaviour": self.behaviour,
                "discount": mdp.discount,
            },
            policy=TabularPolicy(policy),
            status=status,
            q=q,
            v=hard_value(q, safe),
            parameters={"unconstrained_q": _of(free.q), "safe": safe},
        )

    def safe_actions(self, mdp: MDP) -> Bool[np.ndarray, "S A"]:
        """`[S, A]` the actions that exist and that every constraint allows.

        Raises:
            InputError: The constraints do not fit the world, or some state has no safe action.
        """
        shape = (mdp.num_states, mdp.num_actions)
        safe = mdp.allowed
        if isinstance(self.constraints, np.ndarray):
            mask = frozen_array(self.constraints, bool, "constraints")
            require_shape(mask, shape, "constraints", "S, A")
            safe = safe & mask
        else:
            for constraint in self.constraints:
                safe = safe & constraint.satisfied(shape)
        stuck = ~safe.any(1)
        if stuck.any():
            s = int(np.argmax(stuck))
            name = f" ({mdp.state_names[s]})" if mdp.history is None and mdp.state_names else ""
            raise InputError(
                f"state {s}{name} has no safe action ({int(stuck.sum())} such states of "
                f"{shape[0]}). Allow one there, or raise a bound."
            )
        return frozen_array(safe, bool, "safe")

    def _said(self) -> list[dict[str, Any]] | str:
        """The constraints in words that a file can hold."""
        if isinstance(self.constraints, np.ndarray):
            return "a mask of safe actions"
        return [{"name": c.name, "bound": float(c.bound)} for c in self.constraints]


def constrained_plan(
    mdp: MDP, reward: Float[np.ndarray, "S A"], safe: Bool[np.ndarray, "S A"]
) -> Plan:
    """The best that safe actions can do: Q^C(s, a) = r(s, a) + gamma E[max over safe Q^C(s', .)].

    Args:
        mdp: The world.
        reward: `[S, A]`.
        safe: `[S, A]` safe actions, at least one in each state.

    Returns:
        Values, action values (of the forbidden actions too: taken once, then safe ones only) and
        the best safe policy.
    """
    plan = policy_iteration(replace(mdp, allowed=safe & mdp.allowed), reward)
    return replace(plan, q=action_values(mdp, reward, plan.values))


def exact_constrained_plan(
    transitions: Transitions, reward: Float[np.ndarray, "S A"], safe: Bool[np.ndarray, "S A"]
) -> Plan:
    """Where the sampled updates of Q^C stand still: planning in the observed shares.

    Pairs that were never seen are never updated and stay 0: here they lead to an end, for nothing.
    """
    mdp, seen = transitions.mdp, transitions.counts > 0
    states, actions = seen.shape
    shares = transitions.shares.tocoo()
    ending = np.clip(1 - np.asarray(transitions.shares.sum(1)).ravel(), 0, 1)
    cell = np.concatenate([shares.row, np.arange(ending.size)])
    following = np.concatenate([shares.col, np.full(ending.size, states)])
    weight = np.concatenate([shares.data, np.where(ending < 1e-12, 0.0, ending)])
    used = weight > 0
    cell, following, weight = cell[used], following[used], weight[used]
    shape = (states + 1, actions)
    observed = MDP(
        **lists_of(cell // actions, cell % actions, following, weight, shape),
        discount=mdp.discount,
        terminal=np.arange(states + 1) == states,
        allowed=np.concatenate([mdp.allowed, np.ones((1, actions), bool)]),
    )
    padded = np.concatenate([np.where(seen, reward, 0.0), np.zeros((1, actions))])
    may = np.concatenate([safe, np.ones((1, actions), bool)])
    plan = constrained_plan(observed, padded, may)
    q = np.where(mdp.allowed, plan.q[:states], 0.0)
    return replace(plan, values=plan.values[:states], q=q, policy=plan.policy[:states])


def _of(array: Float[np.ndarray, "S A"] | None) -> Float[np.ndarray, "S A"]:
    """An array that this solver always has."""
    if array is None:
        raise TypeError("inverse Q-learning returned no values")
    return array
