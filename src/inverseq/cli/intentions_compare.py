"""`inverseq compare --intentions`: how many intentions, chosen by what was held out."""

import re
from pathlib import Path

from rich.console import Console

from inverseq import __version__
from inverseq._core.progress import progress_bars
from inverseq.cli.candidates import Menu, entries
from inverseq.cli.laws import RESTARTS, explainer_of, law_in_words, law_of, numbers_of, several
from inverseq.cli.load import Behaviour
from inverseq.cli.options import Compare
from inverseq.cli.show import print_table, provenance_of
from inverseq.cli.wording import as_typed
from inverseq.evaluate.choice import Choice
from inverseq.evaluate.choose_intentions import choose_intentions
from inverseq.evaluate.compare import Comparison, compare
from inverseq.intentions.switching import Switching
from inverseq.report import Facts, Prose, Report, Section, require_writable, to_json, write_report
from inverseq.report.build import HOW_TO_READ, score_blocks, score_table
from inverseq.report.intention_build import HOW_TO_READ_CHOICE, choice_table
from inverseq.report.intention_figures import choice_figure
from inverseq.report.records import ScoreRow
from inverseq.report.words import number

_LINES = (("marginal", "share of each action"), ("table-1", "one-step table"),
          ("table-2", "two-step table"))  # fmt: skip
"""Yardsticks that are drawn beside the numbers of intentions."""


def run(options: Compare, behaviour: Behaviour, menu: Menu) -> int:
    """Score numbers of intentions beside the yardsticks; write a report where a folder is given.

    Raises:
        InputError: An option cannot be used, or nothing could be scored.
    """
    ks = numbers_of(str(options.intentions))
    law = law_of(options.changing.switching, behaviour.demonstrations)
    solver, name = explainer_of(options.solver or "iavi", menu)
    folder = None if options.out is None else require_writable(options.out)
    world = behaviour.world_for if behaviour.given is None else behaviour.given
    same = {
        "folds": options.folds,
        "by": options.by,
        "seed": options.seed,
        "from_step": behaviour.dataset.score_from_step if behaviour.dataset else 0,
    }
    with progress_bars(quiet=options.output.quiet or options.output.json) as progress:
        choice = choose_intentions(
            behaviour.demonstrations,
            world,
            ks=ks,
            solver=solver,
            switching=law,
            histories=(options.history,),
            restarts=options.changing.restarts or RESTARTS,
            progress=progress,
            **same,
        )
        tables = {e.key: e for e in entries(menu) if e.yardstick}
        counted = compare(
            behaviour.demonstrations,
            {key: entry.candidate for key, entry in tables.items()},
            world,
            progress=progress,
            **same,
        )
    rows = _rows(counted, {key: e.name for key, e in tables.items()}, choice, name)
    wrong = _wrong(choice)
    told = _summary(choice, rows, wrong, options)
    page = None
    if folder is not None:
        report = _report(options, behaviour, choice, rows, wrong, law, name)
        page = write_report(folder, report, told)
    if options.output.json:
        print(to_json(told), end="")
    elif not options.output.quiet:
        _print(choice, rows, wrong, page)
    return 0


def _rows(
    counted: Comparison, names: dict[str, str], choice: Choice, solver: str
) -> tuple[ScoreRow, ...]:
    """The yardsticks and the numbers of intentions, on the same decisions."""
    rows = []
    called = {one.name: f"{several(one.k)}, {solver}" for one in choice.alternatives}
    for result in (*counted.results, *choice.comparison.results):
        if result.score is not None:
            rows.append(
                ScoreRow(
                    result.name,
                    names.get(result.name) or called[result.name],
                    result.name in names,
                    result.score,
                    float(result.num_parameters.mean()),
                    float(result.seconds.mean()),
                )
            )
    return tuple(rows)


def _wrong(choice: Choice) -> list[str]:
    """What failed, and what the chosen fit left empty."""
    told = [f"{one.name}: {as_typed(one.failure)}" for one in choice.alternatives if one.failure]
    chosen = choice[choice.chosen].solution
    if chosen is not None and chosen.status.message:
        told.append(f"{choice.chosen}, fitted to all: {as_typed(chosen.status.message)}")
    return told


def _report(
    options: Compare,
    behaviour: Behaviour,
    choice: Choice,
    rows: tuple[ScoreRow, ...],
    wrong: list[str],
    law: Switching,
    solver: str,
) -> Report:
    """The choice as a page."""
    means = {row.key: row.score.mean for row in rows}
    lines = [(name, means[key]) for key, name in _LINES if key in means]
    low = min(row.score.mean for row in rows if not row.yardstick)
    high = max(row.score.mean for row in rows if not row.yardstick)
    near = [(name, value) for name, value in lines if value > low - 2 * (high - low)]
    how = (
        f"Each of {options.folds} folds (by {options.by}, seed {options.seed}) was held out once; "
        f"everything was fitted to the others, restarts chosen among them as well. Intentions were "
        f"explained by {solver} in a world that looks at {options.history} states and change by "
        f"this law: {law_in_words(law)}. Each decision is predicted from those before it alone. "
        "Standard errors are taken over units and leave out of account that folds share training "
        "data. Chosen is the number with the fewest free numbers within one standard error of the "
        "best, the error being that of the difference (Breiman and others 1984)."
    )
    provenance = provenance_of(behaviour.digest, bundled=behaviour.dataset is not None)
    sections = (
        Section(
            "How many",
            (
                choice_figure(choice, near),
                choice_table(choice),
                Prose((HOW_TO_READ_CHOICE, *wrong)),
            ),
        ),
        Section("Scores", (*score_blocks(rows, choice.chosen), Prose((HOW_TO_READ,)))),
        Section("Methods", (Prose((how,)),)),
        Section("Provenance", (Facts(tuple(provenance.items())),)),
    )
    made = f"Made by inverseq {__version__} on {provenance['made']}, without a network."
    headline = _headline(choice, rows)
    return Report(f"How many intentions: {behaviour.title}", headline, sections, made)


def _headline(choice: Choice, rows: tuple[ScoreRow, ...]) -> tuple[str, str]:
    """What to choose, and the reference lines."""
    told = re.sub(r"(?<!\w)-(?=\d)", "\N{MINUS SIGN}", choice.sentence)
    first, _, rest = told.partition(". ")
    means = {row.key: number(row.score.mean) for row in rows}
    known = [f"{name} {means[key]}" for key, name in _LINES if key in means]
    chance = number(rows[0].score.chance_mean)
    best = max((row for row in rows if row.yardstick), key=lambda row: row.score.mean)
    known.append(f"the best table ({best.name}) {number(best.score.mean)}")
    return f"*{first}.* {rest}".rstrip(), f"For comparison: chance {chance}, {', '.join(known)}."


def _summary(
    choice: Choice, rows: tuple[ScoreRow, ...], wrong: list[str], options: Compare
) -> dict[str, object]:
    """The choice for machines."""
    return {
        "chosen": choice[choice.chosen].k,
        "best": choice[choice.best].k,
        "sentence": choice.sentence,
        "alternatives": choice.rows,
        "chance": choice.comparison.chance,
        "folds": options.folds,
        "by": options.by,
        "seed": options.seed,
        "scores": [row.summary() for row in rows],
        "remarks": wrong,
    }


def _print(choice: Choice, rows: tuple[ScoreRow, ...], wrong: list[str], page: Path | None) -> None:
    """The choice, the scores, what went wrong, and where the report lies."""
    console = Console(highlight=False)
    print_table(console, choice_table(choice))
    print_table(console, score_table(rows))
    for text in _headline(choice, rows):
        console.print(text.replace("*", ""), markup=False)
    for text in wrong:
        console.print(f"Mind: {text}", markup=False)
    if page is not None:
        console.print(f"Report: {page}", markup=False, soft_wrap=True)
