"""How often so many animals tell so large a difference: the t test under its alternative."""

import numpy as np
from scipy.optimize import brentq
from scipy.special import nctdtr, stdtrit

POWER = 0.8
"""How often a difference of the size `detectable` is found."""


def chance_to_find(
    effect: float, first: int, second: int | None = None, level: float = 0.95
) -> float:
    """How often a two-sided t test finds a standardised difference.

    Args:
        effect: In standard deviations between animals; of pairs, of differences.
        first: Animals of one group, or pairs; two or more.
        second: Animals of the other group; None for pairs.
        level: One less the level of the test.
    """
    degrees, scale = _shape(first, second)
    away, shift = float(stdtrit(degrees, (1 + level) / 2)), abs(effect) * scale
    # Where so large a shift is beyond the numbers of the function, it is found always.
    missed = float(nctdtr(degrees, shift, away))
    return 1.0 - (missed if np.isfinite(missed) else 0.0)


def detectable(first: int, second: int | None = None, level: float = 0.95) -> float:
    """The smallest standardised difference that a t test finds in 80 of 100 tries; arguments as of
    `chance_to_find`.
    """
    degrees, scale = _shape(first, second)
    away = stdtrit(degrees, (1 + level) / 2)
    missed = lambda shift: float(nctdtr(degrees, shift, away)) - (1 - POWER)  # noqa: E731
    # Far out its numbers end, so that the search goes up from where half are missed.
    most = float(away)
    while missed(most) > 0:
        most *= 1.25
    return float(brentq(missed, 0.0, most) / scale)


def _shape(first: int, second: int | None) -> tuple[int, float]:
    """Degrees of freedom, and how a standardised difference shifts t."""
    if second is None:
        return first - 1, float(np.sqrt(first))
    return first + second - 2, float(np.sqrt(first * second / (first + second)))
