"""Whether groups of animals want different things."""

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from inverseq.analysis.animals import Compared
from inverseq.evaluate.design import Kind
from inverseq.evaluate.groups import GroupComparison, GroupDifference
from inverseq.evaluate.identifiability import Verdict
from inverseq.evaluate.power import POWER, detectable
from inverseq.plot import animals
from inverseq.reporting.document import Block, Column, Picture, Prose, Section, Table
from inverseq.reporting.figures.places import difference_maps, picture, scenes
from inverseq.reporting.sections.scores import or_none
from inverseq.reporting.sections.wants import difference_name, verdict_name
from inverseq.reporting.words import line, prose, text

_MOST_SHOWN = 12
"""Contrasts in the figure, the surest; the table holds all."""

_SIZES = (4, 6, 8, 10, 12, 16, 20, 30, 40, 60, 100)
"""Animals of each group in the table of what so many would find."""


def how_they_differ(compared: Compared) -> Section:
    """The groups side by side over animals: what differs, how sure that is, and what was missed."""
    found = named(compared)
    told = {"found": found, "power": POWER}
    blocks: list[Block] = [
        prose("groups.j2", "compared", model=compared.model.name, **told),
        # The first map stands beside the answer already.
        *difference_pictures(compared)[1:],
        _figure(found),
        _table(found, compared.verdicts, short=True),
    ]
    more = (prose("groups.j2", "how", **told), _table(found, compared.verdicts), _power(found))
    return Section(text("groups.j2", "compared_title", **told), tuple(blocks), more)


def verdict(compared: Compared) -> Prose:
    """What there is to say first."""
    found = named(compared)
    first = next((each for each in _surest(found) if each.clear), None)
    rests = None if first is None else compared.verdicts[found.names.index(first.contrast)]
    told = {"found": found, "first": first, "first_verdict": rests, "by_prior": compared.by_prior}
    return prose("groups.j2", "verdict", **told)


def named(compared: Compared) -> GroupComparison:
    """The differences, with names for people."""
    return compared.differences.renamed([difference_name(*each) for each in compared.names])


def told_of(compared: Compared) -> dict[str, Any]:
    """The same for machines."""
    found = named(compared)
    verdicts = dict(zip(found.names, map(verdict_name, compared.verdicts), strict=True))
    design = found.design
    return {
        "design": str(design.kind),
        "between": design.between,
        "animals": dict(zip(design.levels, design.sizes, strict=True)),
        "sessions": int(design.sessions.sum()),
        "left_out": list(design.left_out),
        "labellings": found.labellings,
        "exact": found.exact,
        "smallest_p": found.smallest,
        "differences": [row | {"rests_on": verdicts[row["contrast"]]} for row in found.rows],
    }


def difference_pictures(compared: Compared) -> list[Picture]:
    """Maps of what the first two groups are worth each place; none without a map."""
    found = compared.places
    if found is None:
        return []
    first, second = found.design.levels[:2]
    own = [each for each in found.differences if each.groups == (first, second)]
    open_ = np.array([v in (Verdict.OPEN, Verdict.UNSEEN) for v in compared.seen])
    known = np.array([each.known for each in own])
    settled = [v for v in compared.seen if v is not None]
    told = {
        "first": first,
        "second": second,
        "settled": settled.count(Verdict.SETTLED) if settled else None,
        "rests": "prior" if compared.by_prior else "gauge",
    }
    return difference_maps(
        np.array([each.difference for each in own]),
        known & ~open_,
        np.array([each.clear for each in own]),
        scenes(compared.given, compared.worlds, compared.visits),
        **told,
    )


def _surest(found: GroupComparison) -> list[GroupDifference]:
    """Known differences, the surest first."""
    known = [each for each in found.differences if each.known]
    return sorted(known, key=lambda each: (each.corrected, each.p, -abs(each.effect)))


def _figure(found: GroupComparison) -> Picture:
    """Every animal in the surest contrasts."""
    shown = [*dict.fromkeys(each.contrast for each in _surest(found))][:_MOST_SHOWN]
    columns = [found.names.index(name) for name in shown]
    values, design = found.values[:, :, columns], found.design
    groups = {
        level: values[:, g] if design.kind is Kind.WITHIN else values[design.group == g, 0]
        for g, level in enumerate(design.levels)
    }
    rows = [asdict(each) for each in _surest(found) if each.contrast in shown]
    return picture(
        "animals",
        lambda ax: animals(shown, groups, ax=ax),
        text("groups.j2", "animals_alt", rows=rows),
        line("groups.j2", "animals", cut=len(found.names) - len(shown)),
        height=1.1 + 0.34 * len(shown),
        wide=True,
    )


def _table(
    found: GroupComparison, verdicts: tuple[Verdict | None, ...], *, short: bool = False
) -> Table:
    """Every contrast and pair of groups; the short table says what matters of the surest."""
    rests = dict(zip(found.names, map(verdict_name, verdicts), strict=True))
    rows = [*_surest(found), *(each for each in found.differences if not each.known)]
    several = len(found.design.levels) > 2
    first, second = ("First", "Second") if several else found.design.levels
    form = {"p": ".3f", "corrected": ".3f"}
    titles = {"mean_1": first, "mean_2": second, "difference": f"{second} − {first}", "low": "Low"}
    titles |= {"high": "High", "effect": "Effect", "corrected": "Corrected p"}
    if not short:
        titles |= {"drawn_low": "Drawn low", "drawn_high": "Drawn high", "p": "p"}
        titles |= {"animals_1": "Animals, first", "animals_2": "Animals, second"}
        form |= {"animals_1": ",d", "animals_2": ",d"}
    columns = [Column("Difference", name="contrast")]
    columns += [Column("Groups", name="groups")] if several else []
    columns += [Column(title, form.get(name, "+.2f"), name) for name, title in titles.items()]
    cells = []
    for each, row in zip(rows, replace(found, differences=tuple(rows)).rows, strict=True):
        names = [each.contrast, *([" − ".join(each.groups[::-1])] if several else [])]
        numbers = [row[n] if n.startswith("animals") else or_none(row[n]) for n in titles]
        cells.append((*names, *numbers, rests[each.contrast]))
    cells = cells[:_MOST_SHOWN] if short else cells
    return Table(
        "" if short else "differences",
        text("groups.j2", "differences"),
        (*columns, Column("Rests on", name="rests_on")),
        tuple(cells),
        note=line("groups.j2", "note", found=found),
        strong=tuple(i for i, each in enumerate(rows[: len(cells)]) if each.clear),
    )


def _power(found: GroupComparison) -> Table:
    """What other numbers of animals would find."""
    within = found.design.kind is Kind.WITHIN
    rows = [(n, detectable(n, None if within else n, found.level)) for n in _SIZES]
    title = text("groups.j2", "power_title", found=found, power=POWER)
    columns = (
        Column("Animals", ",d", "animals") if within else Column("Of each group", ",d", "animals"),
        Column("Effect found", ".2f", "effect"),
    )
    note = line("groups.j2", "power_note")
    return Table("animals_needed", title, columns, tuple(rows), note=note)
