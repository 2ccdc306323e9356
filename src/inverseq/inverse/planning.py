"""Soft plans: the values of a reward under maximum causal entropy, by Newton's method.

V = log sum_a exp(r(s, a) + gamma E V) is convex in V, and its Newton step is the exact evaluation of
the present soft policy (soft policy iteration): a handful of linear solves from any start, one or
two from the plan of a nearby reward. The factorisation of one plan is kept and serves its
neighbours until it stops paying.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from inverseq._core.linear import System, prepare
from inverseq._core.status import Outcome, Status
from inverseq.backup import action_values, soft_value
from inverseq.mdp import MDP
from inverseq.policies import boltzmann

_FAST_ENOUGH = 0.2
"""A kept factorisation that shrinks the residual by less than this is made anew."""

_CLOSE = 0.5
"""In nats: further away only true Newton steps are taken, which cannot overshoot."""


@dataclass(frozen=True, eq=False)
class Plan:
    """The soft optimum of a reward.

    Attributes:
        v: `[S]` soft values.
        q: `[S, A]` soft values of actions; meaningless where an action does not exist.
        policy: `[S, A]` the policy exp(q - v).
        status: How the computation ended; the residual is the largest |V - soft max Q|.
        prepared: Solver of (I - gamma P) x = b for P under this policy or one near it.
    """

    v: Float[np.ndarray, " S"]
    q: Float[np.ndarray, "S A"]
    policy: Float[np.ndarray, "S A"]
    status: Status
    prepared: System | None = None


def soft_plan(
    mdp: MDP,
    reward: Float[np.ndarray, "S A"],
    near: Plan | None = None,
    *,
    tolerance: float = 1e-11,
    max_steps: int = 60,
) -> Plan:
    """Values and policy of the entropy-regularised optimum (temperature 1) under `reward`.

    Q = r + gamma E V, V = log sum exp Q over the actions that exist; V of a terminal state is the
    soft maximum of its own reward.

    Args:
        mdp: The world; its own reward is not used.
        reward: `[S, A]`.
        near: A plan for a similar reward in the same world, to start from.
        tolerance: Largest residual accepted, relative to the largest value (or 1).
        max_steps: Steps at most.

    Returns:
        The plan. Its status is "diverged" where the discount is 1 and the reward is so high that
        wandering for ever is worth more than any end.
    """
    v = np.zeros(mdp.num_states) if near is None else near.v
    prepared = None if near is None else near.prepared
    before = np.inf
    outcome, message = Outcome.LIMIT, f"no soft optimum within {max_steps} Newton steps"
    residual, steps = np.inf, 0
    for steps in range(max_steps + 1):  # noqa: B007
        q = action_values(mdp, reward, v)
        change = soft_value(q, mdp.allowed) - v
        residual = float(np.abs(change).max())
        if residual <= tolerance * max(1.0, float(np.abs(v).max())):
            outcome, message = Outcome.CONVERGED, ""
            break
        if not residual < 1e12:
            outcome, message = Outcome.DIVERGED, "values are infinite; lower the discount"
            break
        if prepared is None or residual > min(_CLOSE, _FAST_ENOUGH * before):
            transitions = mdp.under_policy(boltzmann(q, mdp.allowed))
            prepared = prepare(transitions, mdp.discount)
        before = residual
        v = v + prepared.solve(change)[0]
    if outcome is Outcome.LIMIT and mdp.discount == 1:
        outcome, message = Outcome.DIVERGED, "values grow without end; make steps cost more"
    return Plan(
        v + change,
        q,
        boltzmann(q, mdp.allowed),
        Status(outcome, steps, residual, message),
        prepared,
    )


def solve_adjoint(
    mdp: MDP, plan: Plan, right: Float[np.ndarray, " S"], *, tolerance: float = 1e-11
) -> tuple[Float[np.ndarray, " S"], Plan]:
    """x with (I - gamma P)^T x = right for P under the plan's policy.

    The kept factorisation may belong to a neighbouring policy: iterative refinement removes the
    difference, and a new factorisation is made where that is slow.

    Returns:
        `[S]` x, and the plan with the factorisation that served.
    """
    transitions = mdp.under_policy(plan.policy)
    prepared = plan.prepared
    for attempt in range(2):
        if prepared is None or attempt:
            prepared = prepare(transitions, mdp.discount)
        x, _ = prepared.solve(right, transposed=True)
        for _ in range(12):
            rest = right - x + mdp.discount * (transitions.T @ x)
            if np.abs(rest).max() <= tolerance * max(1.0, np.abs(right).max()):
                return x, Plan(plan.v, plan.q, plan.policy, plan.status, prepared)
            x = x + prepared.solve(rest, transposed=True)[0]
    return x, Plan(plan.v, plan.q, plan.policy, plan.status, prepared)
