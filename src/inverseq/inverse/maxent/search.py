"""The search for the most likely weights under a prior."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_triangular
from scipy.optimize import minimize

from inverseq._core.status import Outcome, Status
from inverseq.forward.soft import SoftPlan
from inverseq.inverse.maxent.objective import Model, information, log_likelihood_and_gradient

_FEW_WEIGHTS = 200
"""Up to here, the information matrix makes the coordinates of the search."""

_ROUND = 10
"""Iterations after which those coordinates are made anew; each round has twice as many."""


_SAME = 1e-12
"""Relative difference of two costs that is put down to rounding."""


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

    L-BFGS-B of SciPy. Where there are few weights, it searches in coordinates in which the
    information matrix of the best point so far is the identity.

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
    words, iterations, stuck = "", _ROUND, False
    while search.residual > tolerance and not stuck and len(search.trace) < max_steps:
        before = search.best.cost
        words = _round(search, iterations, tolerance, max_steps)
        stuck = before - search.best.cost <= 1e-13 * abs(before)
        iterations *= 2
    _polish(search, tolerance, max_steps)
    status = Status(Outcome.CONVERGED, len(search.trace), search.residual)
    if search.residual > tolerance:
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


def _better(point: _Point, best: _Point) -> bool:
    """Whether the cost is lower or, where rounding hides the difference, the slope."""
    gain = best.cost - point.cost
    if abs(gain) > _SAME * abs(best.cost):
        return gain > 0
    return bool(np.abs(point.slope).max(initial=0.0) < np.abs(best.slope).max(initial=0.0))


class _Search:
    """What the minimiser asks, with memory of the best point and of the last plan."""

    def __init__(
        self,
        model: Model,
        counts: Float[np.ndarray, "S A"],
        strength: float,
        start: Float[np.ndarray, " F"],
        plan: SoftPlan | None,
    ) -> None:
        self.model, self.counts = model, counts
        self.total = max(float(counts.sum()), 1e-300)
        self.penalty = strength * model.design.penalty
        self.best = self._look(start, plan)
        self.last = self.best.plan
        self.trace = [-self.best.cost]

    def __call__(self, weights: Float[np.ndarray, " F"]) -> tuple[float, Float[np.ndarray, " F"]]:
        """Cost and slope at `weights`."""
        point = self._look(weights, self.last)
        if np.isfinite(point.cost):
            self.last = point.plan
            if _better(point, self.best):
                self.best = point
        else:
            # A wall that leans towards the best point, so that the line search turns back.
            away = weights - self.best.weights
            cost = self.best.cost + 1 + float(away @ away)
            point = _Point(weights, cost, 2 * away, self.last)
        self.trace.append(-self.best.cost)
        return point.cost, point.slope

    @property
    def residual(self) -> float:
        """Largest entry of the gradient per decision at the best point."""
        return float(np.abs(self.best.slope).max(initial=0.0))

    def _look(self, weights: Float[np.ndarray, " F"], near: SoftPlan | None) -> _Point:
        value, gradient, plan = log_likelihood_and_gradient(self.model, self.counts, weights, near)
        pull = self.penalty @ weights
        cost = (0.5 * float(weights @ pull) - value) / self.total
        return _Point(weights.copy(), cost, (pull - gradient) / self.total, plan)


def _round(search: _Search, iterations: int, tolerance: float, max_steps: int) -> str:
    """Some iterations of L-BFGS-B from the best point; its last words."""
    root = _coordinates(search)
    few = root is not None
    forward = (lambda z: solve_triangular(root, z)) if few else (lambda z: z)
    backward = (lambda g: solve_triangular(root, g, trans="T")) if few else (lambda g: g)

    def objective(z: np.ndarray) -> tuple[float, np.ndarray]:
        cost, slope = search(forward(z))
        return cost, backward(slope)

    result = minimize(
        objective,
        search.best.weights if root is None else root @ search.best.weights,
        jac=True,
        method="L-BFGS-B",
        options={
            "maxiter": iterations if few else max_steps,
            "maxfun": max(max_steps - len(search.trace), 1),
            "gtol": 0.0 if few else tolerance,
            "ftol": 1e-14,
            "maxcor": 20,
        },
        callback=_StopAt(search, tolerance),
    )
    return str(result.message)


def _polish(search: _Search, tolerance: float, max_steps: int) -> None:
    """Newton steps on the slope, for the last digits, where rounding hides which cost is lower."""
    while search.residual > tolerance and len(search.trace) < max_steps:
        best = search.best
        root = _coordinates(search)
        if root is None:
            return
        step = solve_triangular(root, solve_triangular(root, best.slope, trans="T"))
        search(best.weights - step)
        if search.best is best:
            return


class _StopAt:
    """Stops a minimiser once the slope in the weights themselves is small."""

    def __init__(self, search: _Search, tolerance: float) -> None:
        self.search, self.tolerance = search, tolerance

    def __call__(self, _: np.ndarray) -> None:
        if self.search.residual <= self.tolerance:
            raise StopIteration


def _coordinates(search: _Search) -> Float[np.ndarray, "F F"] | None:
    """R with R' R = the information per decision at the best point; None for many weights."""
    size = search.model.design.num_weights
    if size > _FEW_WEIGHTS:
        return None
    matrix = information(search.model, search.counts, search.best.plan)
    matrix = (matrix + search.penalty.toarray()) / search.total
    matrix += 1e-9 * max(float(np.trace(matrix)) / size, 1e-9) * np.eye(size)
    return np.linalg.cholesky(matrix).T


def _start(model: Model) -> Float[np.ndarray, " F"]:
    """Where a search begins: no reward; at discount 1, a cost of each step that ends wandering."""
    mdp = model.mdp
    if mdp.discount < 1:
        return np.zeros(model.design.num_weights)
    lives = mdp.allowed & ~mdp.terminal[:, None]
    cost = np.where(lives, -2.0 * np.log(max(mdp.num_actions, 2)), 0.0)
    return np.linalg.lstsq(model.design.matrix.toarray(), cost.ravel(), rcond=None)[0]
