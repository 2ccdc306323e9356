"""The data, the methods with the settings that were used, and what to cite."""

import numpy as np

from inverseq.analysis.deep import DEEP
from inverseq.analysis.family import Family
from inverseq.analysis.findings import Findings, Intervals, Reason
from inverseq.doctor import Severity
from inverseq.intentions.contexts import PREVIOUS, STATE
from inverseq.intentions.law import Law
from inverseq.reporting.document import Block, Facts, Remarks, Section, Weight
from inverseq.reporting.figures.places import visit_maps
from inverseq.reporting.sections.intentions import drawn_worlds, each_place
from inverseq.reporting.words import line, prose, text

_WEIGHTS: dict[Severity, Weight] = {
    Severity.ERROR: "problem",
    Severity.WARNING: "warning",
    Severity.NOTE: "note",
}
_OF_STATE = {STATE, f"{PREVIOUS}{STATE}"}
"""Columns with which a law depends on where one is."""


def the_data(findings: Findings) -> Section | None:
    """Where the table came from and what is in it; silent where the doctor was not asked."""
    diagnosis = findings.diagnosis
    if diagnosis is None or findings.solution is None:
        return None
    facts = [(k.replace("_", " "), f"{v:,.0f}") for k, v in diagnosis.facts.items()]
    source = prose("methods.j2", "source", source=findings.source, dataset=findings.dataset)
    blocks: list[Block] = [source, Facts(tuple(facts), short=True)]
    if findings.intentions is None:
        blocks.append(_remarks(findings))
    shown = each_place(findings)
    if shown:
        visits = np.sum([each.visits for each in shown], axis=0)
        blocks += visit_maps(visits, drawn_worlds(findings, shown))
    return Section(text("methods.j2", "data_title"), tuple(blocks), folded=True)


def _remarks(findings: Findings) -> Remarks:
    """What went wrong, and what the doctor found."""
    assert findings.diagnosis is not None  # as `the_data` has seen
    failed = prose("scores.j2", "failures", failures=findings.failures).paragraphs
    items: list[tuple[Weight, str]] = []
    items.extend(("problem", each) for each in failed)
    items.extend(
        (_WEIGHTS[each.severity], line("methods.j2", "finding", found=each))
        for each in findings.diagnosis.findings
    )
    return Remarks(tuple(items) or (("good", line("methods.j2", "healthy")),))


def division(findings: Findings) -> str:
    """How the data were divided; nothing for folds."""
    if findings.division is None:
        return ""
    return text("methods.j2", "division", division=findings.division, plan=findings.plan)


def methods(findings: Findings) -> Section | None:
    """How it was done; silent where nothing was scored."""
    if not findings.scores:
        return None
    plan = findings.plan
    values = {"plan": plan, "settings": findings.settings, "division": findings.division}
    values["divided"] = division(findings)
    asked = findings.intentions or findings.choosing
    if asked is not None:
        values |= {"explainer": asked.explainer.name, "law": _law(asked.law)}
    if findings.solution is None:
        values.setdefault("explainer", None)
        return _methods("compared", values)
    shown = findings.row(findings.chosen)
    assert shown is not None  # what is shown was scored
    mdp = values["mdp"] = findings.solution.mdp
    if findings.intentions is not None:
        values |= {"score": shown.score, "made": findings.intentions.intervals}
        return _methods("intentions", values)
    score = findings.best_reward.score
    notes = {} if mdp is None else mdp.notes
    values |= {
        "score": score,
        "forced": score.num_forced / score.num_decisions,
        "shown": shown,
        "families": {row.model.family for row in findings.scores},
        "shared": findings.reason is Reason.SHARED,
        "counted": notes if "estimated" in notes else None,
        "reason": line("wants.j2", "reason", reason=findings.reason, row=shown),
        "intervals": [c for c in (findings.contrasts, findings.settled) if c is not None],
    }
    return _methods("models", values)


def _methods(block: str, values: dict) -> Section:
    """The section with this block's words."""
    told = prose("methods.j2", block, **values)
    return Section(text("methods.j2", "title"), (told,), folded=True)


def _law(law: Law) -> str:
    """The law of switching as part of a sentence."""
    return text("methods.j2", "law", law=law)


def references(findings: Findings) -> Section | None:
    """What to cite; silent where models are only compared."""
    if findings.solution is None:
        return None
    found = findings.intentions
    rows = [row.model.family for row in findings.scores]
    families = rows if found is None else [found.explainer.family]
    told = {
        "intentions": found is not None,
        "depends": found is not None and bool(_OF_STATE & {*found.law.on}),
        "iavi": Family.IAVI in families or findings.chosen in DEEP,
        "calibrated": findings.observed is not None,
        "maxent": Family.MAXENT in families,
        "bootstrap": any(
            each is not None and each.how is Intervals.BOOTSTRAP
            for each in (findings.contrasts, findings.settled)
        ),
        "citation": findings.dataset.citation if findings.dataset else "",
    }
    title = text("methods.j2", "references_title")
    return Section(title, (prose("methods.j2", "references", **told),), folded=True)
