"""What the intentions go with."""

from typing import Any

import numpy as np

from inverseq.analysis.crossed import Crossed
from inverseq.analysis.findings import Findings
from inverseq.reporting.document import Column, Section, Table
from inverseq.reporting.words import line, prose, text

_CLEAR, _FAR = 0.05, 0.1
"""How rarely a shuffled column may be as far away, over all columns, and how far that must be."""


def what_they_go_with(findings: Findings) -> Section | None:
    """Shares of the intentions by the columns of the table; silent without several, or columns."""
    found = findings.intentions
    if found is None or not found.crossed:
        return None
    told = strongest(findings)
    sentence = prose("crossed.j2", "goes_with" if told else "nothing", **told)
    title, table = text("crossed.j2", "title"), _table(found.crossed)
    return Section(title, (sentence,), (table,))


def strongest(findings: Findings) -> dict[str, Any]:
    """The column that goes with an intention most clearly, and where; empty without such."""
    rows = () if findings.intentions is None else findings.intentions.crossed
    clear = [row for row in rows if row.p_value <= _CLEAR / len(rows) and row.distance >= _FAR]
    if not clear:
        return {}
    row = clear[0]
    k = int(np.ptp(row.shares, axis=0).argmax())
    high, low = int(row.shares[:, k].argmax()), int(row.shares[:, k].argmin())
    return {
        "k": k + 1,
        "column": row.column,
        "value": row.values[high],
        "other": row.values[low],
        "high": row.shares[high, k],
        "low": row.shares[low, k],
        "others": [each.column for each in clear[1:]],
    }


def _table(rows: tuple[Crossed, ...]) -> Table:
    """One row per value of each column."""
    count = rows[0].shares.shape[1]
    cells = [
        (row.column, value, int(decisions), *(100 * float(s) for s in shares), row.p_value)
        for row in rows
        for value, decisions, shares in zip(row.values, row.decisions, row.shares, strict=True)
    ]
    columns = (
        Column("Column", name="column"),
        Column("Value", name="value"),
        Column("Decisions", ",d", "decisions"),
        *(Column(f"{k}, %", ".0f", f"intention_{k}_percent") for k in range(1, count + 1)),
        Column("p", ".3f", "p_value"),
    )
    note = line("crossed.j2", "note")
    return Table("intentions_by_column", text("crossed.j2", "table"), columns, tuple(cells), note)
