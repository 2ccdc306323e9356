"""Climbing to the maximum of a penalised likelihood, with a status that has been checked."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from inverseq._core.status import Outcome, Status

Objective = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""From free numbers `[F]` to the objective and its gradient; minus infinity where there is none."""

_ROUND = 50
"""Iterations after which the search begins anew from the best point; doubled each time."""


def ascend(
    objective: Objective,
    start: Float[np.ndarray, " F"],
    *,
    tolerance: float,
    max_steps: int,
    report: Callable[[int], None] | None = None,
) -> tuple[Float[np.ndarray, " F"], Status, Float[np.ndarray, " steps"]]:
    """The point of the largest objective that L-BFGS-B of SciPy finds from `start`.

    Args:
        objective: What to maximise, per decision, so that the tolerance means the same everywhere.
        start: `[F]`, with a finite objective.
        tolerance: Largest entry of the gradient at which the search has converged.
        max_steps: Evaluations at most.
        report: Called with the number of evaluations made.

    Returns:
        The best point, how the search ended (the residual is its largest gradient), and the best
        objective so far at each evaluation.
    """
    value, slope = objective(start)
    best = _Best(start.copy(), value, float(np.abs(slope).max(initial=0.0)))
    trace = [value]
    if not np.isfinite(value):
        words = "values are infinite at the start: at discount 1 every step must cost something"
        return start, Status(Outcome.DIVERGED, 1, float("inf"), words), np.zeros(0)

    def cost(point: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = objective(point)
        if np.isfinite(value):
            best.offer(point, value, slope)
        trace.append(best.value)
        if report is not None:
            report(len(trace))
        if np.isfinite(value):
            return -value, -slope
        # A wall that leans towards the best point, so that the line search turns back.
        away = point - best.point
        return -best.value + 1 + float(away @ away), 2 * away

    def stop(_: np.ndarray) -> None:
        if best.residual <= tolerance:
            raise StopIteration

    iterations, words = _ROUND, ""
    while best.residual > tolerance and len(trace) < max_steps:
        before = best.value
        options = {"maxiter": iterations, "maxfun": max_steps - len(trace), "maxcor": 30}
        result = minimize(
            cost,
            best.point,
            jac=True,
            method="L-BFGS-B",
            options=options | {"gtol": tolerance, "ftol": 0.0, "maxls": 40},
            callback=stop,
        )
        words = str(result.message)
        if best.value - before <= 1e-14 * abs(before):
            break
        iterations *= 2
    if best.residual <= tolerance:
        status = Status(Outcome.CONVERGED, len(trace), best.residual)
    else:
        hint = f"the search stopped early ({words}); raise max_steps, tolerance or strength"
        status = Status(Outcome.LIMIT, len(trace), best.residual, hint)
    return best.point, status, np.array(trace)


class _Best:
    """The best point seen: of equal objectives, up to rounding, that of the smaller gradient."""

    def __init__(self, point: np.ndarray, value: float, residual: float) -> None:
        self.point, self.value, self.residual = point, value, residual

    def offer(self, point: np.ndarray, value: float, slope: np.ndarray) -> None:
        """Take the point if it is better."""
        residual = float(np.abs(slope).max(initial=0.0))
        gain = value - self.value
        tied = abs(gain) <= 1e-12 * abs(self.value)
        if residual < self.residual if tied else gain > 0:
            self.point, self.value, self.residual = point.copy(), value, residual
