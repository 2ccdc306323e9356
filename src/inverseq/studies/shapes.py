"""What studies share: rows of plain numbers, differences to yardsticks, a figure of scores."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.evaluate.likelihood import Score, difference


def plain(row: Mapping[str, Any], digits: int = 4) -> dict[str, Any]:
    """A row with its numbers rounded and in the types of Python; None for what is no number."""

    def one(value: Any) -> Any:
        value = value.item() if isinstance(value, np.generic) else value
        if isinstance(value, float):
            return round(value, digits) if math.isfinite(value) else None
        return value

    return {name: one(value) for name, value in row.items()}


def beside(score: Score, others: Mapping[str, Score]) -> dict[str, float]:
    """How much better a score is than each of the others, and the paired standard errors."""
    row: dict[str, float] = {}
    for name, other in others.items():
        gain = difference(score, other)
        row |= {f"over {name}": gain.mean, f"over {name}, error": gain.standard_error}
    return row


def score_figure(
    size: tuple[float, float],
    scores: Mapping[str, tuple[float, float]],
    yardsticks: Sequence[bool],
    chosen: str | None = None,
    **how: Any,
) -> Figure:
    """Models with means and standard errors; yardsticks hollow and grey, `chosen` ringed."""
    figure, (ax,) = plot.canvas(*size)
    means, errors = np.array([*scores.values()]).T
    plot.scores(
        [*scores],
        means,
        errors,
        ax=ax,
        yardsticks=np.array(yardsticks),
        chosen=None if chosen is None else [*scores].index(chosen),
        **how,
    )
    return figure
