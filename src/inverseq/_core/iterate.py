"""The one loop of fixed-point iterations."""

from collections.abc import Callable

import numpy as np

from inverseq._core.status import Outcome, Status


def fixed_point(
    step: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    *,
    tolerance: float,
    max_steps: int,
) -> tuple[np.ndarray, Status, np.ndarray]:
    """Apply `step` until the largest change is at most `tolerance`.

    Args:
        step: A map from an array to an array of the same shape; it must not write to its argument.
        start: Where to begin.
        tolerance: Largest absolute change of any entry at which to stop, in the array's units.
        max_steps: Applications of `step` at most.

    Returns:
        The last array, how it ended, and the largest change at each step `[steps]`.
    """
    current = start
    trace = []
    outcome, message = Outcome.LIMIT, f"no fixed point within {max_steps} steps; raise max_steps"
    for _ in range(max_steps):
        following = step(current)
        change = float(np.max(np.abs(following - current), initial=0.0))
        current = following
        trace.append(change)
        if not np.isfinite(change):
            outcome, message = Outcome.DIVERGED, "values are no longer finite; lower the discount"
            break
        if change <= tolerance:
            outcome, message = Outcome.CONVERGED, ""
            break
    residual = trace[-1] if trace else float("nan")
    return current, Status(outcome, len(trace), residual, message), np.array(trace)
