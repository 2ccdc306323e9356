"""How well models predict, and what a reward adds to counting."""

from typing import Any

import numpy as np

from inverseq.analysis.family import Family
from inverseq.analysis.findings import Findings, ScoreRow
from inverseq.analysis.standing import Standing, standing_of
from inverseq.evaluate.likelihood import Difference, difference
from inverseq.plot import scores
from inverseq.reporting.document import Column, Picture, Section, Table
from inverseq.reporting.figures.places import picture
from inverseq.reporting.words import line, prose, text

ONE_STEP: dict[str, Any] = {"family": Family.TABLE, "order": 1}
"""The model that others are held against: it counts what was done in each state."""

_FEW_UNITS = 10
"""Units below which a standard error over them is itself uncertain by a quarter and more."""


def how_well(findings: Findings) -> Section | None:
    """The scores that matter as a figure and a table, then all; silent where nothing was scored."""
    if not findings.scores:
        return None
    kind = "models" if findings.intentions is None else "intentions"
    kind = "compared" if findings.solution is None else kind
    few, more = _that_matter(findings), [prose("scores.j2", "how_to_read")]
    if findings.solution is None and findings.choosing is None:
        more.append(prose("scores.j2", "failures", failures=findings.failures))
    return Section(
        text("scores.j2", "title", kind=kind),
        (_figure(findings, few, ""), short_table(findings)),
        (_figure(findings, findings.scores, "scores"), score_table(findings), *more),
    )


def _that_matter(findings: Findings) -> tuple[ScoreRow, ...]:
    """The model that is shown (else the best with a reward), the one-step table, cloning, and the
    best yardstick.
    """
    shown = findings.row(findings.chosen) or findings.best_reward
    rows = (
        shown,
        findings.find(**ONE_STEP),
        findings.find(family=Family.CLONING),
        findings.best_yardstick,
    )
    return tuple(row for row in findings.scores if any(row is each for each in rows))


def what_it_adds(findings: Findings) -> Section | None:
    """What the reward adds to counting; silent unless one reward of a world predicts."""
    fit = findings.solution
    if fit is None or fit.mdp is None or findings.intentions is not None:
        return None
    if standing_of(findings) is not Standing.ABOVE:
        return None
    past, find = findings.plan.history, findings.find
    one, iavi = find(**ONE_STEP), find(family=Family.IAVI)
    states = find(family=Family.MAXENT, reward="states", memory=1)
    memory = find(family=Family.MAXENT, reward="state-actions", memory=past) if past > 1 else None
    table = find(family=Family.TABLE, order=past) or find(family=Family.BACKOFF, order=past)
    iavi_gap = _gain(iavi, one)
    values: dict[str, Any] = {
        "iavi_gap": None if iavi_gap is None else abs(iavi_gap.mean),
        "states": states if one is not None else None,
        "to_one": _gain(states, one),
        "memory": memory if table is not None else None,
        "table": table,
        "to_table": _gain(memory, table),
    }
    told = prose("scores.j2", "adds", **values)
    return Section(text("scores.j2", "adds_title"), (told,), folded=True)


def _gain(row: ScoreRow | None, other: ScoreRow | None) -> Difference | None:
    """How much better one model predicts than another; None where one was not scored."""
    return None if row is None or other is None else difference(row.score, other.score)


def _figure(findings: Findings, rows: tuple[ScoreRow, ...], file: str) -> Picture:
    """Held-out scores with their yardsticks."""
    keys, names = [row.key for row in rows], [row.name for row in rows]
    means = np.array([row.score.mean for row in rows])
    errors = np.array([row.score.standard_error for row in rows])
    yardsticks = np.array([row.yardstick for row in rows])
    chance, best = rows[0].score.chance_mean, int(np.argmax(means))
    chosen = keys.index(findings.chosen) if findings.chosen in keys else None
    told = {"count": len(rows), "name": names[best], "best": means[best], "chance": chance}
    return picture(
        file,
        lambda ax: scores(
            names, means, errors, ax=ax, yardsticks=yardsticks, chance=chance, chosen=chosen
        ),
        text("scores.j2", "alt", **told),
        line("scores.j2", "caption", drawn=findings.solution is not None, all=bool(file)),
        height=0.9 + 0.26 * len(names),
        wide=True,
    )


def short_table(findings: Findings) -> Table:
    """The scores that matter, best first, with what they mean beside chance."""
    rows = sorted(_that_matter(findings), key=lambda row: -row.score.mean)
    gains = [row.score.above_chance for row in rows]
    best = findings.best_yardstick
    reach = best.score.above_chance
    counted = best.model.counts and reach.mean > 0 and reach.clear()
    cells = [
        (
            row.name,
            row.score.mean,
            float(np.exp(gain.mean)),
            100 * gain.mean / reach.mean if counted else None,
        )
        for row, gain in zip(rows, gains, strict=True)
    ]
    cells.append((text("scores.j2", "chance"), rows[0].score.chance_mean, 1.0, None))
    shown = findings.row(findings.chosen) or findings.best_reward
    reached = "the best of the tables" if best.model.tabled else best.name
    return Table(
        "",
        text("scores.j2", "short"),
        (
            Column("Model"),
            Column("Nats", ".3f"),
            Column("Times chance", ".2f"),
            Column("Of counting, %", ".0f"),
        ),
        tuple(cells),
        note=line("scores.j2", "short_note", count=len(findings.scores), best=reached),
        strong=tuple(i for i, row in enumerate(rows) if row is shown),
    )


def score_table(findings: Findings) -> Table:
    """Held-out scores, best first, with chance at the end."""
    ordered = sorted(findings.scores, key=lambda row: -row.score.mean)
    best = ordered[0].score
    one, cells = findings.find(**ONE_STEP), []
    over, apart = [*ordered[0].over], any(row.novel is not None for row in ordered)
    # Where nothing is forced, these columns say the same as the first two, and others need room.
    told_free = best.num_forced > 0 or not (over or apart)
    for row in ordered:
        score = row.score
        gain = None if one is None else difference(score, one.score)
        novel = None if row.novel is None else row.novel.mean
        free = [or_none(score.free_mean), or_none(score.free_standard_error)]
        cells.append(
            (
                row.name,
                score.mean,
                or_none(score.standard_error),
                *(or_none(row.over[unit].standard_error) for unit in over),
                *[novel] * apart,
                *free * told_free,
                None if gain is None else gain.mean,
                None if gain is None else or_none(gain.standard_error),
                100 * score.accuracy,
                row.parameters,
            )
        )
    free = or_none(best.free_chance_mean)
    fresh = ordered[0].novel
    chance = [None if fresh is None else fresh.chance_mean] * apart
    blank = [None] * (1 + len(over))
    cells.append(
        (
            text("scores.j2", "chance"),
            best.chance_mean,
            *blank,
            *chance,
            *[free, None] * told_free,
            *[None] * 3,
            0,
        )
    )
    units = int((best.decisions > 0).sum())
    forced = best.num_forced / best.num_decisions
    note = {"score": best, "forced": forced, "units": units, "few": units < _FEW_UNITS}
    note |= {"over": over, "by": findings.plan.by, "novel": fresh, "told_free": told_free}
    return Table(
        "scores",
        text("scores.j2", "table"),
        (
            Column("Model", name="model"),
            Column("All", ".3f", "nats"),
            Column("SE", ".3f", "error"),
            *(Column(f"SE, {unit}s", ".3f", f"error_over_{unit}") for unit in over),
            *[Column("Novel", ".3f", "novel_nats")] * apart,
            *[Column("Free only", ".3f", "free_nats"), Column("SE", ".3f", "free_error")]
            * told_free,
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
