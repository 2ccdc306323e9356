"""What commands share in printing and reporting."""

import platform
import shlex
import sys
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from inverseq import __version__
from inverseq.cli.load import Behaviour
from inverseq.cli.wording import as_typed
from inverseq.doctor import Diagnosis, diagnose
from inverseq.report.document import Table
from inverseq.report.page import cell_text

_WIDEST = 1000
"""Characters that hold any table."""


def print_table(console: Console, table: Table) -> None:
    """As many of a table's columns as fit into the width without breaking a line, two at least."""
    unbounded = console.options.update_width(_WIDEST)
    for most in range(len(table.columns), 1, -1):
        made = _first_columns(table, most)
        if console.measure(made, options=unbounded).maximum <= console.width or most == 2:
            console.print(made)
            return


def _first_columns(table: Table, most: int) -> RichTable:
    """The first columns of a table."""
    shown = table.columns[:most]
    made = RichTable(box=box.SIMPLE, title=table.title, title_justify="left", title_style="")
    for number, column in enumerate(shown):
        made.add_column(column.title, justify="right" if number else "left")
    for number, row in enumerate(table.rows):
        cells = [escape(cell_text(v, c.form)) for v, c in zip(row, shown, strict=False)]
        made.add_row(*cells, style="bold" if number in table.strong else None)
    return made


def diagnosis_of(behaviour: Behaviour) -> Diagnosis:
    """What the doctor finds, with remedies as one types them."""
    found = diagnose(behaviour.demonstrations, behaviour.given)
    findings = tuple(replace(each, remedy=as_typed(each.remedy)) for each in found.findings)
    return replace(found, findings=findings)


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
