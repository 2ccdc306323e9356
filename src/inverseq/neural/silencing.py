"""What a method foretells where neurons are held down, on paper."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.arrays import require_shape
from inverseq._core.errors import InputError
from inverseq.neural.foretell import Fitted
from inverseq.neural.matching import Reading
from inverseq.neural.trials import Waiting


def silenced(
    data: Waiting,
    units: Bool[np.ndarray, " F"],
    dose: float,
    start: float = 0.0,
    stop: float = float("inf"),
) -> Waiting:
    """Trials as if units had fired less.

    Args:
        data: The trials.
        units: `[F]` which are held down.
        dose: Share of their spikes that is taken away, in [0, 1].
        start: From this time of a trial on, in seconds.
        stop: Until then.

    Raises:
        InputError: The dose is no share, or units are not told for each.
    """
    if not 0 <= dose <= 1:
        raise InputError(f"a dose is a share in [0, 1]; got {dose:g}")
    require_shape(units, (data.activity.shape[2],), "units", "F")
    edges = data.window.edges
    middle = np.arange(data.states.shape[1])[:, None] * data.step + (edges[1:] + edges[:-1]) / 2
    left = 1.0 - dose * ((middle >= start) & (middle < stop))
    factors = np.where(units[:, None], left[:, None, :], 1.0).astype(np.float32)
    return replace(data, activity=data.activity * factors)


def foretold_distribution(
    fitted: Fitted, reading: Reading, data: Waiting
) -> Float[np.ndarray, " B1"]:
    """When one acts, as a method foretells it from the activity of those who still wait.

    The hazard of each step is the mean over the trials that have reached it, so that trials that
    ended before are not asked about activity that they never had.

    Args:
        fitted: A method that was fitted.
        reading: Of its logits.
        data: The trials.

    Returns:
        `[B + 1]` probability to act in each step, and never.
    """
    seen = data.seen
    chances = np.where(seen, reading.chances(fitted.foretell(data)), 0.0).sum(axis=0)
    reached = seen.sum(axis=0)
    hazard = chances / np.maximum(reached, 1)
    alive = np.cumprod(np.append(1.0, 1.0 - hazard))
    return np.append(alive[:-1] * hazard, alive[-1])
