"""`inverseq study`."""

from pathlib import Path
from typing import Any

from rich.console import Console

from inverseq._core.files import to_json
from inverseq._core.progress import progress_bars
from inverseq.cli.printing import print_table
from inverseq.reporting import Column, Table
from inverseq.studies.run import Result, Rows
from inverseq.studies.run import run as run_study
from inverseq.studies.study import Effort


def run(options: Any) -> int:
    """Run a study, and say what was found and where its files lie.

    Raises:
        InputError: A setting is out of range, or the folder cannot be written to.
    """
    study, shown = options.study, options.output
    folder = options.out or Path("out") / study.name
    settings = type(study.settings)(**vars(options.settings))
    with progress_bars(quiet=shown.quiet or shown.json) as progress:
        effort = Effort(options.seed, options.small, options.workers, progress)
        done = run_study(study, folder, parts=options.parts, settings=settings, effort=effort)
    if shown.json:
        print(to_json(done.summary()), end="")
    elif not shown.quiet:
        console = Console(highlight=False)
        for name, found in done.results.items():
            _print(console, name, found)
        for name in done.files:
            console.print(f"Written: {name}", markup=False, soft_wrap=True)
    return 0


def _print(console: Console, part: str, found: Result) -> None:
    """The tables of a part but the long ones, and what it found."""
    for name, rows in found.tables.items():
        if name not in found.long:
            print_table(console, as_table(f"{part}: {name}".replace("_", " "), rows))
    for sentence in found.sentences:
        console.print(sentence, markup=False)


def as_table(title: str, rows: Rows) -> Table:
    """Rows with three decimals, where they are no whole numbers."""
    whole = {key: all(isinstance(row[key], int | None) for row in rows) for key in rows[0]}
    columns = [Column(key.replace("_", " "), "d" if whole[key] else ".3f") for key in rows[0]]
    return Table(title, title, tuple(columns), tuple(tuple(row.values()) for row in rows))
