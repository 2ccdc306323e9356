"""Are posteriors what they say? Ranks of the truth among them (simulation-based calibration).

Where truths are drawn from the prior, decisions from the truths, and posteriors are right, the
share of the posterior below the truth is even between 0 and 1 (Cook, Gelman and Rubin 2006; Talts
and others 2018). Only numbers that decisions tell of are a test: of what is not identified the
posterior is the prior, and its ranks are even whatever the fit does.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.special import kolmogorov, ndtr

from inverseq._core.errors import InputError

_BINS = 10


class Ranks(NamedTuple):
    """Shares of posteriors below the truth.

    Attributes:
        shares: `[n]` of each.
        bins: `[10]` how many lie in each tenth: heaped in the middle where intervals are too wide,
            at the ends where they are too narrow.
        farthest: Largest distance of their distribution function from the even one.
        p_value: Of that, were they even (Kolmogorov; shares of one simulation are not independent,
            so take one each).
        covered: Share of the truths inside the middle 95 %.
    """

    shares: Float[np.ndarray, " n"]
    bins: Int[np.ndarray, " 10"]
    farthest: float
    p_value: float
    covered: float


def ranks_of(
    truths: Float[np.ndarray, " n"],
    means: Float[np.ndarray, " n"],
    spreads: Float[np.ndarray, " n"],
) -> Ranks:
    """Ranks of truths in Gaussian posteriors with these means and standard deviations.

    Raises:
        InputError: There are none, or a standard deviation is not above 0.
    """
    if truths.size == 0 or not (spreads > 0).all():
        raise InputError("ranks need a truth or more, and standard deviations above 0")
    shares = ndtr((truths - means) / spreads)
    ordered, steps = np.sort(shares), np.arange(1, shares.size + 1) / shares.size
    farthest = float(np.maximum(steps - ordered, ordered - (steps - 1 / shares.size)).max())
    return Ranks(
        shares,
        np.histogram(shares, _BINS, (0, 1))[0],
        farthest,
        float(kolmogorov(np.sqrt(shares.size) * farthest)),
        float(((shares > 0.025) & (shares < 0.975)).mean()),
    )
