"""`inverseq show`."""

from pathlib import Path

from rich.console import Console

from inverseq._core.files import to_json
from inverseq._core.store import load_any
from inverseq.cli.options_others import Show
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.solution import Solution
from inverseq.reporting.shown import show


def run(options: Show) -> int:
    """Draw a saved solution, and say where the figures lie."""
    solution = load_any(options.solution, (Solution, IntentionSolution))
    written = show(solution, Path(options.out))
    if options.output.json:
        print(to_json({"files": [str(path) for path in written]}), end="")
    elif not options.output.quiet:
        console = Console(highlight=False)
        console.print(repr(solution), markup=False)
        for path in written:
            console.print(f"Written: {path}", markup=False, soft_wrap=True)
    return 0
