"""How sure several intentions are: empty ones, searches that disagree, more than are needed."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from inverseq.analysis.findings import Findings
from inverseq.analysis.intention_findings import IntentionFindings
from inverseq.evaluate.likelihood import difference
from inverseq.intentions.solution import EMPTY
from inverseq.reporting.document import Column, Remarks, Section, Table, Weight
from inverseq.reporting.sections.intentions import AGREEING
from inverseq.reporting.words import line, prose, text

_SAME = 1e-4


def how_sure(findings: Findings) -> Section | None:
    """What speaks against these intentions, and how the searches ended; silent without any."""
    found = findings.intentions
    if found is None:
        return None
    items: list[tuple[Weight, str]] = []
    items.extend(
        ("problem", each)
        for each in prose("scores.j2", "failures", failures=findings.failures).paragraphs
    )
    items.extend(("warning", line("intentions.j2", b, **v)) for b, v in warnings_of(findings))
    if not items:
        block = "one" if found.solution.num_intentions == 1 else "good"
        items = [("good", line("intentions.j2", block))]
    title = text("intentions.j2", "sure_title")
    return Section(title, (Remarks(tuple(items)),), (restart_table(found),))


def warnings_of(findings: Findings) -> Iterator[tuple[str, dict[str, Any]]]:
    """Blocks of the template to say, and their values."""
    found = findings.intentions
    if found is None:
        return
    solution = found.solution
    count, restarts = solution.num_intentions, solution.restarts
    empty = np.flatnonzero(solution.occupancy < EMPTY)
    smoothed = found.train.posterior.smoothed
    wins = np.bincount(smoothed.argmax(axis=1), minlength=count) / len(smoothed)
    never = np.flatnonzero((wins < EMPTY) & (solution.occupancy >= EMPTY))
    for block, which in (("empty", empty), ("superfluous", never)):
        if which.size:
            fewer = count - which.size
            yield block, {"names": which + 1, "count": count, "least": EMPTY, "fewer": fewer}
    others = restarts.agreement[1:]
    if others.size and np.median(others) < AGREEING:
        size = int(found.train.demonstrations.acted.sum())
        lost = float(restarts.objective[0] - np.median(restarts.objective)) / size
        agreement = float(np.median(others))
        yield "disagree", {"agreement": agreement, "lost": lost, "lower": lost > _SAME}
    if not restarts.converged[0]:
        yield "unfinished", {}
    one, several = findings.one, findings.row(findings.chosen)
    if one is not None and several is not None and not difference(several.score, one.score).better:
        yield "no_gain", {"count": count, "most": max(3, count)}


def restart_table(found: IntentionFindings) -> Table:
    """How the searches ended, best first."""
    ended = found.solution.restarts
    size = int(found.train.demonstrations.acted.sum())
    rows = tuple(
        (
            f"search {r + 1}",
            float(ended.objective[r]) / size,
            float(ended.objective[r] - ended.objective[0]),
            100 * float(ended.agreement[r]),
            int(ended.steps[r]),
            bool(ended.converged[r]),
        )
        for r in range(ended.objective.size)
    )
    return Table(
        "restarts",
        text("intentions.j2", "restarts"),
        (
            Column("Search", name="search"),
            Column("Objective", ".4f", "objective_per_decision"),
            Column("Below best, nats", ".1f", "below_best"),
            Column("Same, %", ".1f", "agreement_percent"),
            Column("Steps", ",.0f", "steps"),
            Column("Ended", name="converged"),
        ),
        rows,
        note=line("intentions.j2", "restarts_note"),
        strong=(0,),
    )
