"""Soft optima of many similar rewards: Newton's method from one to the next.

`forward.soft_policy_iteration` solves one reward from nothing. A fit, a bootstrap or a
cross-validation asks for hundreds that differ little: here each starts from the values of one
nearby, and the factorisation made for that one serves as long as it shrinks the error well.
"""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq._core.linear import System, prepare
from inverseq._core.status import Outcome, Status
from inverseq.backup import action_values, soft_value
from inverseq.mdp import MDP
from inverseq.policies import boltzmann

_FAST_ENOUGH = 0.2
"""A kept factorisation that shrinks the residual by less than this is made anew."""

_CLOSE = 0.5
"""In nats: further away only true Newton steps are taken, which cannot overshoot."""

_SHARED_STEPS = 30
"""Steps with one factorisation for many rewards, before each gets its own."""

_ROUNDED = 100.0
"""So much more than the tolerance is accepted where rounding allows no less."""

_INFINITE = 1e9
"""Values above this, in nats, are taken to have no bound."""


@dataclass(frozen=True, eq=False)
class SoftPlan:
    """The soft optimum of a reward at temperature 1.

    Attributes:
        v: `[S]` soft values.
        q: `[S, A]` soft values of actions; without meaning where an action does not exist.
        policy: `[S, A]` exp(q - v).
        status: How the computation ended; the residual is the largest |V - log sum exp Q|.
        system: (I - gamma P), factored, for P under this policy or one nearby; None before the
            first step.
    """

    v: Float[np.ndarray, " S"]
    q: Float[np.ndarray, "S A"]
    policy: Float[np.ndarray, "S A"]
    status: Status
    system: System | None = None


def soft_plan(
    mdp: MDP,
    reward: Float[np.ndarray, "S A"],
    near: SoftPlan | None = None,
    *,
    tolerance: float = 1e-13,
    max_steps: int = 60,
) -> SoftPlan:
    """Values and policy of the soft optimum: Q = r + gamma E V, V = log sum exp Q.

    Args:
        mdp: The world; its own reward is not used.
        reward: `[S, A]`, received also in terminal states.
        near: The plan of a similar reward in the same world, to start from.
        tolerance: Largest residual accepted, relative to the largest value (or 1).
        max_steps: Linear solves at most.

    Returns:
        The plan. Its status is "diverged" where the discount is 1 and wandering for ever is worth
        more than any end.
    """
    v = np.zeros(mdp.num_states) if near is None else near.v
    system = None if near is None else near.system
    before = np.inf
    steps = 0
    while True:
        q = action_values(mdp, reward, v)
        change = soft_value(q, mdp.allowed) - v
        residual = float(np.abs(change).max())
        size = float(np.abs(v).max())
        # Near the limit of rounding, residuals stop shrinking.
        slack = 1.0 if residual < 0.5 * before else _ROUNDED
        outcome = _outcome(residual, size, slack * tolerance)
        if outcome is not Outcome.LIMIT or steps == max_steps:
            break
        if system is None or residual > min(_CLOSE, _FAST_ENOUGH * before):
            system = prepare(mdp.under_policy(boltzmann(q, mdp.allowed)), mdp.discount)
        before = residual
        v = v + _solved(system, change)
        steps += 1
    if outcome is not Outcome.CONVERGED and near is not None:
        return soft_plan(mdp, reward, tolerance=tolerance, max_steps=max_steps)
    if outcome is Outcome.LIMIT and mdp.discount == 1:
        outcome = Outcome.DIVERGED
    status = Status(outcome, steps, residual, _MESSAGES[outcome])
    return SoftPlan(v, q, boltzmann(np.nan_to_num(q), mdp.allowed), status, system)


def soft_plans(
    mdp: MDP, rewards: Float[np.ndarray, "S A R"], near: SoftPlan, *, tolerance: float = 1e-10
) -> tuple[Float[np.ndarray, "S R"], Float[np.ndarray, "S A R"]]:
    """Soft values and policies of R rewards that differ little.

    All are solved at once with the factorisation of `near`; those that this does not bring home
    are planned one by one.

    Args:
        mdp: The world.
        rewards: `[S, A, R]`.
        near: The plan of their middle.
        tolerance: Largest residual accepted, relative to the largest value (or 1).
    """
    v = np.repeat(near.v[:, None], rewards.shape[2], axis=1)
    system = near.system or prepare(mdp.under_policy(near.policy), mdp.discount)
    goal = tolerance * max(1.0, float(np.abs(near.v).max()))
    residual = np.full(rewards.shape[2], np.inf)
    for _ in range(_SHARED_STEPS):
        change = soft_value(action_values(mdp, rewards, v), mdp.allowed) - v
        before, residual = residual, np.abs(change).max(axis=0)
        useful = (residual > goal) & (residual < before)
        if not useful.any():
            break
        v[:, useful] += system.solve(change[:, useful])[0]
    for r in np.flatnonzero(~(residual <= goal)):
        plan = soft_plan(mdp, rewards[:, :, r], near)
        if not plan.status.ok:
            raise InputError(f"replicate {r + 1} could not be planned: {plan.status.message}")
        v[:, r] = plan.v
    return v, boltzmann(action_values(mdp, rewards, v), mdp.allowed)


_MESSAGES = {
    Outcome.CONVERGED: "",
    Outcome.LIMIT: "no soft optimum within the allowed steps; lower the discount",
    Outcome.DIVERGED: "values grow without end; lower the discount or make every step cost more",
}


def _solved(system: System, right: Float[np.ndarray, " S"]) -> Float[np.ndarray, " S"]:
    """The solution, or NaN: at discount 1 a policy may be one that cannot be told from endless."""
    try:
        return system.solve(right)[0]
    except InputError:
        return np.full_like(right, np.nan)


def _outcome(residual: float, size: float, tolerance: float) -> Outcome:
    """How it would end with this residual of values of this size."""
    if not max(residual, size) < _INFINITE:
        return Outcome.DIVERGED
    return Outcome.CONVERGED if residual <= tolerance * max(1.0, size) else Outcome.LIMIT


def solve_adjoint(
    mdp: MDP, plan: SoftPlan, right: Float[np.ndarray, " S"], *, tolerance: float = 1e-11
) -> tuple[Float[np.ndarray, " S"], SoftPlan]:
    """Solve (I - gamma P)' x = right for P under the plan's own policy.

    The kept factorisation may belong to a neighbouring policy: iterative refinement removes the
    difference, and where that is slow a new factorisation is made.

    Returns:
        `[S]` x, and the plan with the factorisation that served.
    """
    transitions = mdp.under_policy(plan.policy)
    goal = tolerance * max(1.0, float(np.abs(right).max()))
    x = np.zeros_like(right)
    if plan.system is not None:
        rest, before = right, np.inf
        while goal < np.abs(rest).max() < _FAST_ENOUGH * before:
            before = float(np.abs(rest).max())
            x = x + plan.system.solve(rest, transposed=True)[0]
            rest = right - x + mdp.discount * (transitions.T @ x)
        if np.abs(rest).max() <= goal:
            return x, plan
    system = prepare(transitions, mdp.discount)
    return system.solve(right, transposed=True)[0], replace(plan, system=system)
