"""A page on which groups stand side by side, with the report of each beside it."""

from collections.abc import Mapping
from pathlib import Path

from inverseq import __version__
from inverseq._core.files import file_names
from inverseq._core.folders import GROUPS
from inverseq.analysis.groups import Groups
from inverseq.reporting.document import (
    Answer,
    Column,
    Facts,
    Prose,
    Report,
    Section,
    Table,
    Width,
)
from inverseq.reporting.folder import write_report
from inverseq.reporting.report import state_table, write
from inverseq.reporting.sections.differ import (
    difference_pictures,
    how_they_differ,
    told_of,
    verdict,
)
from inverseq.reporting.sections.intentions import each_place
from inverseq.reporting.sections.scores import or_none
from inverseq.reporting.words import prose, text

_MOST_SHOWN = 12
"""Groups of which the rewards stand on the page; the CSV file holds all."""


def write_groups(
    groups: Groups, root: Path, provenance: Mapping[str, str], width: Width | None = None
) -> None:
    """Write the page, its tables, and in `groups/NAME` the report of each group.

    Args:
        groups: What was found in each.
        root: An empty folder.
        provenance: What it was made from and by.
        width: Of the figures of each group, as in `write_report`.

    Raises:
        InputError: A file cannot be written.
    """
    for name, folder in folders_of(groups).items():
        write(groups.findings[name], root / folder, provenance, width)
    scores, rewards = scores_of_groups(groups), rewards_of_groups(groups)
    told = {"per": groups.per, "failures": dict(groups.failures)}
    if groups.compared is not None:
        told["compared"] = told_of(groups.compared)
    told |= {
        t.name: [dict(zip(_names(t), r, strict=True)) for r in t.rows] for t in (scores, rewards)
    }
    write_report(
        root, _page(groups, scores, rewards, provenance), told, dict(provenance), (rewards,)
    )


def folders_of(groups: Groups) -> dict[str, str]:
    """Where the report of each group lies, in letters that every file system takes."""
    return {name: f"{GROUPS}/{plain}" for name, plain in file_names(groups.findings).items()}


def scores_of_groups(groups: Groups) -> Table:
    """One row per group: how well its reward predicts its own held-out decisions."""
    where, rows = folders_of(groups), []
    for name, found in groups.findings.items():
        row, table = found.row(found.chosen), found.best_yardstick
        assert row is not None  # what is shown was scored
        score, best = row.score, table.score
        cells = (row.name, score.mean, or_none(score.standard_error), score.chance_mean)
        counted = score.num_decisions
        rows.append((name, counted, *cells, table.name, best.mean, f"{where[name]}/report.html"))
    columns = (
        Column(groups.per, name=groups.per),
        Column("Held out", ",d", "held_out"),
        Column("Model", name="model"),
        Column("Nats", "+.3f", "nats"),
        Column("SE", ".3f", "error"),
        Column("Chance", "+.3f", "chance"),
        Column("Best table", name="table"),
        Column("Its nats", "+.3f", "table_nats"),
        Column("Report", name="report"),
    )
    return Table("groups", text("groups.j2", "scores"), columns, tuple(rows))


def rewards_of_groups(groups: Groups) -> Table:
    """One row per state: what it is worth to each group; empty where the group never decided."""
    cells: dict[tuple[str, int, str], dict[str, float | None]] = {}
    for name, found in groups.findings.items():
        for shown in each_place(found):
            for world, state, called, _, _, visits, reward, *_ in state_table(
                shown, found.given
            ).rows:
                own = cells.setdefault((str(world), int(str(state)), str(called)), {})
                own[name] = float(str(reward)) if visits else None
    names = tuple(groups.findings)
    columns = (
        Column("World", name="world"),
        Column("State", name="state"),
        Column("Name", name="name"),
    )
    columns += tuple(Column(name, "+.2f") for name in names)
    rows = tuple((*key, *(own.get(name) for name in names)) for key, own in sorted(cells.items()))
    return Table("rewards_of_groups", text("groups.j2", "rewards"), columns, rows)


def _page(groups: Groups, scores: Table, rewards: Table, provenance: Mapping[str, str]) -> Report:
    """The page of all groups."""
    told = {"groups": groups, "count": len(groups.findings)}
    blocks = [scores, Prose(prose("groups.j2", "failures", **told).paragraphs)]
    if len(groups.findings) <= _MOST_SHOWN:
        blocks.append(rewards)
    made = text("methods.j2", "made", version=__version__)
    lead = prose("groups.j2", "headline", **told).paragraphs
    asked, drawn = [], None
    if groups.compared is not None:
        lead = verdict(groups.compared).paragraphs + lead
        asked = [how_they_differ(groups.compared)]
        drawn = next(iter(difference_pictures(groups.compared)), None)
    answer = Answer(lead)
    facts = Section(text("groups.j2", "made_from"), (Facts((*provenance.items(),)),), folded=True)
    sections = (*asked, Section(text("groups.j2", "title", **told), tuple(blocks)), facts)
    size = text("groups.j2", "size", **told)
    return Report(text("groups.j2", "page_title", **told), size, answer, drawn, sections, made)


def _names(table: Table) -> list[str]:
    """The names of a table's columns in its file."""
    return [column.name or column.title for column in table.columns]
