"""The same intention under the same number, across restarts, folds and animals."""

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import linear_sum_assignment


def match(
    reference: Float[np.ndarray, "N K"], other: Float[np.ndarray, "N L"]
) -> Int[np.ndarray, " L"]:
    """Which intention of `reference` each intention of `other` is, from beliefs about N decisions.

    The matching makes the expected number of decisions on which both agree as large as possible
    (Kuhn 1955). Where `other` has more intentions, those without a partner get numbers from K on.

    Args:
        reference: `[N, K]` probabilities of intentions.
        other: `[N, L]` probabilities of intentions of the same decisions under another fit.
    """
    overlap = other.T @ reference
    mine, theirs = linear_sum_assignment(-overlap)
    found = np.full(other.shape[1], -1)
    found[mine] = theirs
    alone = found < 0
    found[alone] = reference.shape[1] + np.arange(int(alone.sum()))
    return found


def agreement(reference: Float[np.ndarray, "N K"], other: Float[np.ndarray, "N L"]) -> float:
    """Share of N decisions whose most probable intention is the same after matching labels."""
    place = match(reference, other)
    return float((reference.argmax(axis=1) == place[other.argmax(axis=1)]).mean())
