"""`inverseq fit`."""

from pathlib import Path

from rich.console import Console

from inverseq import __version__
from inverseq._core.progress import progress_bars
from inverseq._core.store import save
from inverseq.cli import intentions
from inverseq.cli.job import analyse
from inverseq.cli.load import load
from inverseq.cli.options import Fit
from inverseq.cli.show import print_table, provenance_of
from inverseq.report import require_writable, to_json, write_report
from inverseq.report.build import build_report, score_table, state_table, summary
from inverseq.report.places import places
from inverseq.report.records import Results
from inverseq.report.words import headline


def run(options: Fit) -> int:
    """Fit, score, and write the report."""
    if options.intentions is not None:
        return intentions.run(options)
    folder = require_writable(options.out)
    behaviour = load(options.table, options.columns, options.world)
    quiet = options.output.quiet or options.output.json
    with progress_bars(quiet=quiet) as progress:
        results = analyse(behaviour, options, progress)
        progress("report", 0, 1)
        provenance = provenance_of(behaviour.digest, bundled=behaviour.dataset is not None)
        made = f"Made by inverseq {__version__} on {provenance['made']}, without a network."
        report = build_report(results, provenance, made)
        save(results.solution, folder / "solution.npz")
        told = summary(results, provenance)
        page = write_report(
            folder, report, told, further=(state_table(places(results.solution), results.given),)
        )
        progress("report", 1, 1)
    if options.output.json:
        print(to_json(told | {"report": str(page)}), end="")
    elif not options.output.quiet:
        _print(Console(highlight=False), results, page)
    return 0


def _print(console: Console, results: Results, page: Path) -> None:
    """The scores and where the report lies."""
    print_table(console, score_table(results.scores))
    for text in headline(results):
        console.print(text.replace("*", ""), markup=False)
    for text in results.remarks:
        console.print(f"Mind: {text}", markup=False)
    console.print(f"Report: {page}  ({results.seconds:.0f} s)", markup=False, soft_wrap=True)
