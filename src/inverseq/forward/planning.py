"""Dynamic programming: the best policy of a reward, hard or soft.

Bellman (1957); policy iteration after Howard (1960). The soft optimum is that of maximum causal
entropy (Ziebart, Bagnell and Dey 2010): V = T log sum_a exp(Q / T), pi = exp((Q - V) / T).
"""

from dataclasses import replace
from typing import Any

import numpy as np

from inverseq._core.iterate import fixed_point
from inverseq._core.status import Outcome, Status
from inverseq.forward.evaluation import policy_evaluation
from inverseq.forward.records import Plan, reward_of
from inverseq.forward.soft import soft_plan
from inverseq.mdp import MDP
from inverseq.mdp.backup import action_values, check_temperature, hard_value, soft_value
from inverseq.policies import boltzmann, greedy, uniform

_TIE = 1e-9
"""Actions whose values differ by less than this share are equally good."""

_BEYOND = 1e9
"""Undiscounted values this many times the reward stand for infinite ones."""


def value_iteration(
    mdp: MDP, reward: Any = None, *, tolerance: float = 1e-10, max_steps: int = 100_000
) -> Plan:
    """The optimal values by repeated Bellman backups, V <- max_a r + gamma E V.

    Args:
        mdp: The world.
        reward: `[S, A]` or `[S]`; the world's own where left out.
        tolerance: Largest change of a value at which to stop; the error is then at most
            tolerance * gamma / (1 - gamma).
        max_steps: Backups at most.

    Returns:
        Values, action values and the greedy policy, in which equally good actions share.

    Raises:
        InputError: There is no reward, or it does not fit.
    """
    earned = reward_of(mdp, reward)
    values, status, trace = fixed_point(
        lambda v: hard_value(action_values(mdp, earned, v), mdp.allowed),
        np.zeros(mdp.num_states),
        tolerance=tolerance,
        max_steps=max_steps,
    )
    q = action_values(mdp, earned, values)
    # What is still missing from the values must not decide between equals.
    missing = status.residual / max(1 - mdp.discount, 1e-3)
    policy = greedy(q, mdp.allowed, max(_TIE, 2 * missing)) if _finite(status) else np.zeros_like(q)
    return Plan(values, q, policy, status, trace)


def policy_iteration(mdp: MDP, reward: Any = None, *, max_steps: int = 1000) -> Plan:
    """The optimal values by evaluating a policy exactly and improving it until it stands.

    Starts from the uniformly random policy, which ends wherever an end can be reached, so that
    a discount of 1 is no difficulty where every wandering costs.

    Args:
        mdp: The world.
        reward: `[S, A]` or `[S]`; the world's own where left out.
        max_steps: Improvements at most.

    Returns:
        As `value_iteration`.

    Raises:
        InputError: There is no reward, or, at a discount of 1, a better policy never ends.
    """
    earned = reward_of(mdp, reward)
    policy = uniform(mdp.allowed)
    plan = policy_evaluation(mdp, policy, earned)
    outcome, message = Outcome.LIMIT, f"still improving after {max_steps} steps; raise max_steps"
    trace = []
    for _ in range(max_steps):
        best = greedy(plan.q, mdp.allowed, _TIE)
        # An action that is among the best stays, so that ties cannot be swapped for ever.
        kept = policy * (best > 0)
        keeps = kept.sum(1, keepdims=True)
        improved = np.where(keeps > 0, kept / np.where(keeps > 0, keeps, 1), best)
        if (improved == policy).all():
            outcome, message = Outcome.CONVERGED, ""
            break
        policy = improved
        following = policy_evaluation(mdp, policy, earned)
        trace.append(float(np.abs(following.values - plan.values).max()))
        plan = following
        if not plan.status.ok:
            outcome, message = plan.status.outcome, plan.status.message
            break
    missing = float(np.abs(hard_value(plan.q, mdp.allowed) - plan.values).max())
    status = Status(outcome, len(trace), missing, message)
    return Plan(plan.values, plan.q, greedy(plan.q, mdp.allowed, _TIE), status, np.array(trace))


def soft_value_iteration(
    mdp: MDP,
    reward: Any = None,
    *,
    temperature: float = 1.0,
    tolerance: float = 1e-10,
    max_steps: int = 100_000,
) -> Plan:
    """The soft optimum by repeated backups, V <- T log sum_a exp((r + gamma E V) / T).

    Args:
        mdp: The world. At a discount of 1 the optimum exists only where wandering costs more than
            the entropy it brings.
        reward: `[S, A]` or `[S]`; the world's own where left out.
        temperature: T, in units of the reward.
        tolerance: As in `value_iteration`.
        max_steps: Backups at most.

    Returns:
        Soft values, action values and the Boltzmann policy.

    Raises:
        InputError: There is no reward, or the temperature is not positive.
    """
    earned = reward_of(mdp, reward)
    check_temperature(temperature)
    values, status, trace = fixed_point(
        lambda v: soft_value(action_values(mdp, earned, v), mdp.allowed, temperature),
        np.zeros(mdp.num_states),
        tolerance=tolerance,
        max_steps=max_steps,
    )
    scale = 1 + np.abs(earned).max() + temperature
    if mdp.discount == 1 and not np.abs(values).max() < _BEYOND * scale:
        message = "wandering for ever is worth more than any end; lower the discount"
        status = Status(Outcome.DIVERGED, status.steps, status.residual, message)
    q = action_values(mdp, earned, values)
    policy = boltzmann(q, mdp.allowed, temperature) if _finite(status) else np.zeros_like(q)
    return Plan(values, q, policy, status, trace)


def soft_policy_iteration(
    mdp: MDP,
    reward: Any = None,
    *,
    temperature: float = 1.0,
    tolerance: float = 1e-13,
    max_steps: int = 100,
) -> Plan:
    """The soft optimum by Newton's method: each step evaluates the present soft policy exactly.

    See `inverseq.forward.soft`, which does the same from one reward to the next.

    Args:
        mdp: As in `soft_value_iteration`, and so are the other arguments.
        reward: As above.
        temperature: As above.
        tolerance: Largest |V - T log sum_a exp(Q / T)| at which to stop, relative to the largest
            value (to T where that is larger).
        max_steps: Linear solves at most.

    Raises:
        InputError: There is no reward, or the temperature is not positive.
    """
    earned = reward_of(mdp, reward)
    check_temperature(temperature)
    made = soft_plan(mdp, earned / temperature, tolerance=tolerance, max_steps=max_steps)
    status = replace(made.status, residual=temperature * made.status.residual)
    policy = made.policy if _finite(status) else np.zeros_like(made.policy)
    return Plan(
        temperature * made.v, temperature * made.q, policy, status, temperature * made.trace
    )


def _finite(status: Status) -> bool:
    """Whether there are numbers to make a policy from."""
    return status.outcome is not Outcome.DIVERGED
