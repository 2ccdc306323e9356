"""What fits ask of soft optima: those of many similar rewards, and the adjoint of one."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq._core.linear import prepare
from inverseq.forward.soft import SoftPlan, soft_plan
from inverseq.mdp import MDP
from inverseq.mdp.backup import action_values, soft_value

_FAST_ENOUGH = 0.2
"""A kept factorisation that shrinks what is missing by less than this is made anew."""

_SHARED_STEPS = 30
"""Steps with one factorisation for many rewards, before each gets its own."""


def soft_plans(
    mdp: MDP, rewards: Float[np.ndarray, "S A R"], near: SoftPlan, *, tolerance: float = 1e-10
) -> Float[np.ndarray, "S R"]:
    """Soft values of R rewards that differ little.

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
    return v


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
