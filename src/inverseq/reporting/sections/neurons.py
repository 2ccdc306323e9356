"""Which neurons follow what the fit says of each decision, and in which window it can be read."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Bool

from inverseq.analysis.findings import Findings
from inverseq.analysis.neural_findings import LEVEL, NeuralFindings, Related
from inverseq.demonstrations import Signal
from inverseq.reporting.document import Block, Column, Section, Table
from inverseq.reporting.figures.neurons import decoding_picture, encoding_picture
from inverseq.reporting.words import line, plain, prose, text

_TEMPLATE = "neurons.j2"
_MOST = 12
"""Relations in the table of the strongest."""


def which_neurons(findings: Findings) -> Section | None:
    """Encoding; silent where nothing was recorded."""
    found = findings.neural
    if found is None:
        return None
    told = _told(findings, found)
    # Spikes stand beside the answer already.
    blocks = (prose(_TEMPLATE, "encoding", **told), encoding_picture(found))
    more: list[Block] = [table_by_area(found), _strongest(found), prose(_TEMPLATE, "mind", **told)]
    return Section(text(_TEMPLATE, "encoding_title"), blocks, tuple(more))


def when_it_is_told(findings: Findings) -> Section | None:
    """Decoding; silent where nothing was recorded."""
    found = findings.neural
    if found is None:
        return None
    blocks = (prose(_TEMPLATE, "decoding", **_told(findings, found)), decoding_picture(found))
    return Section(text(_TEMPLATE, "decoding_title"), blocks, (_decoding_table(found),))


def neural_lead(findings: Findings) -> tuple[str, ...]:
    """What the neurons follow, for the first screen; nothing where nothing was recorded."""
    found = findings.neural
    if found is None:
        return ()
    return prose(_TEMPLATE, "lead", **_told(findings, found)).paragraphs


def neural_line(findings: Findings) -> tuple[tuple[str, str], ...]:
    """How that was judged, likewise."""
    found = findings.neural
    if found is None:
        return ()
    told = line(_TEMPLATE, "judged", **_told(findings, found))
    return ((text(_TEMPLATE, "judged_label"), told),)


def _told(findings: Findings, found: NeuralFindings) -> dict[str, Any]:
    """Numbers of the sentences."""
    each, units = clear_at_any(found), len(found.areas)
    counts = each.sum(axis=0)
    areas = np.array(found.areas)
    where = [
        (area, int(each[areas == area].any(axis=1).sum()), int((areas == area).sum()))
        for area in dict.fromkeys(found.areas)
    ]
    decoding = found.decoding
    told = np.argwhere(decoding.clear)
    best = max(told, key=lambda at: decoding.relations.explained[*at], default=None)
    return {
        "found": found,
        "plan": findings.plan.neural,
        "folds": findings.plan.folds,
        "series": units,
        "follow": int(each.any(axis=1).sum()),
        "most": found.asked[int(counts.argmax())],
        "count": int(counts.max()),
        "where": sorted(where, key=lambda row: -row[1] / row[2]),
        "questions": len(found.encoding) * each.size,
        "told": None
        if best is None
        else {
            "name": found.asked[best[1]],
            "low": float(found.windows[best[0], 0]),
            "high": float(found.windows[best[0], 1]),
            "share": float(decoding.relations.explained[*best]),
        },
        "readable": [n for j, n in enumerate(found.asked) if decoding.clear[:, j].any()],
        "level": LEVEL,
    }


def clear_at_any(found: NeuralFindings) -> Bool[np.ndarray, "F G"]:
    """Which relations are clear at one lag or another."""
    return np.logical_or.reduce([each.clear for each in found.encoding])


def table_by_area(found: NeuralFindings) -> Table:
    """Per area and regressor, how many follow it at any lag."""
    clear = clear_at_any(found)
    single = np.stack([each.relations.p_values for each in found.encoding]).min(axis=0) <= LEVEL
    best = np.stack([each.relations.explained for each in found.encoding]).max(axis=0)
    areas = np.array(found.areas)
    rows = []
    for area in dict.fromkeys(found.areas):
        mine = areas == area
        for j, name in enumerate(found.asked):
            numbers = (int(mine.sum()), int(clear[mine, j].sum()), int(single[mine, j].sum()))
            rows.append((area, name, *numbers, 100 * float(best[mine, j].mean())))
    columns = (
        Column("Area", name="area"),
        Column("Regressor", name="regressor"),
        Column("Series", ",d", "series"),
        Column("Clear", ",d", "clear"),
        Column("Single p < 0.05", ",d", "single"),
        Column("Explained, %", "+.2f", "explained_percent"),
    )
    title = text(_TEMPLATE, "by_area", lags=len(found.encoding))
    return Table("encoding_by_area", title, columns, tuple(rows), line(_TEMPLATE, "by_area_note"))


def relation_columns(related: tuple[Related, ...], areas: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Every relation as a row of columns, for `encoding` and `decoding`; lag by lag."""
    rows = [
        ({"lag": each.lag} if areas else {})
        | {k: v for k, v in row.items() if areas or k != "correlation"}
        | ({"area": areas[place // len(each.relations.regressors)]} if areas else {})
        | {"adjusted": float(adjusted)}
        for each in related
        for place, (row, adjusted) in enumerate(
            zip(each.relations.rows, each.adjusted.ravel(), strict=True)
        )
    ]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def relation_tables(found: NeuralFindings) -> Iterator[tuple[str, dict[str, np.ndarray]]]:
    """All relations as columns, by name of the file."""
    yield "encoding", relation_columns(found.encoding, found.areas)
    yield "decoding", relation_columns((found.decoding,), ())


def _strongest(found: NeuralFindings) -> Table:
    """The relations that explain most among those that are clear, else among all."""
    columns = relation_columns(found.encoding, found.areas)
    order = np.lexsort((-columns["explained"], columns["adjusted"] > LEVEL))[:_MOST]
    names = ("series", "area", "regressor", "lag", "explained", "correlation", "adjusted")
    forms = ("", "", "", "+.2f", "+.3f", "+.2f", ".3f")
    shown = tuple(
        Column(text(_TEMPLATE, f"column_{name}"), form, name)
        for name, form in zip(names, forms, strict=True)
    )
    rows = tuple(tuple(columns[name][row].item() for name in names) for row in order)
    return Table("", text(_TEMPLATE, "strongest"), shown, rows)


def _decoding_table(found: NeuralFindings) -> Table:
    """One row per window, one column per regressor."""
    explained, clear = found.decoding.relations.explained, found.decoding.clear
    windows = [text(_TEMPLATE, "window", low=low, high=high) for low, high in found.windows]
    rows = tuple(
        (window, *(100 * float(share) for share in shares))
        for window, shares in zip(windows, explained, strict=True)
    )
    columns = (Column(text(_TEMPLATE, "column_window")), *(Column(n, "+.1f") for n in found.asked))
    stars = [
        (windows[i], found.asked[j], float(found.decoding.adjusted[i, j]))
        for i, j in np.argwhere(clear)
    ]
    return Table(
        "", text(_TEMPLATE, "decoded"), columns, rows, line(_TEMPLATE, "decoded_note", clear=stars)
    )


def neural_summary(findings: Findings) -> dict[str, Any]:
    """The same for machines."""
    found = findings.neural
    if found is None:
        return {}
    told = _told(findings, found)
    made = {
        name: told[name] for name in ("series", "follow", "most", "count", "questions", "readable")
    }
    made |= {"read_out": told["told"], "regressors": found.asked, "constant": found.constant}
    made |= {"areas": [{"area": a, "follow": n, "series": of} for a, n, of in told["where"]]}
    made |= {"covariates": found.covariates, "alike": found.alike, "outside": found.outside}
    return made


def neural_remarks(findings: Findings) -> tuple[str, ...]:
    """What to mind, as plain text."""
    found = findings.neural
    return () if found is None else plain(_TEMPLATE, "mind", **_told(findings, found))


def fitted_series(found: NeuralFindings) -> dict[str, Signal]:
    """The series of the fit as an NWB file holds them, on the clock of the session."""
    times = found.series.times
    assert times is not None  # as relating has seen
    return {
        name.replace(" ", "_"): Signal(
            times,
            values[:, None],
            unit=text(_TEMPLATE, "unit", name=name),
            description=text(_TEMPLATE, "described", name=name),
        )
        for name, values in found.series.series.items()
    }
