"""`inverseq replan`."""

from pathlib import Path

from rich.console import Console

from inverseq._core.errors import InputError
from inverseq._core.files import to_json
from inverseq._core.store import load_any, save
from inverseq.analysis.changed import change
from inverseq.cli.load import worlds_of
from inverseq.cli.options import Columns
from inverseq.cli.options_others import Replan
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.solution import Solution
from inverseq.reporting.changed import draw_change


def run(options: Replan) -> int:
    """Plan in the changed world, draw both, and say what changes."""
    found = load_any(options.solution, (Solution, IntentionSolution))
    given = worlds_of(options.world, Columns())
    if given is None or isinstance(given, dict):
        raise InputError("replan plans in one world: give its file with --world")
    changed = change(found, given, discount=options.world.discount)
    folder = Path(options.out)
    written = draw_change(changed, folder)
    path = save(changed.after.solution, folder / "solution.npz")
    told = {name: each.length for name, each in changed.parts.items()}
    if options.output.json:
        print(to_json({"moves": told, "files": [str(each) for each in (*written, path)]}), end="")
    elif not options.output.quiet:
        console = Console(highlight=False)
        for name, length in told.items():
            ends = changed.parts[name].mdp.terminal.any()
            where = "on the way to an end" if ends else "discounted: the world has no end"
            console.print(f"{name}: {length:.1f} moves expected {where}")
        for each in (*written, path):
            console.print(f"Written: {each}", markup=False, soft_wrap=True)
    return 0
