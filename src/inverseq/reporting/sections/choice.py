"""How many intentions to take."""

from typing import Any

import numpy as np

from inverseq.analysis.findings import Findings
from inverseq.evaluate.choice import Choice
from inverseq.intentions.solution import EMPTY
from inverseq.reporting.document import Column, Section, Table
from inverseq.reporting.figures.intentions import choice_figure
from inverseq.reporting.sections.headline import references
from inverseq.reporting.words import line, prose, text


def how_many(findings: Findings) -> Section | None:
    """Scores by number of intentions; silent where no number was to be chosen."""
    if findings.choosing is None:
        return None
    choice = findings.choosing.choice
    lines = [(name, row.score.mean) for row, name in references(findings)]
    scored = [row.score.mean for row in findings.scores if not row.yardstick]
    low, high = min(scored), max(scored)
    near = [(name, value) for name, value in lines if value > low - 2 * (high - low)]
    seen = (choice_figure(choice, near), prose("choice.j2", "failures", **failures_of(findings)))
    more = (choice_table(choice), prose("choice.j2", "how_to_read"))
    return Section(text("choice.j2", "title"), seen, more)


def failures_of(findings: Findings) -> dict[str, Any]:
    """What failed, and what the chosen fit left empty, for the template."""
    assert findings.choosing is not None  # asked for a choice only
    choice = findings.choosing.choice
    solution = choice[choice.chosen].solution
    empty = [] if solution is None else np.flatnonzero(solution.occupancy < EMPTY) + 1
    told = {"failures": findings.failures, "chosen": choice.chosen, "empty": list(empty)}
    return told | {"least": EMPTY}


def choice_table(choice: Choice) -> Table:
    """One row per number of intentions."""
    wanted = (
        ("Intentions", "name", ""),
        ("Held out", "nats", ".4f"),
        ("SE", "error", ".4f"),
        ("vs fewer", "to_fewer", "+.4f"),
        ("SE", "to_fewer_error", ".4f"),
        ("vs best", "to_best", "+.4f"),
        ("SE", "to_best_error", ".4f"),
        ("BIC", "bic", ",.0f"),
        ("Numbers", "parameters", ",.0f"),
        ("Restarts, %", "restart_agreement", ".0f"),
        ("Folds, %", "fold_agreement", ".0f"),
        ("Empty", "empty", ",.0f"),
    )
    rows = []
    for row in choice.rows:
        cells = []
        for _, key, form in wanted:
            value = row[key]
            if form and not np.isfinite(value):
                value = None
            elif key.endswith("agreement"):
                value = 100 * value
            cells.append(value)
        rows.append(tuple(cells))
    names = [one.name for one in choice.alternatives]
    return Table(
        "choice",
        text("choice.j2", "table"),
        tuple(Column(title, form, key) for title, key, form in wanted),
        tuple(rows),
        note=line("choice.j2", "note"),
        strong=(names.index(choice.chosen),),
    )
