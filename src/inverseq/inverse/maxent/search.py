"""The search for the most likely weights under a prior, by Newton's method."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse.linalg import LinearOperator, cg

from inverseq._core.status import Outcome, Status
from inverseq.forward.soft import SoftPlan
from inverseq.inverse.maxent.objective import (
    Model,
    curvature,
    expected_visits,
    log_likelihood_and_gradient,
    policy_slopes,
)
from inverseq.inverse.soft_plans import factored, system_of

_DENSE_WEIGHTS = 1500
_DENSE_CELLS = 20_000_000
"""Up to here the matrix of second derivatives is made (and its slopes take 160 MB at most)."""

_SAME = 1e-12
"""Relative difference of two costs that is put down to rounding."""

_SHORTEST = 2.0**-40
"""Share of a step below which no better point is looked for."""
_LEAST_KEPT = 0.01
"""Share of a step that is kept at least when it is shortened."""

Solve = Callable[[Float[np.ndarray, "F *R"]], Float[np.ndarray, "F *R"]]
"""From slopes of the penalised likelihood to the steps that would end them, were it quadratic."""


@dataclass(frozen=True, eq=False)
class Maximum:
    """The most likely weights under a prior.

    Attributes:
        weights: `[F]` of the reward.
        plan: Their plan.
        status: How the search ended; the residual is the largest gradient per decision.
        trace: `[steps]` penalised log-likelihood per decision, the best so far.
    """

    weights: Float[np.ndarray, " F"]
    plan: SoftPlan
    status: Status
    trace: Float[np.ndarray, " steps"]


def maximise(
    model: Model,
    counts: Float[np.ndarray, "S A"],
    strength: float,
    *,
    start: Float[np.ndarray, " F"] | None = None,
    plan: SoftPlan | None = None,
    tolerance: float = 1e-6,
    max_steps: int = 2000,
) -> Maximum:
    """The weights that maximise log-likelihood - strength / 2 * weights' penalty weights.

    Newton's method, halving steps that do not lead down. Where there are many weights, conjugate
    gradients solve for the step.

    Args:
        model: The world and the design.
        counts: `[S, A]` weight of the decisions.
        strength: Of the prior, in decisions.
        start: Weights to start from.
        plan: A plan for weights like these in the same world.
        tolerance: Largest gradient per decision at which the search has converged.
        max_steps: Evaluations at most.
    """
    start = _start(model) if start is None else start
    search = _Search(model, counts, strength, start, plan)
    if not np.isfinite(search.best.cost):
        words = "values are infinite at the start: at discount 1 every step must cost something"
        status = Status(Outcome.DIVERGED, 1, float("inf"), words)
        return Maximum(start, search.best.plan, status, np.zeros(0))
    stuck = False
    while search.residual > tolerance and not stuck and len(search.trace) < max_steps:
        stuck = not search.descend(max_steps)
    status = Status(Outcome.CONVERGED, len(search.trace), search.residual)
    if search.residual > tolerance:
        words = "no step improves it" if stuck else "it took max_steps"
        words = f"the search stopped early ({words}); raise max_steps or strength"
        status = Status(Outcome.LIMIT, len(search.trace), search.residual, words)
    return Maximum(search.best.weights, search.best.plan, status, np.array(search.trace))


@dataclass(frozen=True, eq=False)
class _Point:
    """A place seen by the search; its cost is minus the penalised likelihood per decision."""

    weights: Float[np.ndarray, " F"]
    cost: float
    slope: Float[np.ndarray, " F"]
    plan: SoftPlan


class _Search:
    """The best point so far, and the way on from there."""

    def __init__(
        self,
        model: Model,
        counts: Float[np.ndarray, "S A"],
        strength: float,
        start: Float[np.ndarray, " F"],
        plan: SoftPlan | None,
    ) -> None:
        self.model, self.counts, self.strength = model, counts, strength
        self.total = max(float(counts.sum()), 1e-300)
        self.penalty = strength * model.design.penalty
        self.best = self._look(start, plan)
        self.trace = [-self.best.cost]

    @property
    def residual(self) -> float:
        """Largest entry of the gradient per decision at the best point."""
        return float(np.abs(self.best.slope).max(initial=0.0))

    def descend(self, max_steps: int) -> bool:
        """One Newton step, shortened until it leads to a better point; False where none is found.

        A step that is too long is cut to where the parabola through both costs and the slope is
        lowest (Dennis and Schnabel 1983, section 6.3.2): at the start, where rewards make little
        difference, it can be ten thousand times too long.
        """
        plan = factored(self.model.mdp, self.best.plan)
        solve = newton(self.model, self.counts, self.strength, plan)
        step = self.total * solve(self.best.slope)
        gain, share = float(step @ self.best.slope), 1.0
        while len(self.trace) < max_steps and share > _SHORTEST:
            point = self._look(self.best.weights - share * step, plan)
            if better(point.cost, self.best.cost, share * gain, point.slope, self.best.slope):
                self.best = point
                self.trace.append(-point.cost)
                return True
            self.trace.append(-self.best.cost)
            rise = point.cost - self.best.cost
            lowest = share * gain / (2 * (rise + share * gain)) if np.isfinite(rise) else 0.5
            share *= float(np.clip(lowest, _LEAST_KEPT, 0.5))
        return False

    def _look(self, weights: Float[np.ndarray, " F"], near: SoftPlan | None) -> _Point:
        value, gradient, plan = log_likelihood_and_gradient(self.model, self.counts, weights, near)
        pull = self.penalty @ weights
        cost = (0.5 * float(weights @ pull) - value) / self.total
        return _Point(weights, cost, (pull - gradient) / self.total, plan)


def better(
    cost: Float[np.ndarray, "*R"] | float,
    before: Float[np.ndarray, "*R"] | float,
    gain: Float[np.ndarray, "*R"] | float,
    slope: Float[np.ndarray, "F *R"],
    slope_before: Float[np.ndarray, "F *R"],
) -> Bool[np.ndarray, "*R"]:
    """Whether the cost fell by enough of the `gain` that the slope promised (Armijo 1966) or, where
    rounding hides the difference, the slope itself did.
    """
    fell = np.subtract(before, cost)
    hidden = np.abs(fell) <= _SAME * np.abs(before)
    flatter = np.abs(slope).max(axis=0) < np.abs(slope_before).max(axis=0)
    enough = np.where(hidden, flatter, fell >= 1e-4 * np.asarray(gain))
    return np.asarray(np.isfinite(cost) & enough)


def newton(
    model: Model, counts: Float[np.ndarray, "S A"], strength: float, plan: SoftPlan
) -> Solve:
    """What solves for Newton steps at `plan`, whose kept factorisation belongs to its own policy.

    The matrix is the exact one, but for states whose expected visits are negative: these are left
    out, so that it stays positive definite and every step leads down.
    """
    return around(model, strength, plan, np.maximum(expected_visits(model.mdp, counts, plan), 0.0))


def around(model: Model, strength: float, plan: SoftPlan, visits: Float[np.ndarray, " S"]) -> Solve:
    """What solves with the curvature of the penalised likelihood, with so many visits of states."""
    if not is_small(model):
        return _conjugate(model, strength, plan, visits)
    return penalised(model, curvature(model, policy_slopes(model, plan), visits, plan), strength)


def is_small(model: Model) -> bool:
    """Whether the matrix of second derivatives can be made."""
    size = model.design.num_weights
    return size <= _DENSE_WEIGHTS and size * model.mdp.allowed.size <= _DENSE_CELLS


def penalised(model: Model, matrix: Float[np.ndarray, "F F"], strength: float) -> Solve:
    """What solves with a curvature of the likelihood and that of the prior.

    Raises:
        LinAlgError: Their sum is not positive definite.
    """
    matrix = matrix + strength * model.design.penalty.toarray()
    matrix += _ridge(float(np.trace(matrix)) / len(matrix)) * np.eye(len(matrix))
    root = cho_factor(matrix, overwrite_a=True, check_finite=False)
    return lambda slope: cho_solve(root, slope, check_finite=False)


def _ridge(mean: float) -> float:
    """What is added to the diagonal: nothing charges some rewards where there is no prior."""
    return 1e-9 * max(mean, 1e-9)


def _conjugate(
    model: Model, strength: float, plan: SoftPlan, visits: Float[np.ndarray, " S"]
) -> Solve:
    """The same by products with the matrix alone."""
    mdp, design, system = model.mdp, model.design, system_of(model.mdp, plan)
    policy, penalty = plan.policy, strength * design.penalty
    ridge = _ridge(float(visits.sum()) / design.num_weights)

    def times(x: Float[np.ndarray, " F"]) -> Float[np.ndarray, " F"]:
        direct = design.reward(x, mdp)
        slope_v, _ = system.solve((policy * direct).sum(1))
        slope = direct + mdp.discount * mdp.expected(slope_v) - slope_v[:, None]
        pulled = visits[:, None] * policy * slope
        ahead = mdp.discount * (mdp.transition_matrix.T @ pulled.ravel()) - pulled.sum(1)
        back, _ = system.solve(ahead, transposed=True)
        pulled += policy * back[:, None]
        return design.matrix.T @ pulled.ravel() + penalty @ x + ridge * x

    size = design.num_weights
    matrix = LinearOperator((size, size), matvec=times, dtype=np.float64)

    def solve(slope: Float[np.ndarray, "F *R"]) -> Float[np.ndarray, "F *R"]:
        columns = slope.reshape(size, -1).T
        made = [cg(matrix, column, rtol=1e-3, maxiter=500)[0] for column in columns]
        return np.stack(made, axis=1).reshape(slope.shape)

    return solve


def _start(model: Model) -> Float[np.ndarray, " F"]:
    """Where a search begins: every action equally likely.

    Where the process ends, no reward would make choices of their own worth postponing the end; it
    is a cost of log A for each step that makes up for them (V = 0). At discount 1 it is twice that,
    which surely ends wandering.
    """
    mdp = model.mdp
    if mdp.discount < 1 and not (mdp.terminal.any() and is_small(model)):
        return np.zeros(model.design.num_weights)
    lives = mdp.allowed & ~mdp.terminal[:, None]
    choices = mdp.allowed.sum(1, keepdims=True) if mdp.discount < 1 else [[mdp.num_actions**2]]
    cost = np.where(lives, -np.log(np.maximum(choices, 2)), 0.0)
    design = model.design.matrix
    matrix = (design.T @ design).toarray()
    matrix += _ridge(float(np.trace(matrix)) / len(matrix)) * np.eye(len(matrix))
    return cho_solve(cho_factor(matrix), design.T @ cost.ravel())
