"""What commands share in printing and reporting."""

import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from inverseq import __version__
from inverseq.report.document import Table
from inverseq.report.page import cell_text

_WIDE = 100
"""Characters of a terminal that hold the whole table of scores."""

_FEW_COLUMNS = 4


def print_table(console: Console, table: Table, most: int | None = None) -> None:
    """A table, or its first `most` columns."""
    shown = table.columns[:most]
    made = RichTable(box=box.SIMPLE, title=table.title, title_justify="left", title_style="")
    for number, column in enumerate(shown):
        made.add_column(column.title, justify="right" if number else "left")
    for number, row in enumerate(table.rows):
        cells = [escape(cell_text(v, c.form)) for v, c in zip(row, shown, strict=False)]
        made.add_row(*cells, style="bold" if number in table.strong else None)
    console.print(made)


def print_scores(console: Console, table: Table) -> None:
    """A table of scores; on narrow terminals, its first columns."""
    print_table(console, table, None if console.width >= _WIDE else _FEW_COLUMNS)


def provenance_of(digest: str, *, bundled: bool) -> dict[str, str]:
    """Versions, the hash of the data and the command as one would type it."""
    packages = {name: version(name) for name in ("numpy", "scipy", "matplotlib", "duckdb")}
    return {
        "command": shlex.join(["inverseq", *sys.argv[1:]]),
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "inverseq": __version__,
        "Python": platform.python_version(),
        **packages,
        "system": f"{platform.system()} {platform.machine()}",
        f"SHA-256 of the {'arrays' if bundled else 'file'}": digest,
    }
