"""The title and the first screen: the answer, how sure it is, and what it does not say."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from inverseq.analysis.family import Family
from inverseq.analysis.findings import Contrast, Contrasts, Findings, Intervals, ScoreRow
from inverseq.analysis.intention_findings import IntentionFindings
from inverseq.analysis.routes import costs_of
from inverseq.analysis.standing import Standing, standing_of
from inverseq.evaluate.identifiability import Verdict
from inverseq.evaluate.likelihood import FEWEST_UNITS, difference
from inverseq.reporting.document import Answer
from inverseq.reporting.sections.crossed import strongest
from inverseq.reporting.sections.foretold import foretold_line
from inverseq.reporting.sections.intentions import (
    AGREEING,
    described,
    each_place,
    lasting,
    on_map,
    wanted,
)
from inverseq.reporting.sections.neurons import neural_lead, neural_line
from inverseq.reporting.sections.wants import said, upwards
from inverseq.reporting.words import line, plain, prose, text

_REFERENCES = (
    (Family.SHARES, 0, "share of each action"),
    (Family.TABLE, 1, "one-step table"),
    (Family.TABLE, 2, "two-step table"),
)
"""Yardsticks that scores of intentions are held against: kind, order, name in sentences."""

_MOST_POINTS = 4


def title(findings: Findings) -> str:
    """What the report is about."""
    kind = _kind(findings) if findings.neural is None else "neural"
    return plain("headline.j2", f"{kind}_title", title=findings.title)[0]


def size(findings: Findings) -> str:
    """How much it was made from."""
    score = findings.scores[0].score
    train = (0, 0) if findings.division is None else findings.division.train
    test = (score.num_decisions, 0) if findings.division is None else findings.division.test
    return text("headline.j2", "size", decisions=train[0] + test[0], of=train[1] + test[1])


def answer(findings: Findings) -> Answer:
    """The first screen."""
    standing, values = standing_of(findings), _values(findings)
    if standing is Standing.ABOVE:
        lead, points = _claims(findings, values)
    else:
        block = {Standing.TOO_FEW: "too_few", Standing.CHANCE: "chance"}.get(standing, "counted")
        lead, points = prose("headline.j2", block, **values).paragraphs, ()
    labels = ["predicts"]
    if standing is Standing.ABOVE and findings.solution is not None:
        labels = ["sure", "predicts", "cannot"]
    lines = []
    for label in labels:
        block = "several_sure" if label == "sure" and findings.intentions is not None else label
        told = line("headline.j2", block, standing=standing, **values)
        if told:
            lines.append((text("headline.j2", f"{label}_label"), told))
    lines = (*neural_line(findings), *foretold_line(findings), *lines)
    return Answer((*neural_lead(findings), *lead), points, lines)


def headline_text(findings: Findings) -> tuple[str, ...]:
    """The same as plain text, a paragraph each."""
    made = answer(findings)
    points = ["; ".join(made.points)] if made.points else []
    told = (*made.lead, *points, *(f"{label}: {words}" for label, words in made.lines))
    return tuple(Markup(each).striptags() for each in told)


def _kind(findings: Findings) -> str:
    """Which question was asked."""
    if findings.solution is None:
        return "compared" if findings.choosing is None else "choice"
    return "models" if findings.intentions is None else "intentions"


def _claims(findings: Findings, values: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What is said where something predicts better than chance: the answer, and its points."""
    kind = _kind(findings)
    if kind == "models" and (costs := costs_of(findings)) is not None:
        surest = np.argsort(-costs.clearness, kind="stable")
        told = {"costs": costs, "first": surest[0]}
        told |= {"avoided": surest[costs.high[surest] < 0], "wanted": surest[costs.low[surest] > 0]}
        return prose("routes.j2", "answer", **told).paragraphs, ()
    if kind == "models":
        lead = prose("headline.j2", "wants", **_of_contrasts(findings)).paragraphs
        return lead, tuple(_points(findings))
    if findings.intentions is None:
        return prose("headline.j2", kind, **values).paragraphs, ()
    told = values | {"agreement": _agreement(findings.intentions)}
    lead = prose("headline.j2", "intentions", **told).paragraphs
    if told["agreement"] < AGREEING:
        lead = (*prose("headline.j2", "irreproducible", **told).paragraphs, *lead)
    parts = zip(values["shares"], values["stays"], described(findings), strict=True)
    points = [
        line("headline.j2", "intention", k=k, share=share, stay=stay, told=does)
        for k, (share, stay, does) in enumerate(parts, 1)
    ]
    goes_with = strongest(findings)
    if goes_with:
        points.append(line("crossed.j2", "goes_with", **goes_with))
    return lead, tuple(points)


def _values(findings: Findings) -> dict[str, Any]:
    """The numbers of the first screen."""
    shown = findings.row(findings.chosen)
    mine = max(findings.scores, key=lambda row: row.score.mean) if shown is None else shown
    table, gain = findings.best_yardstick, mine.score.above_chance
    others = [row.score for row in findings.scores if row is not mine]
    reach = table.score.above_chance
    mdp = None if findings.solution is None else findings.solution.mdp
    visits = [each.visits for each in each_place(findings)]
    seen = np.sum(visits, axis=0) if visits else np.zeros(0)
    units = _all_units(findings)
    found = findings.contrasts
    told = {
        "name": mine.name,
        "mine": mine,
        "best": mine,
        "score": mine.score,
        "gain": gain,
        "by": mine.score.by,
        "units": units,
        "test": np.ceil(20 * FEWEST_UNITS / units) / 20 if units >= 2 * FEWEST_UNITS else None,
        "times": float(np.exp(gain.mean)),
        "table": table,
        "yardstick": "table" if table.model.tabled else "yardstick",
        "to_table": difference(mine.score, table.score),
        "held": reach.mean > 0 and reach.clear(),
        "share": gain.mean / reach.mean if reach.mean > 0 and table.model.counts else float("nan"),
        "rival": difference(mine.score, max(others, key=lambda s: s.mean)) if others else None,
        "contrasts": found,
        "without": None if _settled(found) else findings.settled,
        "seen": findings.observed,
        "costs": costs_of(findings) is not None,
        "found": None if found is None else found.identification,
        "memory": 0 if mdp is None else 1 if mdp.history is None else mdp.history.length,
        "places": seen.size,
        "unseen": int((seen == 0).sum()),
        "cut_from": findings.cut_from,
        "subjects": findings.subjects,
        "forced": mine.score.num_forced / mine.score.num_decisions,
        "references": references(findings),
    }
    if findings.choosing is not None:
        told |= {"choice": findings.choosing.choice}
    if findings.intentions is not None:
        told |= _of_intentions(findings, findings.intentions)
    return told


def _all_units(findings: Findings) -> int:
    """Fitted and held-out units."""
    held_out = int((findings.scores[0].score.decisions > 0).sum())
    return held_out + (0 if findings.division is None else findings.division.units)


def clear_differences(findings: Findings) -> tuple[list[Contrast], list[Contrast]]:
    """The differences to be told, the largest first: those that behaviour settles, of the reward
    that is shown, else of the one without a memory; and of the reward that is shown those that
    rest on the gauge, the prior or the smoothing, where behaviour settles none.
    """
    shown = () if findings.contrasts is None else findings.contrasts.rows
    agreed = [] if _settled(findings.contrasts) else _largest_first(shown)
    settled = _largest_first(_settled(findings.contrasts))
    return settled or _largest_first(_settled(findings.settled)), agreed


def _settled(found: Contrasts | None) -> list[Contrast]:
    """Differences that behaviour settles."""
    rows = () if found is None else found.rows
    return [row for row in rows if row.verdict is Verdict.SETTLED]


def _largest_first(rows: Sequence[Contrast]) -> list[Contrast]:
    """Those that are clear of zero."""
    return sorted((row for row in rows if row.clear), key=lambda row: -abs(row.estimate))


def _points(findings: Findings) -> Iterator[Markup]:
    """The next differences, and how far the first is from being settled where it is not."""
    settled, agreed = clear_differences(findings)
    for row in (settled or agreed)[1:_MOST_POINTS]:
        yield Markup("{}: {}").format(*_said(row))
    if settled and agreed:
        yield line("headline.j2", "agreed_point", **_agreed(findings, agreed))


def _agreed(findings: Findings, rows: list[Contrast]) -> dict[str, Any]:
    """The largest difference that rests on a convention, and on which."""
    found = findings.contrasts
    assert found is not None  # its rows are told
    smoothed = all(row.verdict is Verdict.SMOOTHED for row in rows)
    names = {"agreed_said": _said(rows[0]), "examined": found.identification is not None}
    return names | {"gauge": found.gauge, "agreed": len(rows), "smoothed": smoothed}


def _said(row: Contrast) -> tuple[str, str]:
    """A difference in words, the larger side first, and its numbers."""
    return said(row), text("headline.j2", "numbers", ends=upwards(row))


def _of_contrasts(findings: Findings) -> dict[str, Any]:
    """What is wanted, as far as behaviour itself settles it."""
    found = findings.contrasts
    own, without = _settled(found), _settled(findings.settled)
    (settled, agreed), shown = clear_differences(findings), each_place(findings)
    places = found is None and bool(shown) and on_map(findings)
    seen = findings.observed
    told = _agreed(findings, agreed) if agreed else {"agreed": 0}
    return told | {
        "drawn": None if seen is None else seen.drawn,
        "seen_gauge": "" if seen is None else seen.gauge,
        "top": _said(settled[0]) if settled else None,
        "clear": sum(row.clear for row in own),
        "rows": 0 if found is None else len(found.rows),
        "settled": len(own),
        "few": found.units if found is not None and found.how is Intervals.NONE else 0,
        "settled_else": len(without),
        "clear_else": sum(row.clear for row in without),
        "tops": wanted(findings, shown[0]) if places else [],
    }


def _of_intentions(findings: Findings, found: IntentionFindings) -> dict[str, Any]:
    """What the intentions are and how sure."""
    one, several = findings.one, findings.row(findings.chosen)
    others = found.solution.restarts.agreement[1:]
    return {
        "shares": found.solution.occupancy,
        "stays": lasting(found),
        "to_one": None if one is None or several is None else difference(several.score, one.score),
        "searches": others.size,
        "agree": int((others >= AGREEING).sum()),
        "agreeing": AGREEING,
    }


def _agreement(found: IntentionFindings) -> float:
    """Share of decisions on which other searches agree with the best; 1 where there are none."""
    others = found.solution.restarts.agreement[1:]
    return float(np.median(others)) if others.size else 1.0


def references(findings: Findings) -> list[tuple[ScoreRow, str]]:
    """The yardsticks that were scored, and their names in sentences."""
    rows = [(findings.find(family=kind, order=n), name) for kind, n, name in _REFERENCES]
    return [(row, name) for row, name in rows if row is not None]
