"""What would change the answer: other settings, beside those that were used."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from inverseq.analysis.family import Family
from inverseq.analysis.findings import Findings, ScoreRow
from inverseq.analysis.standing import Standing, standing_of
from inverseq.plot import intervals
from inverseq.reporting.document import Picture, Section
from inverseq.reporting.figures.places import row_of
from inverseq.reporting.sections.headline import clear_differences
from inverseq.reporting.sections.wants import said, upwards
from inverseq.reporting.words import line, prose, text

_HEIGHT = 1.9


def what_would_change_it(findings: Findings) -> Section | None:
    """The largest difference under other settings, and the gain of rewards that look further back;
    silent where nothing is claimed.
    """
    clear, found = clear_differences(findings), findings.contrasts
    if found is None or not clear or standing_of(findings) is not Standing.ABOVE:
        return None
    top, place = clear[0], found.rows.index(clear[0])
    up = 1 if top.estimate >= 0 else -1  # the difference as it is said
    others = [(o.setting, o.value, up * o.estimates[place]) for o in found.otherwise]
    memories = _memories(findings)
    values = [value for *_, value in others] or [up * top.estimate]
    told: dict[str, Any] = {
        "said": said(top),
        "low": min(values),
        "high": max(values),
        "held": next((o.setting for o in found.otherwise if o.setting != "discount"), "smoothing"),
        "flips": min(values) < 0,
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


def _memories(findings: Findings) -> list[ScoreRow]:
    """Rewards on states and actions that look at one state and at more, as far as there are."""
    kind = [row for row in findings.scores if row.model.family is Family.MAXENT]
    rows = [row for row in kind if row.model.reward == "state-actions"]
    return sorted(rows, key=lambda row: row.model.memory)


def _drawn(
    top: tuple[float, float, float],
    others: list[tuple[str, float, float]],
    memories: list[ScoreRow],
    width: float,
) -> Figure:
    """The difference on the left, gains over chance on the right."""
    figure, axes = row_of(1 + (len(memories) > 1), width, _HEIGHT)
    names = [text("sensitivity.j2", "as_reported"), *(f"{n} {v:.3g}" for n, v, _ in others)]
    middle = np.array([top[1], *(each for *_, each in others)])
    low, high = middle.copy(), middle.copy()
    low[0], _, high[0] = top
    intervals(names, low, middle, high, ax=axes[0], unit="largest difference (temperature)")
    if len(memories) > 1:
        gains = [row.score.above_chance for row in memories]
        ends = np.array([gain.interval() for gain in gains])
        means = np.array([gain.mean for gain in gains])
        names = [text("sensitivity.j2", "memory", memory=row.model.memory) for row in memories]
        intervals(names, ends[:, 0], means, ends[:, 1], ax=axes[1], unit="gain over chance (nats)")
    return figure
