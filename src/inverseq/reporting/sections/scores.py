"""How well models predict, and what a reward adds to counting."""

from typing import Any

import numpy as np

from inverseq.analysis.findings import Findings, ScoreRow
from inverseq.evaluate.likelihood import difference
from inverseq.plot import scores
from inverseq.reporting.document import Column, Picture, Section, Table
from inverseq.reporting.figures.places import picture
from inverseq.reporting.gains import gain_of
from inverseq.reporting.words import line, prose, text

_FEW_UNITS = 10
"""Units below which a standard error over them is itself uncertain by a quarter and more."""


def how_well(findings: Findings) -> Section | None:
    """Scores as a figure and a table; silent where nothing was scored."""
    if not findings.scores:
        return None
    kind = "models" if findings.intentions is None else "intentions"
    kind = "compared" if findings.solution is None else kind
    blocks = [_figure(findings), score_table(findings.scores), prose("scores.j2", "how_to_read")]
    if findings.solution is None and findings.choosing is None:
        blocks.append(prose("scores.j2", "failures", failures=findings.failures))
    return Section(text("scores.j2", "title", kind=kind), tuple(blocks))


def what_it_adds(findings: Findings) -> Section | None:
    """What the reward adds to counting; silent unless one reward of a world was looked at."""
    fit = findings.solution
    if fit is None or fit.mdp is None or findings.intentions is not None:
        return None
    one, iavi, states = map(findings.row, ("table-1", "iavi", "maxent-states"))
    memory, past = findings.row("maxent-history"), findings.plan.history
    table = findings.row(f"table-{past}") or findings.row(f"backoff-{past}")
    values: dict[str, Any] = {
        "iavi_gap": None if iavi is None or one is None else abs(gain_of(iavi, one).mean),
        "states": states if one is not None else None,
        "to_one": None if states is None or one is None else gain_of(states, one),
        "memory": memory if table is not None else None,
        "table": table,
        "to_table": None if memory is None or table is None else gain_of(memory, table),
    }
    return Section(text("scores.j2", "adds_title"), (prose("scores.j2", "adds", **values),))


def _figure(findings: Findings) -> Picture:
    """Held-out scores with their yardsticks."""
    rows = findings.scores
    keys, names = [row.key for row in rows], [row.name for row in rows]
    means = np.array([row.score.mean for row in rows])
    errors = np.array([row.score.standard_error for row in rows])
    yardsticks = np.array([row.yardstick for row in rows])
    chance, best = rows[0].score.chance_mean, int(np.argmax(means))
    chosen = keys.index(findings.chosen) if findings.chosen in keys else None
    told = {"count": len(rows), "name": names[best], "best": means[best], "chance": chance}
    return picture(
        "scores",
        lambda ax: scores(
            names, means, errors, ax=ax, yardsticks=yardsticks, chance=chance, chosen=chosen
        ),
        text("scores.j2", "alt", **told),
        line("scores.j2", "caption", drawn=findings.solution is not None),
        width=7.0,
        height=0.9 + 0.26 * len(names),
        wide=True,
    )


def score_table(rows: tuple[ScoreRow, ...]) -> Table:
    """Held-out scores, best first, with chance at the end."""
    ordered = sorted(rows, key=lambda row: -row.score.mean)
    best = ordered[0].score
    one = next((row for row in rows if row.key == "table-1"), None)
    cells = []
    for row in ordered:
        score = row.score
        gain = None if one is None else difference(score, one.score)
        cells.append(
            (
                row.name,
                score.mean,
                or_none(score.standard_error),
                or_none(score.free_mean),
                or_none(score.free_standard_error),
                None if gain is None else gain.mean,
                None if gain is None else or_none(gain.standard_error),
                100 * score.accuracy,
                row.parameters,
            )
        )
    free = or_none(best.free_chance_mean)
    cells.append(("chance: existing actions alike", best.chance_mean, None, free, *[None] * 4, 0))
    units = int((best.decisions > 0).sum())
    forced = best.num_forced / best.num_decisions
    note = {"score": best, "forced": forced, "units": units, "few": units < _FEW_UNITS}
    return Table(
        "scores",
        text("scores.j2", "table"),
        (
            Column("Model", name="model"),
            Column("All", ".3f", "nats"),
            Column("SE", ".3f", "error"),
            Column("Free only", ".3f", "free_nats"),
            Column("SE", ".3f", "free_error"),
            Column("vs one-step", "+.3f", "above_one_step_table"),
            Column("SE", ".3f", "above_one_step_table_error"),
            Column("Right, %", ".1f", "accuracy_percent"),
            Column("Numbers", ",.0f", "parameters"),
        ),
        tuple(cells),
        note=line("scores.j2", "note", **note),
        strong=tuple(i for i, row in enumerate(ordered) if not row.yardstick)[:1],
    )


def or_none(value: float) -> float | None:
    """The number, or None where there is none."""
    return float(value) if np.isfinite(value) else None
