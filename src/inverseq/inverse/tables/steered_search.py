"""The search for a reward that steers a habit, and for the weights of the habit with it."""

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse
from scipy.linalg import LinAlgError, cholesky, solve_triangular
from scipy.optimize import minimize

from inverseq._core.status import Outcome, Status
from inverseq.inverse.maxent.objective import Model, policy_slopes
from inverseq.inverse.soft_plans import factored, solve_adjoint
from inverseq.inverse.tables.column_logit import Regression
from inverseq.policies.steered import steer

_MOST_WEIGHTS, _MOST_CELLS = 3_000, 30_000_000
"""Weights, and slopes of values at all decisions, up to which curvature is looked at."""


class Search:
    """Penalised log-likelihood per decision as a function of the reward's weights, and of those of
    a regression behind them where it is the habit.
    """

    def __init__(
        self,
        model: Model,
        strength: float,
        states: Int[np.ndarray, " N"],
        actions: Int[np.ndarray, " N"],
        weights: Float[np.ndarray, " N"],
        *,
        log_habit: Float[np.ndarray, "N A"] | None = None,
        regression: Regression | None = None,
    ) -> None:
        self.model, self.regression, self.log_habit = model, regression, log_habit
        self.states, self.actions, self.weights = states, actions, weights
        self.strength = np.full(model.design.num_weights, strength)
        if regression is not None:
            self.strength = np.append(self.strength, regression.strength)
        self.total = max(float(weights.sum()), 1.0)
        place = (states, np.arange(states.size))
        shape = (model.mdp.num_states, states.size)
        self.sums = sparse.csr_array((weights, place), shape=shape)
        self.counts = np.zeros((shape[0], model.mdp.num_actions))
        np.add.at(self.counts, (states, actions), weights)
        self.best, self.plan, self.cost, self.steepest = np.zeros(0), None, np.inf, np.inf
        self.trace: list[float] = []

    def run(self, start: Float[np.ndarray, " X"], tolerance: float, max_steps: int) -> Status:
        """Climb from `start`; never ends below it."""
        told = {"maxfun": max_steps, "maxiter": max_steps, "ftol": 1e-15}
        spread = self._spread(start)
        if spread is None:
            minimize(self, start, jac=True, method="L-BFGS-B", options=told | {"gtol": tolerance})
        else:
            minimize(
                lambda y: self._moved(start, y, *spread),
                np.zeros(spread[0].size),
                jac=True,
                method="L-BFGS-B",
                options=told | {"gtol": 0.0},
                callback=lambda _: self._stop_at(tolerance),
            )
        slope = self.steepest
        # A search that ends for lack of precision has found the optimum as well as it can be.
        settled = slope <= tolerance or len(self.trace) < max_steps
        outcome = Outcome.CONVERGED if settled else Outcome.LIMIT
        message = "" if settled else "Give more max_steps, or a stronger prior."
        return Status(outcome, len(self.trace), slope, message)

    def _spread(
        self, start: Float[np.ndarray, " X"]
    ) -> tuple[Int[np.ndarray, " M"], Float[np.ndarray, "M M"]] | None:
        """The weights that decisions speak of, and directions in which the cost is about equally
        curved where the search begins: a few steps then do what hundreds would. None where weights
        are too many, or no regression is fitted.
        """
        size, regression = self.model.design.num_weights, self.regression
        if regression is None or size * self.states.size * self.counts.shape[1] > _MOST_CELLS:
            return None
        moved = np.flatnonzero(np.append(np.ones(size, dtype=bool), regression.seen))
        if moved.size > _MOST_WEIGHTS or not np.isfinite(self(start)[0]):
            return None
        matrix = self._information(start, moved[size:] - size)
        matrix += np.diag(self.strength[moved])
        matrix += 1e-9 * np.trace(matrix) / moved.size * np.eye(moved.size)
        try:
            lower = cholesky(matrix / self.total, lower=True, overwrite_a=True)
        except LinAlgError:
            return None
        return moved, solve_triangular(lower.T, np.eye(moved.size))

    def _information(
        self, x: Float[np.ndarray, " X"], seen: Int[np.ndarray, " M"]
    ) -> Float[np.ndarray, "F_M F_M"]:
        """Covariance over actions of the slopes of their logits, added up over decisions: for the
        reward's weights, then for those of the regression that are `seen`.
        """
        mdp, design, plan, regression = (
            self.model.mdp,
            self.model.design,
            self.plan,
            self.regression,
        )
        assert plan is not None  # as `_spread` has seen
        assert regression is not None
        _, more = np.split(x, [design.num_weights])
        values = np.where(mdp.allowed, plan.q - plan.v[:, None], 0.0)
        chances = np.exp(steer(regression.logits(more), values[self.states]))
        weight = np.sqrt(self.weights[:, None] * chances)
        slopes = np.zeros((*mdp.allowed.shape, design.num_weights))
        slopes[mdp.allowed] = policy_slopes(self.model, factored(mdp, plan))
        made = slopes[self.states]
        made -= (chances[..., None] * made).sum(1, keepdims=True)
        own = (weight[..., None] * made).reshape(-1, design.num_weights)
        cells = np.arange(chances.size)
        rows = cells // chances.shape[1]
        mean = sparse.csr_array((chances.ravel(), (rows, cells)))
        each = sparse.csr_array((np.ones(cells.size), (cells, rows)))
        told = regression.matrix[:, seen]
        told = sparse.diags_array(weight.ravel()) @ (told - each @ (mean @ told))
        across = told.T @ own
        return np.block([[own.T @ own, across.T], [across, (told.T @ told).toarray()]])

    def _moved(
        self,
        start: Float[np.ndarray, " X"],
        y: Float[np.ndarray, " M"],
        moved: Int[np.ndarray, " M"],
        directions: Float[np.ndarray, "M M"],
    ) -> tuple[float, Float[np.ndarray, " M"]]:
        """Cost and slope along the directions."""
        x = start.copy()
        x[moved] += directions @ y
        cost, slope = self(x)
        return cost, directions.T @ slope[moved]

    def _stop_at(self, tolerance: float) -> None:
        """End a search that has arrived."""
        if self.steepest <= tolerance:
            raise StopIteration

    def __call__(self, x: Float[np.ndarray, " X"]) -> tuple[float, Float[np.ndarray, " X"]]:
        """Cost and slope.

        The gradient in Q(s, a) is E(s, a), what was done less what is expected; that in r(s, a) is
        E + pi * y with (I - gamma P_pi)' y = gamma P' E, as for MaxEnt; that in a weight of the
        regression is the sum of what was done less what is expected where it speaks.
        """
        mdp, design = self.model.mdp, self.model.design
        weights, more = np.split(x, [design.num_weights])
        plan = self.model.plan(weights, self.plan)
        if not plan.status.ok:
            return np.inf, np.zeros_like(x)
        values = np.where(mdp.allowed, plan.q - plan.v[:, None], 0.0)
        habit = self.log_habit if self.regression is None else self.regression.logits(more)
        assert habit is not None  # one of the two is given
        logs = steer(habit, values[self.states])
        rows = np.arange(self.actions.size)
        likelihood = float(self.weights @ logs[rows, self.actions])
        chances = np.exp(logs)
        excess = self.counts - self.sums @ chances
        flow = excess
        if mdp.discount > 0:
            right = mdp.discount * (mdp.transition_matrix.T @ excess.ravel())
            adjoint, plan = solve_adjoint(mdp, plan, right)
            flow = excess + plan.policy * adjoint[:, None]
        gradient = design.matrix.T @ flow.ravel()
        if self.regression is not None:
            missed = -chances
            missed[rows, self.actions] += 1.0
            missed *= self.weights[:, None]
            gradient = np.append(gradient, self.regression.transposed @ missed.ravel())
        pull = self.strength * x
        cost, slope = (
            (0.5 * float(x @ pull) - likelihood) / self.total,
            (pull - gradient) / self.total,
        )
        self.trace.append(-cost * self.total)
        if cost <= self.cost:
            self.best, self.cost, self.plan = x.copy(), cost, plan
            self.steepest = float(np.abs(slope).max(initial=0.0))
        return cost, slope
