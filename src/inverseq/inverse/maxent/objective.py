"""The likelihood of a maximum causal entropy policy, its gradient and its information."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from inverseq._core.linear import prepare
from inverseq.forward.soft import SoftPlan, soft_plan
from inverseq.inverse.soft_plans import solve_adjoint
from inverseq.mdp import MDP
from inverseq.policies import log_boltzmann
from inverseq.rewards.linear import Design


@dataclass(frozen=True, eq=False)
class Model:
    """Which rewards are in question.

    Attributes:
        mdp: The world.
        design: How the reward depends on the weights.
    """

    mdp: MDP
    design: Design

    def plan(self, weights: Float[np.ndarray, " F"], near: SoftPlan | None = None) -> SoftPlan:
        """The soft optimum under `weights`."""
        return soft_plan(self.mdp, self.design.reward(weights, self.mdp), near)


def log_likelihood(mdp: MDP, plan: SoftPlan, counts: Float[np.ndarray, "S A"]) -> float:
    """Sum of counts * log policy, in nats."""
    taken = counts > 0
    return float((counts[taken] * log_boltzmann(plan.q, mdp.allowed)[taken]).sum())


def log_likelihood_and_gradient(
    model: Model,
    counts: Float[np.ndarray, "S A"],
    weights: Float[np.ndarray, " F"],
    near: SoftPlan | None = None,
) -> tuple[float, Float[np.ndarray, " F"], SoftPlan]:
    """Sum of counts * log policy, and its exact gradient by one adjoint solve.

    With dV = (I - gamma P_pi)^-1 sum_a pi dr, the gradient in r(s, a) is n(s, a) + pi(a | s) y(s)
    where (I - gamma P_pi)' y = gamma P' n - sum_a n: the observed minus the expected visits.

    Args:
        model: The world and the design.
        counts: `[S, A]` n, the weight of the decisions.
        weights: `[F]` of the reward.
        near: The plan of similar weights, to start from.

    Returns:
        Log-likelihood in nats (minus infinity where values are infinite), gradient, plan.
    """
    mdp = model.mdp
    plan = model.plan(weights, near)
    if not plan.status.ok:
        return -np.inf, np.zeros_like(weights), plan
    right = mdp.discount * (mdp.transition_matrix.T @ counts.ravel()) - counts.sum(1)
    adjoint, plan = solve_adjoint(mdp, plan, right)
    slope = counts + plan.policy * adjoint[:, None]
    return log_likelihood(mdp, plan, counts), model.design.matrix.T @ slope.ravel(), plan


def information(
    model: Model, counts: Float[np.ndarray, "S A"], plan: SoftPlan
) -> Float[np.ndarray, "F F"]:
    """Fisher information on the weights in decisions made as often as `counts` says.

    The covariance of the slopes of Q over actions, added up over the decisions. The plan's kept
    factorisation serves, so it is exact only where that belongs to the plan's own policy.
    """
    mdp = model.mdp
    size, actions = counts.shape
    direct = model.design.matrix.toarray()
    chosen = plan.policy.ravel()[:, None] * direct
    system = plan.system or prepare(mdp.under_policy(plan.policy), mdp.discount)
    slope_v, _ = system.solve(chosen.reshape(size, actions, -1).sum(1))
    slope_q = direct + mdp.discount * (mdp.transition_matrix @ slope_v)
    centred = slope_q - np.repeat(slope_v, actions, axis=0)
    weight = (counts.sum(1)[:, None] * plan.policy).reshape(-1, 1)
    return (centred * weight).T @ centred
