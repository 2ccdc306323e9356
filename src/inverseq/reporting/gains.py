"""How one model does against another."""

from dataclasses import dataclass

import numpy as np

from inverseq.analysis.findings import ScoreRow
from inverseq.evaluate.likelihood import difference


@dataclass(frozen=True)
class Gain:
    """A difference of scores, in nats per decision.

    Attributes:
        mean: The difference; above zero where the first is better.
        standard_error: NaN where there is a single unit.
    """

    mean: float
    standard_error: float

    @property
    def clear(self) -> bool:
        """Whether it is beyond two standard errors; with one unit, beyond a thousandth."""
        if np.isnan(self.standard_error):
            return abs(self.mean) > 1e-3
        return abs(self.mean) > max(2 * self.standard_error, 1e-9)

    @property
    def better(self) -> bool:
        """Whether the first is clearly better."""
        return self.clear and self.mean > 0


def gain_of(row: ScoreRow, other: ScoreRow) -> Gain:
    """The first model's score less the second's, paired by unit."""
    found = difference(row.score, other.score)
    return Gain(found.mean, found.standard_error)
