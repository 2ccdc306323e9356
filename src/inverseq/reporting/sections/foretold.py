"""Who foretells the act that ends each trial, and what silencing would do, on paper."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from inverseq.analysis.findings import Findings
from inverseq.analysis.neural_findings import Foretold
from inverseq.neural.matching import Match
from inverseq.reporting.document import Column, Section, Table
from inverseq.reporting.figures.neurons import match_picture, points_picture, silencing_picture
from inverseq.reporting.words import line, prose, text

_TEMPLATE = "foretold.j2"
_OURS = "NeuRL"
_SCORES = ("exact", "near_1", "near_2")


def who_foretells(findings: Findings) -> Section | None:
    """The table of matches; silent where no act ends the trials."""
    found = _found(findings)
    if found is None:
        return None
    told = _told(findings, found)
    pictures = (match_picture(found), *silencing_picture(found), *points_picture(found))
    blocks = (prose(_TEMPLATE, "foretold", **told), match_table(found), *pictures)
    more = (*_silenced_table(found), prose(_TEMPLATE, "mind", **told))
    return Section(text(_TEMPLATE, "title", event=found.event), blocks, more)


def foretold_line(findings: Findings) -> tuple[tuple[str, str], ...]:
    """The same for the first screen; nothing where no act ends the trials."""
    found = _found(findings)
    if found is None:
        return ()
    return ((text(_TEMPLATE, "label"), line(_TEMPLATE, "foretold", **_told(findings, found))),)


def _found(findings: Findings) -> Foretold | None:
    """What was foretold."""
    return None if findings.neural is None else findings.neural.foretold


def _told(findings: Findings, found: Foretold) -> dict[str, Any]:
    """Numbers of the sentences."""
    gaps = {method: scores["near_1"] for method, scores in found.ahead.items()}
    asked = findings.plan.neural
    assert asked is not None
    return {
        "found": found,
        "ours": float(found.found.of(_OURS).mean()),
        "ahead": [name for name, gap in gaps.items() if gap.low > 0],
        "behind": [name for name, gap in gaps.items() if gap.high < 0],
        "level": [name for name, gap in gaps.items() if gap.low <= 0 <= gap.high],
        "folds": found.found.matches.shape[1],
        "configurations": asked.configurations,
    }


def match_table(found: Foretold) -> Table:
    """One row per method: means over folds, and by how much NeuRL is ahead."""
    rows = []
    for method in found.found.methods:
        scores = [float(found.found.of(method, name).mean()) for name in Match._fields]
        spread = float(found.found.of(method).std(ddof=1))
        gap = None if method == _OURS else found.ahead[method]["near_1"]
        numbers = (None,) * 3 if gap is None else (gap.mean, gap.low, gap.high)
        rows.append((method, *scores, spread, *numbers))
    heads = ("method", *Match._fields, "spread", "ahead", "low", "high")
    forms = ("", ".2f", ".2f", ".2f", "+.3f", ".2f", "+.2f", "+.2f", "+.2f")
    columns = tuple(
        Column(text(_TEMPLATE, f"column_{name}"), form, name)
        for name, form in zip(heads, forms, strict=True)
    )
    told = {"event": found.event, "step": found.step}
    note = line(_TEMPLATE, "match_note", **told)
    return Table("match", text(_TEMPLATE, "match", **told), columns, tuple(rows), note)


def _silenced_table(found: Foretold) -> Iterator[Table]:
    """One row per area, one column per dose: shifts of the mean time."""
    areas = dict.fromkeys((each.area, each.units) for each in found.silenced)
    if not areas:
        return
    doses = sorted({each.dose for each in found.silenced})
    shifts = {(each.area, each.dose): each.shift for each in found.silenced}
    columns = (
        Column(text(_TEMPLATE, "column_area"), name="area"),
        Column(text(_TEMPLATE, "column_units"), ",d", "units"),
        *(
            Column(text(_TEMPLATE, "column_dose", dose=dose), "+.2f", f"shift_{dose:g}")
            for dose in doses
        ),
    )
    rows = tuple((a, n, *(shifts[a, dose] for dose in doses)) for a, n in areas)
    title = text(_TEMPLATE, "silenced", event=found.event)
    yield Table("silencing", title, columns, rows, line(_TEMPLATE, "silenced_note"))


def foretold_summary(findings: Findings) -> dict[str, Any]:
    """The same for machines."""
    found = _found(findings)
    if found is None:
        return {}
    table = match_table(found)
    names = [column.name for column in table.columns]
    methods = [dict(zip(names, row, strict=True)) for row in table.rows]
    held = [
        {"area": each.area, "units": each.units, "dose": each.dose, "shift": each.shift}
        for each in found.silenced
    ]
    time = np.arange(len(found.chances)) * found.step
    return {
        "foretold": {
            "event": found.event,
            "step": found.step,
            "trials": found.trials,
            "left_out": found.left_out,
            "methods": methods,
            "mean_time": float(found.seen @ time),
            "mean_foretold": float(found.chances @ time),
            "silenced": held,
        }
    }
