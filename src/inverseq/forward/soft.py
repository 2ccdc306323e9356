"""The soft optimum by Newton's method, from nothing or from the plan of a similar reward.

The soft backup is convex, and its derivative is gamma times the transitions under its own Boltzmann
policy. So V + (I - gamma P)^-1 (backup(V) - V) is the value, entropy included, of that policy; a
handful of steps reaches machine precision at any discount below 1. A fit, a bootstrap or a
cross-validation asks for hundreds of optima that differ little: each starts from the values of one
nearby, and the factorisation made for that one serves as long as it shrinks the error well.
"""

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq._core.linear import System, prepare
from inverseq._core.status import Outcome, Status
from inverseq.mdp import MDP
from inverseq.mdp.backup import action_values, soft_value
from inverseq.policies import boltzmann

_FAST_ENOUGH = 0.2
"""A kept factorisation that shrinks the residual by less than this is made anew."""

_CLOSE = 0.5
"""In nats: further away only true Newton steps are taken, which cannot overshoot."""

_ROUNDED = 100.0
"""So much more than the tolerance is accepted where rounding allows no less."""

_INFINITE = 1e9
"""Values this many times the reward (or a nat) are taken to have no bound."""


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
        trace: `[steps]` largest change of a value at each step.
    """

    v: Float[np.ndarray, " S"]
    q: Float[np.ndarray, "S A"]
    policy: Float[np.ndarray, "S A"]
    status: Status
    system: System | None = None
    trace: Float[np.ndarray, " steps"] = field(default_factory=lambda: np.zeros(0))


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
    bound = _INFINITE * max(1.0, float(np.abs(reward).max()))
    before = np.inf
    trace: list[float] = []
    while True:
        q = action_values(mdp, reward, v)
        missing = soft_value(q, mdp.allowed) - v
        residual = float(np.abs(missing).max())
        size = float(np.abs(v).max())
        # Near the limit of rounding, residuals stop shrinking.
        slack = 1.0 if residual < 0.5 * before else _ROUNDED
        outcome = _outcome(residual, size, slack * tolerance, bound)
        if outcome is not Outcome.LIMIT or len(trace) == max_steps:
            break
        if system is None or residual > min(_CLOSE, _FAST_ENOUGH * before):
            system = prepare(mdp.under_policy(boltzmann(q, mdp.allowed)), mdp.discount)
        before = residual
        change = _solved(system, missing)
        trace.append(float(np.abs(change).max()))
        v = v + change
    if outcome is not Outcome.CONVERGED and near is not None:
        return soft_plan(mdp, reward, tolerance=tolerance, max_steps=max_steps)
    if outcome is Outcome.LIMIT and mdp.discount == 1:
        outcome = Outcome.DIVERGED
    status = Status(outcome, len(trace), residual, _message(outcome, len(trace)))
    return SoftPlan(v, q, boltzmann(np.nan_to_num(q), mdp.allowed), status, system, np.array(trace))


def _solved(system: System, right: Float[np.ndarray, " S"]) -> Float[np.ndarray, " S"]:
    """The solution, or NaN: at discount 1 a policy may be one that cannot be told from endless."""
    try:
        return system.solve(right)[0]
    except InputError:
        return np.full_like(right, np.nan)


def _outcome(residual: float, size: float, tolerance: float, bound: float) -> Outcome:
    """How it would end with this residual of values of this size."""
    if not max(residual, size) < bound:
        return Outcome.DIVERGED
    return Outcome.CONVERGED if residual <= tolerance * max(1.0, size) else Outcome.LIMIT


def _message(outcome: Outcome, steps: int) -> str:
    """What to try where something went wrong."""
    if outcome is Outcome.CONVERGED:
        return ""
    if outcome is Outcome.LIMIT:
        return f"no soft optimum within {steps} steps; raise max_steps or lower the discount"
    return "values grow without end; lower the discount or make every step cost more"
