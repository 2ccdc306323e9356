"""Maximum causal entropy as a quadratic in the weights of the reward."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from inverseq._core.errors import FitError
from inverseq.forward.soft import SoftPlan
from inverseq.inverse.hierarchy.expansion import Explained, OfCounts, Quadratic
from inverseq.inverse.maxent.objective import (
    Model,
    curvature,
    expected_visits,
    log_likelihood_and_gradient,
    policy_slopes,
)
from inverseq.inverse.maxent.search import maximise
from inverseq.inverse.planning import HardOptimum, SoftOptimum
from inverseq.inverse.soft_plans import factored
from inverseq.mdp import MDP
from inverseq.policies import log_boltzmann
from inverseq.rewards.each import KnownTable

Rows = np.ndarray | sparse.csr_array
"""`[P, F]` what each pair of state and action adds to the reward for each weight."""


@dataclass(frozen=True, eq=False)
class MaxEntExpansion(OfCounts):
    """The exact gradient and curvature, visits below zero left out as in the search."""

    mdp: MDP
    model: Model
    planning: SoftOptimum | HardOptimum = field(default_factory=SoftOptimum)

    @property
    def penalty(self) -> Float[np.ndarray, "F F"]:
        """What the prior charges."""
        return self.model.design.penalty.toarray()

    @property
    def blocks(self) -> Int[np.ndarray, " F"]:
        """Features have a unit each; states and pairs are of one kind."""
        design = self.model.design
        size = design.num_weights
        return np.arange(size) if design.on == "features" else np.zeros(size, dtype=np.int64)

    def start(self, seen: Sequence[Float[np.ndarray, "S A"]]) -> Float[np.ndarray, " F"]:
        """The most likely weights under a weak prior.

        Raises:
            FitError: There are none.
        """
        found = maximise(self.model, np.sum(seen, axis=0), 1.0)
        if not found.status.ok:
            raise FitError(f"all decisions together could not be fitted: {found.status.message}")
        return found.weights

    def quadratic(
        self,
        seen: Float[np.ndarray, "S A"],
        weights: Float[np.ndarray, " F"],
        near: SoftPlan | None,
    ) -> Quadratic:
        """One plan, one adjoint and one solve for each weight; without a future, none of them."""
        model = self.model
        if model.mdp.discount == 0:
            return self._of_the_moment(seen, weights)
        value, slope, plan = log_likelihood_and_gradient(model, seen, weights, near)
        if not np.isfinite(value):
            return Quadratic(value, slope, np.zeros((weights.size, weights.size)), near)
        plan = factored(model.mdp, plan)
        visits = np.maximum(expected_visits(model.mdp, seen, plan), 0.0)
        curved = curvature(model, policy_slopes(model, plan), visits, plan)
        # A factorisation for each animal would fill the memory.
        return Quadratic(value, slope, curved, replace(plan, system=None))

    def _of_the_moment(
        self, seen: Float[np.ndarray, "S A"], weights: Float[np.ndarray, " F"]
    ) -> Quadratic:
        """The multinomial likelihood of actions that are worth their reward."""
        here = np.flatnonzero(seen.sum(axis=1))
        taken, exists = seen[here], self.model.mdp.allowed[here]
        actions = taken.shape[1]
        design = self._design[(here[:, None] * actions + np.arange(actions)).ravel()]
        logs = np.where(exists, log_boltzmann((design @ weights).reshape(taken.shape), exists), 0.0)
        policy = np.where(exists, np.exp(logs), 0.0)
        visits = taken.sum(axis=1)
        slope = design.T @ (taken - visits[:, None] * policy).ravel()
        rows = _centred(design, policy, np.sqrt(visits[:, None] * policy).ravel())
        curved = rows.T @ rows
        curved = curved if isinstance(curved, np.ndarray) else curved.toarray()
        return Quadratic(float((taken * logs).sum()), slope, curved, None)

    @cached_property
    def _design(self) -> Rows:
        """Features fill their rows; of states and pairs each row holds one number."""
        design = self.model.design
        return design.matrix.toarray() if design.on == "features" else design.matrix

    def reward(self, weights: Float[np.ndarray, " F"]) -> KnownTable:
        """The reward with these weights."""
        return self.model.design.function(weights, self.model.mdp)

    def explain(self, weights: Float[np.ndarray, " F"], near: SoftPlan | None) -> Explained:
        """The reward and its soft optimum."""
        plan = self.model.plan(weights, near)
        return Explained(self.reward(weights), plan.policy, plan.q, plan.v)


def _centred(
    design: Rows, policy: Float[np.ndarray, "S A"], weight: Float[np.ndarray, " P"]
) -> Rows:
    """Rows of the pairs less the mean of their state, times a weight."""
    states, actions = policy.shape
    if isinstance(design, np.ndarray):
        tables = design.reshape(states, actions, design.shape[1])
        mean = np.einsum("sa,saf->sf", policy, tables)
        return (tables - mean[:, None]).reshape(design.shape) * weight[:, None]
    state, pair = np.repeat(np.arange(states), actions), np.arange(policy.size)
    mean = sparse.csr_array((policy.ravel(), (state, pair)), shape=(states, pair.size)) @ design
    return sparse.diags_array(weight) @ (design - mean[state])
