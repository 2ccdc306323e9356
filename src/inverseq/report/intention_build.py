"""From several intentions to a report: which sections, tables and figures, in which order."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from inverseq.evaluate.choice import Choice
from inverseq.report.build import HOW_TO_READ, score_blocks, state_table
from inverseq.report.document import Block, Column, Facts, Prose, Remarks, Report, Section, Table
from inverseq.report.figures import visit_maps
from inverseq.report.intention_figures import (
    checks_figure,
    dwell_figures,
    occupancy_figure,
    reward_maps,
    session_figures,
    transition_figure,
)
from inverseq.report.intention_records import IntentionResults
from inverseq.report.intention_words import (
    describe,
    headline,
    methods,
    references,
    remarks_of,
    warnings_of,
    where_drawn,
)
from inverseq.report.places import places

HOW_TO_READ_CHOICE = (
    "Prediction counts first: an intention that is real foretells decisions nobody has fitted. BIC "
    "counts numbers instead of holding decisions out. Agreement says whether the same intentions "
    "come back from other data; a number of intentions that predicts well and does not come back "
    "is a description, not a finding."
)


def build_report(results: IntentionResults, provenance: Mapping[str, str], made: str) -> Report:
    """The report of a fit with several intentions.

    Args:
        results: What was found.
        provenance: Versions, hash of the data, command, by name.
        made: When and by which version, for the footer.
    """
    where = where_drawn(results)
    shown = [places(part) for part in results.solution.intentions]
    together = replace(shown[0], visits=sum(each.visits for each in shown))
    facts = [(k.replace("_", " "), f"{v:,.0f}") for k, v in results.diagnosis.facts.items()]
    chosen = "intentions" if results.row("intentions") else "one"
    sections = (
        Section(
            "What the intentions are",
            (intention_table(results), *reward_maps(results, where)),
        ),
        Section("When they change", _changes(results, where)),
        Section(
            "How well they predict",
            (*score_blocks(results.scores, chosen), Prose((HOW_TO_READ,))),
        ),
        Section("How sure it is", (Remarks(remarks_of(results)), restart_table(results))),
        *_checks(results),
        Section(
            "The data",
            (
                Prose((results.source,)),
                Facts(tuple(facts), short=True),
                *visit_maps(together, where),
            ),
        ),
        Section("Methods", (Prose(methods(results)),)),
        Section("References", (Prose(references(results)),)),
        Section(
            "Settings and provenance",
            (Facts((*results.settings.items(), *provenance.items())),),
        ),
    )
    return Report(f"Intentions: {results.title}", headline(results), sections, made)


def intention_table(results: IntentionResults) -> Table:
    """One row per intention."""
    solution, made = results.solution, results.intervals
    told = describe(results)
    held_out = results.test.posterior.smoothed.mean(axis=0)
    rows = []
    for k, share in enumerate(solution.occupancy):
        dwell = results.dwells[k] if results.dwells else None
        rows.append(
            (
                f"intention {k + 1}",
                100 * float(share),
                None if made is None else 100 * float(made.occupancy.low[k]),
                None if made is None else 100 * float(made.occupancy.high[k]),
                100 * float(held_out[k]),
                None if dwell is None else _or_none(dwell.mean),
                None if dwell is None else _or_none(dwell.law_mean),
                None if dwell is None else _or_none(dwell.p_value),
                told[k],
            )
        )
    return Table(
        "intentions",
        "The intentions, by how much of the training decisions each explains",
        (
            Column("Intention", name="intention"),
            Column("Share, %", ".1f", "share_percent"),
            Column("Low", ".1f", "share_low"),
            Column("High", ".1f", "share_high"),
            Column("Held out, %", ".1f", "held_out_share_percent"),
            Column("Lasts", ".1f", "mean_stay"),
            Column("Law", ".1f", "mean_stay_of_law"),
            Column("p", ".3f", "p_of_stays"),
            Column("What it does", name="description"),
        ),
        tuple(rows),
        note=(
            "“Low” and “high”: 95 % interval of the share. “Lasts”: mean decisions in a row on the "
            "most likely path; “law”: what the fitted law says; p: how often stays simulated from "
            "the fit lie further from their mean than the real ones, small where stays are not "
            "those of the law. Rewards are in units of the temperature, 0 is the average decision."
        ),
    )


def transition_table(results: IntentionResults) -> list[Table]:
    """What follows what as rows; nothing for a law without changes."""
    chances, made = results.changes, results.intervals
    if chances is None:
        return []
    rows = tuple(
        (
            i + 1,
            j + 1,
            float(chances[i, j]),
            None if made is None else _or_none(float(made.transition.low[i, j])),
            None if made is None else _or_none(float(made.transition.high[i, j])),
        )
        for i, j in np.ndindex(*chances.shape)
    )
    names = ("from", "to", "probability", "low", "high")
    return [Table("transitions", "What follows what", tuple(map(Column, names)), rows)]


def restart_table(results: IntentionResults) -> Table:
    """How the searches ended, best first."""
    found = results.solution.restarts
    size = int((results.train.demonstrations.actions >= 0).sum())
    rows = tuple(
        (
            f"search {r + 1}",
            float(found.objective[r]) / size,
            float(found.objective[r] - found.objective[0]),
            100 * float(found.agreement[r]),
            int(found.steps[r]),
            bool(found.converged[r]),
        )
        for r in range(found.objective.size)
    )
    return Table(
        "restarts",
        "Searches from different beginnings, best first",
        (
            Column("Search", name="search"),
            Column("Objective", ".4f", "objective_per_decision"),
            Column("Below best, nats", ".1f", "below_best"),
            Column("Same, %", ".1f", "agreement_percent"),
            Column("Steps", ",.0f", "steps"),
            Column("Ended", name="converged"),
        ),
        rows,
        note=(
            "Objective: log-likelihood and log prior of the training decisions, per decision. "
            "“Same”: decisions with the same most probable intention as in the best search, labels "
            "matched."
        ),
        strong=(0,),
    )


def further_tables(results: IntentionResults) -> tuple[Table, ...]:
    """What is too long for the page: transitions as rows, and every state of each intention."""
    shown = [places(part) for part in results.solution.intentions]
    states = (
        state_table(each, results.given, f"states_intention_{k}") for k, each in enumerate(shown, 1)
    )
    return (*transition_table(results), *states)


def summary(results: IntentionResults, provenance: Mapping[str, str]) -> dict[str, Any]:
    """The results for machines."""
    solution, made = results.solution, results.intervals
    restarts = solution.restarts
    return {
        "title": results.title,
        "headline": [text.replace("*", "") for text in headline(results)],
        "intentions": [
            {
                "share": float(share),
                "held_out_share": float(results.test.posterior.smoothed[:, k].mean()),
                "description": describe(results)[k],
                "mean_stay": results.dwells[k].mean if results.dwells else None,
                "mean_stay_of_law": results.dwells[k].law_mean if results.dwells else None,
                "p_of_stays": results.dwells[k].p_value if results.dwells else None,
            }
            for k, share in enumerate(solution.occupancy)
        ],
        "transitions": results.changes,
        "transitions_low": None if made is None else made.transition.low,
        "transitions_high": None if made is None else made.transition.high,
        "division": results.division,
        "chance": results.scores[0].score.chance_mean,
        "decisions": results.scores[0].score.num_decisions,
        "scores": [row.summary() for row in results.scores],
        "log_likelihood": solution.log_likelihood,
        "parameters": solution.num_parameters,
        "restarts": {
            name: getattr(restarts, name)
            for name in ("objective", "steps", "converged", "agreement")
        },
        "checks": [] if results.checks is None else results.checks.rows,
        "remarks": [text.replace("`", "") for text in (*results.remarks, *warnings_of(results))],
        "settings": dict(results.settings),
        "provenance": dict(provenance),
        "seconds": results.seconds,
    }


def choice_table(choice: Choice) -> Table:
    """One row per number of intentions."""
    wanted = (
        ("Intentions", "name", ""),
        ("Held out", "nats", ".4f"),
        ("SE", "error", ".4f"),
        ("vs fewer", "to_fewer", "+.4f"),
        ("SE", "to_fewer_error", ".4f"),
        ("vs best", "to_best", "+.4f"),
        ("SE", "to_best_error", ".4f"),
        ("BIC", "bic", ",.0f"),
        ("Numbers", "parameters", ",.0f"),
        ("Restarts, %", "restart_agreement", ".0f"),
        ("Folds, %", "fold_agreement", ".0f"),
        ("Empty", "empty", ",.0f"),
    )
    rows = []
    for row in choice.rows:
        cells = []
        for _, key, form in wanted:
            value = row[key]
            if form and not np.isfinite(value):
                value = None
            elif key.endswith("agreement"):
                value = 100 * value
            cells.append(value)
        rows.append(tuple(cells))
    names = [one.name for one in choice.alternatives]
    return Table(
        "choice",
        "How many intentions: scores in nats per held-out decision, higher is better",
        tuple(Column(title, form, key) for title, key, form in wanted),
        tuple(rows),
        note=(
            "“vs fewer”: difference to the next smaller number, paired by unit; SE: its standard "
            "error. BIC of the fit to all decisions, lower is better. “Restarts”, “folds”: share "
            "of decisions at which restarts, and fits to different folds, find the same intention, "
            "labels matched. Bold: the one to choose."
        ),
        strong=(names.index(choice.chosen),),
    )


def _changes(results: IntentionResults, where: list) -> tuple[Block, ...]:
    """Sessions, what follows what, how long it lasts."""
    blocks: list[Block] = [*session_figures(results, where)]
    blocks += [occupancy_figure(results), *transition_figure(results), *dwell_figures(results)]
    if results.changes is None:
        blocks.append(
            Prose(("A trajectory keeps one intention for all of it; there is nothing to change.",))
        )
    blocks.append(
        Prose(
            (
                "Beliefs at every decision, with subject, session and time, are in "
                "`tables/posterior.parquet`.",
            )
        )
    )
    return tuple(blocks)


def _checks(results: IntentionResults) -> tuple[Section, ...]:
    """Whether the fit behaves like the animal; no section where nothing was simulated."""
    if results.checks is None:
        return ()
    checks = results.checks
    columns = (
        Column("Statistic", name="statistic"),
        Column("Real", ".4g", "observed"),
        Column("Simulated", ".4g", "simulated"),
        Column("Low", ".4g", "low"),
        Column("High", ".4g", "high"),
        Column("p", ".3f", "p_value"),
    )
    rows = tuple(tuple(_cell(row[c.name]) for c in columns) for row in checks.rows)
    table = Table("predictive_checks", "Real behaviour and behaviour simulated from the fit",
                  columns, rows, note="“Low” and “high” hold 95 % of the simulations.")  # fmt: skip
    return (
        Section(
            "Does it behave like the animal?",
            (Prose((checks.sentence,)), *checks_figure(results), table),
        ),
    )


def _cell(value: str | float) -> str | float | None:
    """A cell; None for what is not finite."""
    return value if isinstance(value, str) else _or_none(value)


def _or_none(value: float) -> float | None:
    """The number, or None where there is none."""
    return float(value) if np.isfinite(value) else None
