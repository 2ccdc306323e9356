"""From results to a report: which sections, tables and figures, in which order."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from inverseq.evaluate.likelihood import difference
from inverseq.mdp import MDP
from inverseq.report.document import (
    Block,
    Column,
    Facts,
    Picture,
    Prose,
    Remarks,
    Report,
    Section,
    Table,
)
from inverseq.report.figures import interval_figure, maps, scenes, score_figure, visit_maps
from inverseq.report.places import Places, places
from inverseq.report.records import Contrasts, Results, ScoreRow
from inverseq.report.words import (
    headline,
    methods,
    references,
    remarks_of,
    what_it_adds,
)

_FEW_UNITS = 10
"""Units below which a standard error over them is itself uncertain by a quarter and more."""

HOW_TO_READ = (
    "Zero would be certainty. A model that scores 0.1 higher makes every observed decision 1.1 "
    "times as likely on average (e to the 0.1). Yardsticks only count; a reward that predicts "
    "worse than counting has not been understood yet."
)


def build_report(results: Results, provenance: Mapping[str, str], made: str) -> Report:
    """The report of a fit.

    Args:
        results: What was found.
        provenance: Versions, seed, hash of the data, command, by name.
        made: When and by which version, for the footer.
    """
    shown = places(results.solution)
    where = scenes(results.given, results.worlds, shown.visits)
    drawn = results.row(results.chosen)
    name = results.chosen if drawn is None else drawn.name
    wants: list[Block] = [Prose((results.reason,)), *maps(shown, where, name)]
    if results.contrasts is not None:
        wants += _contrast_blocks(results.contrasts, name)
    facts = results.diagnosis.facts
    counted = [(k.replace("_", " "), f"{v:,.0f}") for k, v in facts.items()]
    sections = (
        Section(
            "How well it predicts",
            (*score_blocks(results.scores, results.chosen), Prose((HOW_TO_READ,))),
        ),
        Section("What the reward adds, and what it does not", (Prose(what_it_adds(results)),)),
        Section("What they want", tuple(wants)),
        Section(
            "The data",
            (
                Prose((results.source,)),
                Facts(tuple(counted), short=True),
                Remarks(remarks_of(results)),
                *visit_maps(shown, where),
            ),
        ),
        Section("Methods", (Prose(methods(results)),)),
        Section("References", (Prose(references(results)),)),
        Section(
            "Settings and provenance",
            (Facts((*results.settings.items(), *provenance.items())),),
        ),
    )
    return Report(f"What reward explains: {results.title}", headline(results), sections, made)


def score_blocks(rows: tuple[ScoreRow, ...], chosen: str | None) -> tuple[Picture, Table]:
    """Held-out scores as a figure and as a table."""
    keys = [row.key for row in rows]
    figure = score_figure(
        [row.name for row in rows],
        np.array([row.score.mean for row in rows]),
        np.array([row.score.standard_error for row in rows]),
        np.array([row.yardstick for row in rows]),
        rows[0].score.chance_mean,
        keys.index(chosen) if chosen in keys else None,
    )
    return figure, score_table(rows)


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
                _or_none(score.standard_error),
                _or_none(score.free_mean),
                _or_none(score.free_standard_error),
                None if gain is None else gain.mean,
                None if gain is None else _or_none(gain.standard_error),
                100 * score.accuracy,
                row.parameters,
                row.seconds,
            )
        )
    free = _or_none(best.free_chance_mean)
    cells.append(
        ("chance: existing actions alike", best.chance_mean, None, free, *[None] * 4, 0, None)
    )
    forced = best.num_forced / best.num_decisions
    units = int((best.decisions > 0).sum())
    few = f" There are only {units} units: the errors are rough." if units < _FEW_UNITS else ""
    return Table(
        "scores",
        "Held-out scores in nats per decision, best first; higher is better",
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
            Column("Seconds", ".2f", "seconds"),
        ),
        tuple(cells),
        note=(
            f"{best.num_decisions:,} decisions; {forced:.1%} of them are forced and left out of "
            "“free only”. SE: standard error over units. “vs one-step”: paired difference to the "
            "one-step table. “Numbers”: free numbers in the fit. “Right”: the most probable "
            f"action was taken.{few}"
        ),
        strong=tuple(i for i, row in enumerate(ordered) if not row.yardstick)[:1],
    )


def state_table(shown: Places, given: MDP | Mapping[str, MDP], name: str = "states") -> Table:
    """Reward, value, policy and visits of every place, for the CSV file `name`."""
    mdps = {"": given} if isinstance(given, MDP) else dict(given)
    actions = next(iter(mdps.values())).action_names or tuple(
        str(a) for a in range(shown.policy.shape[1])
    )
    titles = ["world", "state", "name", "x", "y", "visits", "reward", "value"]
    titles += [f"probability_{a}" for a in actions] + [f"reward_{a}" for a in actions]
    rows, first = [], 0
    for world, mdp in mdps.items():
        for s in range(mdp.num_states):
            rows.append((world, *_state_cells(shown, mdp, s, first + s)))
        first += mdp.num_states
    return Table(name, "Every state", tuple(map(Column, titles)), tuple(rows))


def _state_cells(shown: Places, mdp: MDP, state: int, place: int) -> tuple[Any, ...]:
    """One row of the table of states."""
    where = (None, None)
    if mdp.coordinates is not None:
        where = tuple(float(c) for c in mdp.coordinates[state][:2])
    numbers = [shown.visits[place], shown.reward[place], shown.value[place]]
    numbers += [*shown.policy[place], *shown.rewards[place]]
    cells = [float(n) if np.isfinite(n) else None for n in numbers]
    return (state, mdp.state_names[state] if mdp.state_names else "", *where, *cells)


def summary(results: Results, provenance: Mapping[str, str]) -> dict[str, Any]:
    """The results for machines."""
    return {
        "title": results.title,
        "headline": [text.replace("*", "") for text in headline(results)],
        "division": results.division,
        "chance": results.scores[0].score.chance_mean,
        "free_chance": results.scores[0].score.free_chance_mean,
        "decisions": results.scores[0].score.num_decisions,
        "forced": results.scores[0].score.num_forced,
        "scores": [row.summary() for row in results.scores],
        "chosen": results.chosen,
        "contrasts": []
        if results.contrasts is None
        else [vars(row) for row in results.contrasts.rows],
        "remarks": list(results.remarks),
        "settings": dict(results.settings),
        "provenance": dict(provenance),
        "seconds": results.seconds,
    }


def _contrast_blocks(contrasts: Contrasts, drawn: str) -> list[Block]:
    """Intervals as a figure and a table, and what is identified."""
    rows = contrasts.rows
    array = lambda name: np.array([getattr(row, name) for row in rows])  # noqa: E731
    figure = interval_figure(
        [row.name for row in rows],
        array("low"),
        array("estimate"),
        array("high"),
        contrasts.caption,
    )
    table = Table(
        "contrasts",
        "Differences of IAVI's rewards, in units of the policy's temperature",
        (
            Column("Difference", name="contrast"),
            Column("Estimate", "+.2f", "estimate"),
            Column("Low", "+.2f", "low"),
            Column("High", "+.2f", "high"),
            Column("Rests on", name="verdict"),
        ),
        tuple((r.name, r.estimate, r.low, r.high, r.verdict) for r in rows),
        note=(
            "95 % intervals. “Settled by behaviour”: every reward that explains these decisions "
            "says the same. “Settled by the gauge”: another choice among equivalent rewards gives "
            "another number."
        ),
    )
    whose = (
        "*The intervals below are those of IAVI's reward, not of the reward drawn above* "
        f"({drawn}): IAVI is one linear solve, which can be repeated for every resampled table. "
        "They say how surely these decisions tell rewards apart; Methods says how they were made."
    )
    return [Prose((whose,)), figure, table, Prose(contrasts.identified)]


def _or_none(value: float) -> float | None:
    """The number, or None where there is none."""
    return float(value) if np.isfinite(value) else None
