"""What fits ask of soft optima: those of many similar rewards, and the adjoint of one."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.linear import System, prepare
from inverseq.forward.soft import SoftPlan, soft_plan
from inverseq.mdp import MDP
from inverseq.mdp.backup import action_values, soft_value

_FAST_ENOUGH = 0.2
"""A kept factorisation that shrinks what is missing by less than this is made anew."""

_SHARED_STEPS = 30
"""Steps with one factorisation for many rewards, before each gets its own."""


def system_of(mdp: MDP, plan: SoftPlan) -> System:
    """The factorisation that a plan kept, which may be that of a neighbour, or one made now."""
    return plan.system or prepare(mdp.under_policy(plan.policy), mdp.discount)


def factored(mdp: MDP, plan: SoftPlan) -> SoftPlan:
    """The plan with the factorisation of its own policy."""
    return replace(plan, system=prepare(mdp.under_policy(plan.policy), mdp.discount))


def soft_plans(
    mdp: MDP,
    rewards: Float[np.ndarray, "S A R"],
    near: SoftPlan,
    *,
    start: Float[np.ndarray, "S R"] | None = None,
    tolerance: float = 1e-10,
) -> tuple[Float[np.ndarray, "S R"], Bool[np.ndarray, " R"]]:
    """Soft values of R rewards that differ little.

    All are solved at once with the factorisation of `near`; those that this does not bring home
    are planned one by one.

    Args:
        mdp: The world.
        rewards: `[S, A, R]`.
        near: The plan of their middle.
        start: `[S, R]` values to start from; those of `near` where left out.
        tolerance: Largest residual accepted, relative to the largest value (or 1).

    Returns:
        Values, and which of them could be found; where values have no bound they mean nothing.
    """
    v = np.repeat(near.v[:, None], rewards.shape[2], axis=1) if start is None else start.copy()
    system = system_of(mdp, near)
    goal = tolerance * max(1.0, float(np.abs(near.v).max()))
    residual = np.full(rewards.shape[2], np.inf)
    left = np.arange(rewards.shape[2])
    for _ in range(_SHARED_STEPS):
        change = soft_value(action_values(mdp, rewards[..., left], v[:, left]), mdp.allowed)
        change -= v[:, left]
        before, residual[left] = residual[left], np.abs(change).max(axis=0)
        useful = (residual[left] > goal) & (residual[left] < before)
        left = left[useful]
        if left.size == 0:
            break
        v[:, left] += system.correction(change[:, useful])
    found = residual <= goal
    for r in np.flatnonzero(~found):
        plan = soft_plan(mdp, rewards[:, :, r], near)
        v[:, r], found[r] = plan.v, plan.status.ok
    return v, found


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
            x = x + plan.system.correction(rest, transposed=True)
            rest = right - x + mdp.discount * (transitions.T @ x)
        if np.abs(rest).max() <= goal:
            return x, plan
    system = prepare(transitions, mdp.discount)
    return system.solve(right, transposed=True)[0], replace(plan, system=system)


def solve_adjoints(
    mdp: MDP,
    policies: Float[np.ndarray, "S A R"],
    right: Float[np.ndarray, "S R"],
    near: SoftPlan,
    *,
    tolerance: float = 1e-11,
) -> Float[np.ndarray, "S R"]:
    """Solve (I - gamma P)' x = right for P under each of R policies that differ little.

    All are refined at once with the factorisation of `near`; what this does not bring home is
    solved one by one.
    """
    system = system_of(mdp, near)
    turned = mdp.transition_matrix.T
    goal = tolerance * np.maximum(1.0, np.abs(right).max(axis=0))
    x, rest = np.zeros_like(right), right.copy()
    size, left = np.full(right.shape[1], np.inf), np.arange(right.shape[1])
    for _ in range(_SHARED_STEPS):
        before, size[left] = size[left], np.abs(rest).max(axis=0)
        useful = (size[left] > goal[left]) & (size[left] < before)
        left = left[useful]
        if left.size == 0:
            break
        x[:, left] += system.correction(rest[:, useful], transposed=True)
        taken = policies[:, :, left] * x[:, None, left]
        rest = right[:, left] - x[:, left]
        rest += mdp.discount * (turned @ taken.reshape(-1, left.size))
    for r in np.flatnonzero(~(size <= goal)):
        own = prepare(mdp.under_policy(policies[:, :, r]), mdp.discount)
        x[:, r] = own.solve(right[:, r], transposed=True)[0]
    return x
