"""What would change the answer: other rewards and memories, beside those that are shown."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from inverseq.analysis.family import Family
from inverseq.analysis.findings import Contrast, Findings, ScoreRow
from inverseq.analysis.standing import Standing, standing_of
from inverseq.evaluate.identifiability import Verdict
from inverseq.plot import intervals
from inverseq.reporting.document import Picture, Section
from inverseq.reporting.figures.places import row_of
from inverseq.reporting.sections.headline import clear_differences
from inverseq.reporting.sections.wants import said, upwards
from inverseq.reporting.words import line, prose, text

_HEIGHT = 1.9


def what_would_change_it(findings: Findings) -> Section | None:
    """The largest difference that behaviour settles under the other rewards that were fitted, and
    the gain of rewards that look further back; silent where nothing is claimed or compared.
    """
    if not findings.scores or standing_of(findings) is not Standing.ABOVE:
        return None
    memories, (top, others) = _memories(findings), _largest(findings)
    if top is None or not (others or len(memories) > 1):
        return None
    up = 1 if top.estimate >= 0 else -1  # the difference as it is said
    others = [(name, up * value) for name, value in others]
    values = [value for _, value in others]
    told: dict[str, Any] = {
        "said": said(top),
        "low": min(values, default=0.0),
        "high": max(values, default=0.0),
        "others": len(values),
        "flips": min(values, default=0.0) < 0,
        "memories": [(row.model.memory, row.score.above_chance) for row in memories],
    }
    figure = Picture(
        "sensitivity",
        text("sensitivity.j2", "alt", **told),
        line("sensitivity.j2", "caption", **told),
        lambda width: _drawn(upwards(top), others, memories, width),
        wide=True,
    )
    title = text("sensitivity.j2", "title")
    return Section(title, (prose("sensitivity.j2", "told", **told), figure))


def _largest(findings: Findings) -> tuple[Contrast | None, list[tuple[str, float]]]:
    """The largest clear difference that behaviour settles, and what other rewards say of it: of the
    reward that is shown, else of the one without a memory. What a gauge or a prior makes differs
    between rewards for no reason of the data.
    """
    for found in (findings.contrasts, findings.settled):
        rows = () if found is None else found.rows
        clear = [row for row in rows if row.clear and row.verdict is Verdict.SETTLED]
        if found is not None and clear:
            top = max(clear, key=lambda row: abs(row.estimate))
            place = found.rows.index(top)
            told = [(other.model.name, other.estimates[place]) for other in found.otherwise]
            return top, [(name, value) for name, value in told if np.isfinite(value)]
    return next(iter(clear_differences(findings)[1]), None), []


def _memories(findings: Findings) -> list[ScoreRow]:
    """Rewards on states and actions that look at one state and at more, as far as there are."""
    kind = [row for row in findings.scores if row.model.family is Family.MAXENT]
    rows = [row for row in kind if row.model.reward == "state-actions"]
    return sorted(rows, key=lambda row: row.model.memory)


def _drawn(
    top: tuple[float, float, float],
    others: list[tuple[str, float]],
    memories: list[ScoreRow],
    width: float,
) -> Figure:
    """The difference on the left, gains over chance on the right, as far as there are any."""
    figure, axes = row_of((len(others) > 0) + (len(memories) > 1), width, _HEIGHT)
    if others:
        names = [text("sensitivity.j2", "as_reported"), *(name for name, _ in others)]
        middle = np.array([top[1], *(value for _, value in others)])
        low, high = middle.copy(), middle.copy()
        low[0], _, high[0] = top
        intervals(names, low, middle, high, ax=axes[0], unit="largest difference (temperature)")
    if len(memories) > 1:
        gains = [row.score.above_chance for row in memories]
        ends = np.array([gain.interval() for gain in gains])
        means = np.array([gain.mean for gain in gains])
        names = [text("sensitivity.j2", "memory", memory=row.model.memory) for row in memories]
        intervals(names, ends[:, 0], means, ends[:, 1], ax=axes[-1], unit="gain over chance (nats)")
    return figure
