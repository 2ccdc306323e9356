"""Whether what is said to happen so often does: reliability of the probabilities of actions.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks" (ICML 2017); bins of
equally many predictions over all actions, as in Nixon and others, "Measuring Calibration in Deep
Learning" (CVPR Workshops 2019), because rewards rest on the rare actions as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import freeze
from inverseq._core.display import Fact, ShownTable
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.explanation import Explanation, check_arguments
from inverseq.policies.policy import check_known

_WIDTH = 1.96
"""Standard errors of an interval of 95 %."""


@dataclass(frozen=True, eq=False)
class Calibration(ShownTable):
    """Predicted probabilities in B bins, beside how often the actions were taken.

    A prediction is made for each action that exists at each decision with a choice.

    Attributes:
        expected: `[B]` mean predicted probability, rising.
        taken: `[B]` share of these actions that were taken.
        low: `[B]` lower end of its interval of 95 % (Wilson 1927), decisions taken as independent.
        high: `[B]` upper end.
        counts: `[B]` predictions.
    """

    expected: Float[np.ndarray, " B"]
    taken: Float[np.ndarray, " B"]
    low: Float[np.ndarray, " B"]
    high: Float[np.ndarray, " B"]
    counts: Int[np.ndarray, " B"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "expected", "taken", "low", "high")
        freeze(self, np.int64, "counts")

    @property
    def predictions(self) -> int:
        """How many there are in all."""
        return int(self.counts.sum())

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of `expected` and `taken` over predictions."""
        return float(self.counts @ np.abs(self.taken - self.expected) / self.predictions)

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per bin for a table."""
        names = ("expected", "taken", "low", "high")
        return [
            {name: float(getattr(self, name)[b]) for name in names} | {"predictions": int(count)}
            for b, count in enumerate(self.counts)
        ]

    def _facts(self) -> Iterable[Fact]:
        return (
            ("error", f"{self.error:.4f}"),
            ("predictions", self.predictions),
        )


def calibration(
    solution: Explanation, demonstrations: Demonstrations, *, bins: int = 10
) -> Calibration:
    """How far predicted probabilities of actions are from how often these are taken.

    Args:
        solution: What `fit` returned; of finitely many actions.
        demonstrations: Decisions that the fit has not seen.
        bins: B, each of equally many predictions (fewer where probabilities are few).

    Raises:
        InputError: The decisions do not fit the world, actions are continuous or unknown to the
            fit, or no decision has a known action and a choice.
    """
    check_arguments(solution, demonstrations, "calibration")
    if solution.num_actions is None:
        raise InputError("continuous actions have densities, and no probabilities to calibrate")
    if bins < 1:
        raise InputError(f"bins must be 1 or more; got {bins}")
    check_known(demonstrations, solution.num_actions)
    exists = solution.exists(demonstrations)
    judged = demonstrations.acted & (exists.sum(axis=1) > 1)
    if not judged.any():
        raise InputError("no decision has a known action and a choice: nothing to calibrate on")
    exists = exists[judged]
    chances = solution.probabilities(demonstrations)[judged][exists]
    done = np.arange(exists.shape[1]) == demonstrations.actions[judged, None]
    happened = done[exists].astype(np.float64)
    edges = np.unique(np.quantile(chances, np.linspace(0, 1, bins + 1)))
    place = np.searchsorted(edges[1:-1], chances, side="right")
    counts, expected, taken = (np.bincount(place, w) for w in (None, chances, happened))
    full = counts > 0
    counts = counts[full]
    expected, taken = expected[full] / counts, taken[full] / counts
    wide = _WIDTH**2 / counts
    middle = (taken + wide / 2) / (1 + wide)
    half = _WIDTH * np.sqrt(taken * (1 - taken) / counts + wide / (4 * counts)) / (1 + wide)
    return Calibration(expected, taken, middle - half, middle + half, counts)
