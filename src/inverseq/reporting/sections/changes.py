"""When intentions change, and whether the fit behaves like the animal."""

import numpy as np

from inverseq.analysis.findings import Findings
from inverseq.analysis.intention_findings import IntentionFindings
from inverseq.reporting.document import Block, Column, Section, Table
from inverseq.reporting.figures.intentions import (
    checks_figure,
    dwell_figures,
    occupancy_figure,
    session_figures,
    transition_figure,
)
from inverseq.reporting.sections.intentions import drawn_worlds, each_place
from inverseq.reporting.sections.scores import or_none
from inverseq.reporting.words import line, prose, text


def when_they_change(findings: Findings) -> Section | None:
    """Sessions, what follows what, how long it lasts; silent without intentions."""
    found = findings.intentions
    if found is None:
        return None
    where = drawn_worlds(findings, each_place(findings))
    # The first session stands in the answer already.
    blocks: list[Block] = [*session_figures(found, where)[1:], *transition_figure(found)]
    if found.changes is None:
        blocks.append(prose("intentions.j2", "never"))
    more = (occupancy_figure(found), *dwell_figures(found), prose("intentions.j2", "beliefs"))
    return Section(text("intentions.j2", "changes_title"), tuple(blocks), more)


def transition_table(found: IntentionFindings) -> list[Table]:
    """What follows what as rows; nothing for a law without changes."""
    chances, made = found.changes, found.intervals
    if chances is None:
        return []
    rows = tuple(
        (
            i + 1,
            j + 1,
            float(chances[i, j]),
            None if made is None else or_none(float(made.transition.low[i, j])),
            None if made is None else or_none(float(made.transition.high[i, j])),
        )
        for i, j in np.ndindex(*chances.shape)
    )
    names = ("from", "to", "probability", "low", "high")
    return [Table("transitions", "", tuple(map(Column, names)), rows)]


def does_it_behave(findings: Findings) -> Section | None:
    """Whether the fit behaves like the animal; silent where nothing was simulated."""
    if findings.intentions is None or findings.intentions.checks is None:
        return None
    checks = findings.intentions.checks
    columns = (
        Column("Statistic", name="statistic"),
        Column("Real", ".4g", "observed"),
        Column("Simulated", ".4g", "simulated"),
        Column("Low", ".4g", "low"),
        Column("High", ".4g", "high"),
        Column("p", ".3f", "p_value"),
    )
    cell = lambda v: v if isinstance(v, str) else or_none(v)  # noqa: E731
    rows = tuple(tuple(cell(row[c.name]) for c in columns) for row in checks.rows)
    title, note = text("intentions.j2", "checks_table"), line("intentions.j2", "checks_note")
    table = Table("predictive_checks", title, columns, rows, note=note)
    sentence = prose("intentions.j2", "checks", checks=checks)
    figures = checks_figure(checks, checks.sentence)
    return Section(text("intentions.j2", "checks_title"), (sentence,), (*figures, table))
