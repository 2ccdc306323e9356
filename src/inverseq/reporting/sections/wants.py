"""What one reward says is wanted: maps, and differences with their intervals."""

from typing import Any

import numpy as np

from inverseq.analysis.contrasts import FEWEST_RESAMPLED
from inverseq.analysis.findings import Contrast, Contrasts, Difference, Findings, Intervals
from inverseq.analysis.routes import costs_of
from inverseq.analysis.standing import Standing, standing_of
from inverseq.evaluate.identifiability import Verdict
from inverseq.plot import intervals
from inverseq.reporting.document import Block, Column, Section, Table
from inverseq.reporting.figures.places import maps, picture
from inverseq.reporting.sections.intentions import drawn_worlds, each_place
from inverseq.reporting.sections.observed import reward_pictures
from inverseq.reporting.sections.scores import or_none
from inverseq.reporting.words import line, prose, text


def what_they_want(findings: Findings) -> Section | None:
    """The reward that is drawn; silent unless one reward was looked at, of places or actions."""
    if findings.solution is None or findings.intentions is not None:
        return None
    if costs_of(findings) is not None:
        return None
    row = findings.row(findings.chosen)
    assert row is not None  # what is shown was scored
    blocks: list[Block] = [prose("wants.j2", "reason", reason=findings.reason, row=row)]
    more: list[Block] = []
    standing = standing_of(findings)
    if standing is not Standing.ABOVE:
        blocks.insert(0, prose("wants.j2", "unclaimed", few=standing is Standing.TOO_FEW))
    drawn = [
        each
        for shown in each_place(findings)
        for each in maps(shown, drawn_worlds(findings, [shown]), row.name)
    ] + reward_pictures(findings)
    # The first stands in the answer already.
    blocks += drawn[1:]
    if findings.earned:
        blocks.append(_earned(findings))
    for found, name in ((findings.contrasts, ""), (findings.settled, "_settled")):
        if found is None:
            continue
        if name:
            blocks.append(prose("wants.j2", "whose", drawn=row.name))
        seen, unfolded = _contrasts(found, name, findings.plan.by)
        blocks, more = [*blocks, *seen], [*more, *unfolded]
    return Section(text("wants.j2", "title"), tuple(blocks), tuple(more))


def _earned(findings: Findings) -> Table:
    """What each action earns, where states are observations."""
    return Table(
        "rewards",
        text("wants.j2", "earned"),
        (
            Column("Action", name="action"),
            Column("Decisions", ",d", "decisions"),
            Column("Mean reward", "+.3f", "mean"),
            Column("SD", ".3f", "spread"),
        ),
        tuple((e.action, e.decisions, or_none(e.mean), or_none(e.spread)) for e in findings.earned),
        note=line("wants.j2", "earned_note"),
    )


def contrast_name(row: Contrast) -> str:
    """What is compared, for people."""
    return difference_name(row.difference, row.names)


def difference_name(kind: Difference, names: tuple[str, ...]) -> str:
    """The same of a kind of difference and its names."""
    return text("wants.j2", "contrast", kind=kind, names=names)


def said(row: Contrast) -> str:
    """What is wanted more than what, whichever way the difference goes."""
    told = {"kind": row.difference, "names": row.names, "up": row.estimate >= 0}
    return text("wants.j2", "said", **told)


def upwards(row: Contrast) -> tuple[float, float, float]:
    """The lower end, the difference and the upper end, as it is said."""
    made = (row.low, row.estimate, row.high)
    return made if row.estimate >= 0 else (-row.high, -row.estimate, -row.low)


def _contrasts(found: Contrasts, file: str, by: str) -> tuple[list[Block], list[Block]]:
    """Intervals as a figure; then as a table, and what is identified."""
    rows, names = found.rows, [contrast_name(row) for row in found.rows]
    low, middle, high = (
        np.array([getattr(row, name) for row in rows]) for name in ("low", "estimate", "high")
    )
    figure = picture(
        f"intervals{file}",
        lambda ax: intervals(names, low, middle, high, ax=ax),
        text("wants.j2", "alt", rows=list(zip(rows, names, strict=True))),
        line("wants.j2", "caption", units=found.units, by=by, model=found.model.name),
        height=0.9 + 0.28 * len(rows),
        wide=True,
    )
    table = Table(
        f"contrasts{file}",
        text("wants.j2", "table", model=found.model.name),
        (
            Column("Difference", name="contrast"),
            Column("Estimate", "+.2f", "estimate"),
            Column("Low", "+.2f", "low"),
            Column("High", "+.2f", "high"),
            Column("Rests on", name="verdict"),
        ),
        tuple(
            (name, r.estimate, or_none(r.low), or_none(r.high), verdict_name(r.verdict))
            for name, r in zip(names, rows, strict=True)
        ),
        note=line("wants.j2", "note", by=by, **_resampled(found)),
    )
    told = {"found": found.identification, "error": found.unexamined}
    figures = [figure] if found.how is not Intervals.NONE else []
    return [*figures], [table, prose("wants.j2", "identified", **told)]


def _resampled(found: Contrasts) -> dict[str, Any]:
    """How the intervals came about, for the template."""
    flat = any(row.high == row.low for row in found.rows)
    smoothed = any(row.verdict is Verdict.SMOOTHED for row in found.rows)
    told = {"how": found.how, "units": found.units, "gauge": found.gauge, "smoothed": smoothed}
    return told | {"flat": flat, "fewest": FEWEST_RESAMPLED}


def verdict_name(verdict: Verdict | None) -> str:
    """What settles a difference."""
    return "not examined" if verdict is None else str(verdict)
