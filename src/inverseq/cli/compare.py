"""`inverseq compare`."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from inverseq import __version__
from inverseq._core.errors import InputError
from inverseq._core.progress import progress_bars
from inverseq.cli import intentions_compare
from inverseq.cli.candidates import Entry, Menu, entries
from inverseq.cli.laws import refuse_without_intentions
from inverseq.cli.load import Behaviour, load
from inverseq.cli.options import Compare
from inverseq.cli.show import print_table, provenance_of
from inverseq.cli.wording import as_typed
from inverseq.evaluate.compare import Comparison, compare
from inverseq.mdp import MDP
from inverseq.report import (
    Facts,
    Prose,
    Report,
    Section,
    require_writable,
    to_json,
    write_report,
)
from inverseq.report.build import HOW_TO_READ, score_blocks, score_table
from inverseq.report.records import ScoreRow
from inverseq.report.words import number


def run(options: Compare) -> int:
    """Score all models by cross-validation; write a report where a folder is given."""
    folder = None if options.out is None else require_writable(options.out)
    behaviour = load(options.table, options.columns, options.world)
    menu = _menu(options, behaviour)
    if options.intentions is not None:
        return intentions_compare.run(options, behaviour, menu)
    refuse_without_intentions(options.changing, solver=options.solver)
    listed = entries(menu)
    with progress_bars(quiet=options.output.quiet or options.output.json) as progress:
        made = compare(
            behaviour.demonstrations,
            {entry.name: entry.candidate for entry in listed},
            behaviour.world_for if behaviour.given is None else behaviour.given,
            folds=options.folds,
            by=options.by,
            seed=options.seed,
            from_step=behaviour.dataset.score_from_step if behaviour.dataset else 0,
            progress=progress,
        )
    rows = _rows(listed, made)
    wrong = [
        f"{result.name} was left out: {as_typed(str(result.failure))}"
        for result in made.results
        if result.score is None
    ]
    page = None
    if folder is not None:
        page = write_report(
            folder, _report(options, behaviour, rows, wrong), _summary(rows, wrong, made)
        )
    if options.output.json:
        print(to_json(_summary(rows, wrong, made)), end="")
    elif not options.output.quiet:
        _print(rows, wrong, page)
    return 0


def _menu(options: Compare, behaviour: Behaviour) -> Menu:
    """What the models share; their own folds lie within the training part of each fold."""
    known, given = behaviour.demonstrations, behaviour.given
    worlds = [] if given is None else [given] if isinstance(given, MDP) else list(given.values())
    units = int(known.units(options.by).max()) + 1
    if units < options.folds:
        raise InputError(
            f"{options.folds} folds by {options.by} need as many units; there are {units}. Try "
            f"--folds {max(units, 2)}, or --by something finer"
        )
    return Menu(
        num_states=sum(w.num_states for w in worlds) or known.num_states,
        features=bool(worlds) and all(w.features is not None for w in worlds),
        units=units - -(-units // options.folds),
        by=options.by,
        smoothing=options.smoothing,
        history=options.history,
        folds=options.folds,
        seed=options.seed,
    )


def _rows(listed: Sequence[Entry], made: Comparison) -> tuple[ScoreRow, ...]:
    """The models that could be scored."""
    return tuple(
        ScoreRow(
            entry.key,
            entry.name,
            entry.yardstick,
            result.score,
            float(result.num_parameters.mean()),
            float(result.seconds.mean()),
        )
        for entry, result in zip(listed, made.results, strict=True)
        if result.score is not None
    )


def _report(
    options: Compare, behaviour: Behaviour, rows: tuple[ScoreRow, ...], wrong: list[str]
) -> Report:
    """The comparison as a page."""
    best = max(rows, key=lambda row: row.score.mean)
    score = best.score
    headline = (
        f"*{best.name} predicts best: {number(score.mean)} nats per decision*, over "
        f"{score.num_decisions:,} decisions, each predicted by models that had not seen it; chance "
        f"has {number(score.chance_mean)}.",
    )
    how = (
        f"Each of {options.folds} folds (by {options.by}, seed {options.seed}) was held out once; "
        "everything, the transitions of an estimated world and the strength of priors included, "
        "was fitted to the others. Standard errors are taken over units and leave out of account "
        "that folds share training data."
    )
    provenance = provenance_of(behaviour.digest, bundled=behaviour.dataset is not None)
    sections = (
        Section("Scores", (*score_blocks(rows, None), Prose((HOW_TO_READ, *wrong)))),
        Section("Methods", (Prose((how,)),)),
        Section("Provenance", (Facts(tuple(provenance.items())),)),
    )
    made = f"Made by inverseq {__version__} on {provenance['made']}, without a network."
    return Report(f"Models compared: {behaviour.title}", headline, sections, made)


def _summary(rows: tuple[ScoreRow, ...], wrong: list[str], made: Comparison) -> dict[str, object]:
    """The comparison for machines."""
    return {
        "chance": made.chance,
        "folds": made.folds,
        "by": made.by,
        "seed": made.seed,
        "scores": [row.summary() for row in rows],
        "remarks": wrong,
    }


def _print(rows: tuple[ScoreRow, ...], wrong: list[str], page: Path | None) -> None:
    """The scores, what went wrong, and where the report lies."""
    console = Console(highlight=False)
    print_table(console, score_table(rows))
    for text in wrong:
        console.print(f"Mind: {text}", markup=False)
    if page is not None:
        console.print(f"Report: {page}", markup=False, soft_wrap=True)
