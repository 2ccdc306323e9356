"""The likelihood of a maximum causal entropy policy, its gradient and its information."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy import sparse

from inverseq.forward.soft import SoftPlan, soft_plan
from inverseq.inverse.soft_plans import soft_plans, solve_adjoint, solve_adjoints, system_of
from inverseq.mdp import MDP
from inverseq.mdp.backup import action_values
from inverseq.policies import boltzmann, log_boltzmann
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


def log_likelihood(
    mdp: MDP, q: Float[np.ndarray, "S A *R"], counts: Float[np.ndarray, "S A *R"]
) -> Float[np.ndarray, "*R"]:
    """Sum of counts * log policy, in nats, where actions have the soft values `q`."""
    taken = counts > 0
    logs = np.where(taken, log_boltzmann(q, mdp.allowed), 0.0)
    return np.asarray((counts * logs).sum(axis=(0, 1)))


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
    adjoint, plan = solve_adjoint(mdp, plan, _flow(mdp, counts))
    slope = counts + plan.policy * adjoint[:, None]
    value = float(log_likelihood(mdp, plan.q, counts))
    return value, model.design.matrix.T @ slope.ravel(), plan


def log_likelihoods_and_gradients(
    model: Model,
    counts: Float[np.ndarray, "S A R"],
    weights: Float[np.ndarray, "F R"],
    near: SoftPlan,
    start: Float[np.ndarray, "S R"] | None = None,
) -> tuple[Float[np.ndarray, " R"], Float[np.ndarray, "F R"], Float[np.ndarray, "S R"]]:
    """`log_likelihood_and_gradient` of R counts, each under weights of its own near `near`.

    Returns:
        Log-likelihoods, gradients, and soft values, from which the next call may `start`.
    """
    mdp = model.mdp
    rewards = model.design.reward(weights, mdp)
    v, found = soft_plans(mdp, rewards, near, start=start, tolerance=1e-12)
    v[:, ~found] = near.v[:, None]
    q = action_values(mdp, rewards, v)
    policies = boltzmann(q, mdp.allowed)
    adjoint = solve_adjoints(mdp, policies, _flow(mdp, counts), near)
    slope = counts + policies * adjoint[:, None]
    gradient = model.design.matrix.T @ slope.reshape(-1, slope.shape[2])
    value = np.where(found, log_likelihood(mdp, q, counts), -np.inf)
    return value, gradient, v


def expected_visits(
    mdp: MDP, counts: Float[np.ndarray, "S A"], plan: SoftPlan
) -> Float[np.ndarray, " S"]:
    """How often each state is visited where behaviour enters and leaves the world as in `counts`,
    and follows the plan in between.

    The plan's kept factorisation must belong to its own policy. Where a record stops at a state
    that it seldom visits, the number can be negative.
    """
    return -system_of(mdp, plan).solve(_flow(mdp, counts), transposed=True)[0]


def policy_slopes(model: Model, plan: SoftPlan) -> Float[np.ndarray, "P F"]:
    """Derivative of log pi(a | s) in each weight, for the P pairs that exist, in order.

    The plan's kept factorisation must belong to its own policy.
    """
    mdp = model.mdp
    pairs = np.flatnonzero(mdp.allowed)
    direct = model.design.matrix[pairs].toarray()
    states, chance = pairs // mdp.num_actions, plan.policy.ravel()[pairs]
    shape = (mdp.num_states, pairs.size)
    mean = sparse.csr_array((chance, (states, np.arange(pairs.size))), shape=shape)
    slope_v, _ = system_of(mdp, plan).solve(mean @ direct)
    # One product gives gamma E V' - V.
    ahead = mdp.discount * mdp.transition_matrix[pairs]
    here = sparse.csr_array((np.ones(pairs.size), (np.arange(pairs.size), states)), ahead.shape)
    return direct + sparse.csr_array(ahead - here) @ slope_v


def curvature(
    model: Model,
    slopes: Float[np.ndarray, "P F"],
    visits: Float[np.ndarray, " S"],
    plan: SoftPlan,
) -> Float[np.ndarray, "F F"]:
    """The covariance over actions of the slopes of `policy_slopes`, added up over visits.

    With the visits that were observed this is the Fisher information. With those that are expected
    it is minus the second derivative of the log-likelihood: this is n' r + (gamma P' n - n)' V, and
    d2V = (I - gamma P_pi)^-1 Cov_pi(dQ).
    """
    weight = (visits[:, None] * plan.policy)[model.mdp.allowed]
    rows = np.sqrt(np.abs(weight))[:, None] * slopes
    against = rows[weight < 0]
    return rows.T @ rows - 2 * against.T @ against


def _flow(mdp: MDP, counts: Float[np.ndarray, "S A *R"]) -> Float[np.ndarray, "S *R"]:
    """How often each state is entered, discounted, less how often it is left: gamma P' n - n."""
    entered = mdp.transition_matrix.T @ counts.reshape(-1, *counts.shape[2:])
    return mdp.discount * entered - counts.sum(axis=1)
