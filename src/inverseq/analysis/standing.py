"""What may be claimed at all: where held-out decisions stand against chance."""

from collections.abc import Sequence
from enum import StrEnum

from inverseq.analysis.findings import Findings, ScoreRow
from inverseq.evaluate.likelihood import FEWEST_UNITS

LEVEL = 0.95
"""How often the intervals of an analysis should hold the truth."""


class Standing(StrEnum):
    """Where the models stand against chance; the first that holds is the first thing to say."""

    TOO_FEW = "too few units"
    CHANCE = "nothing is clearly above chance"
    COUNTED = "only counting is clearly above chance"
    ABOVE = "a reward is clearly above chance"


def standing_of(findings: Findings) -> Standing:
    """Where the models stand against chance.

    The model that is shown was chosen without the held-out decisions, so that its own 95 % t
    interval over units counts. Of several models none of which was chosen beforehand, the best
    looks better than it is: their levels are shared out (Bonferroni).
    """
    shown = findings.row(findings.chosen)
    rewards = [row for row in findings.scores if not row.yardstick] if shown is None else [shown]
    if findings.scores[0].score.above_chance.units < FEWEST_UNITS:
        return Standing.TOO_FEW
    if _any_above(rewards):
        return Standing.ABOVE
    tables = [row for row in findings.scores if row.yardstick]
    return Standing.COUNTED if _any_above(tables) else Standing.CHANCE


def _any_above(rows: Sequence[ScoreRow]) -> bool:
    """Whether one of the models predicts better than chance, whichever that is."""
    level = 1 - (1 - LEVEL) / max(len(rows), 1)
    gains = [row.score.above_chance for row in rows]
    return any(gain.mean > 0 and gain.clear(level) for gain in gains)
