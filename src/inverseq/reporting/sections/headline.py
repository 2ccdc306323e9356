"""The title, and the result in two or three sentences."""

from typing import Any

import numpy as np

from inverseq.analysis.findings import Choosing, Contrasts, Findings, IntentionFindings
from inverseq.evaluate.identifiability import Verdict
from inverseq.reporting.gains import gain_of
from inverseq.reporting.sections.intentions import AGREEING, described, lasting
from inverseq.reporting.sections.wants import contrast_name
from inverseq.reporting.words import plain, prose

REFERENCES = (
    ("marginal", "share of each action"),
    ("table-1", "one-step table"),
    ("table-2", "two-step table"),
)
"""Yardsticks that scores of intentions are held against, and their names in sentences."""


def title(findings: Findings) -> str:
    """What the report is about."""
    return plain("headline.j2", f"{_kind(findings)}_title", title=findings.title)[0]


def headline(findings: Findings) -> tuple[str, ...]:
    """The result as HTML, a paragraph each."""
    return prose("headline.j2", _kind(findings), **_values(findings)).paragraphs


def headline_text(findings: Findings) -> tuple[str, ...]:
    """The same as plain text."""
    return plain("headline.j2", _kind(findings), **_values(findings))


def _kind(findings: Findings) -> str:
    """Which question was asked."""
    if findings.solution is None:
        return "compared" if findings.choosing is None else "choice"
    return "models" if findings.intentions is None else "intentions"


def _values(findings: Findings) -> dict[str, Any]:
    """The numbers of the headline."""
    if findings.choosing is not None:
        return _of_choice(findings, findings.choosing)
    if findings.solution is None:
        return {"best": max(findings.scores, key=lambda row: row.score.mean)}
    if findings.intentions is not None:
        return _of_intentions(findings, findings.intentions)
    best, table, one = findings.best_reward, findings.best_table, findings.row("table-1")
    chance = best.score.chance_mean
    reach = table.score.mean - chance
    return {
        "best": best,
        "table": table,
        "one": one if one is not None and one.key != table.key else None,
        "gain": gain_of(best, table),
        "share": (best.score.mean - chance) / reach if reach > 0 else float("nan"),
        "alone": np.isnan(best.score.standard_error),
        **_of_contrasts(findings.contrasts),
    }


def _of_contrasts(contrasts: Contrasts | None) -> dict[str, Any]:
    """What is wanted, as far as behaviour itself settles it."""
    rows = () if contrasts is None else contrasts.rows
    sure = [row for row in rows if row.verdict is Verdict.SETTLED]
    top = max(sure, key=lambda row: abs(row.estimate), default=None)
    return {
        "settled": len(sure),
        "clear": sum(row.low > 0 or row.high < 0 for row in sure),
        "top": top,
        "top_name": "" if top is None else contrast_name(top),
    }


def _of_intentions(findings: Findings, found: IntentionFindings) -> dict[str, Any]:
    """What the intentions are and how sure, then how well they predict."""
    solution, mine = found.solution, findings.row(findings.chosen)
    assert mine is not None  # several intentions are always scored
    one, several, table = findings.row("one"), findings.row("intentions"), findings.best_table
    others = solution.restarts.agreement[1:]
    return {
        "shares": solution.occupancy,
        "stays": lasting(found, solution.num_intentions),
        "told": described(findings),
        "to_one": None if one is None or several is None else gain_of(several, one),
        "searches": others.size,
        "agree": int((others >= AGREEING).sum()),
        "agreeing": AGREEING,
        "mine": mine,
        "references": _references(findings),
        "table": table,
        "to_table": gain_of(mine, table),
        "alone": np.isnan(mine.score.standard_error),
    }


def _of_choice(findings: Findings, asked: Choosing) -> dict[str, Any]:
    """What to choose and how sure that is, and the reference lines."""
    return {
        "choice": asked.choice,
        "mine": findings.scores[0],
        "references": _references(findings),
        "table": findings.best_table,
    }


def _references(findings: Findings) -> list[tuple[Any, str]]:
    """The yardsticks that were scored."""
    rows = [(findings.row(key), name) for key, name in REFERENCES]
    return [(row, name) for row, name in rows if row is not None]
