"""Run the benchmarks and print one table: `python -m benchmarks [--small] [--json] [NAME ...]`."""

import argparse
import json
import sys
from importlib import import_module

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

BENCHMARKS = (
    *("iavi", "bootstrap", "maxent", "large", "counting", "scale"),
    *(
        "city",
        "mazes",
        "iql",
        "gridworld",
        "road",
        "diql",
        "iq_learn",
        "intentions",
        "engine",
        "relations",
    ),
    *("identify", "app", "sb3"),
)
"""Modules of this package; each has `run(small) -> rows` (see `measure.row`)."""

COLUMNS = ("name", "ours", "other", "ratio", "target", "met")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(BENCHMARKS)}; all where left out")
    parser.add_argument("--small", action="store_true", help="small sizes, to see that they run")
    parser.add_argument("--json", action="store_true", help="rows as JSON instead of a table")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark {sorted(unknown)[0]!r}; there are {', '.join(BENCHMARKS)}")
    rows = []
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        for name in options.names or BENCHMARKS:
            task = progress.add_task(name, total=None)
            rows += import_module(f"benchmarks.{name}").run(small=options.small)
            progress.remove_task(task)
    if options.json:
        print(json.dumps(rows, indent=1))
    else:
        table = Table(*COLUMNS)
        for row in rows:
            table.add_row(*(str(row.get(column, "")) for column in COLUMNS))
        Console(width=150).print(table)
    return 1 if any(row.get("met") == "no" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
