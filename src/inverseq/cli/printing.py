"""What commands share in printing and reporting."""

import shlex
import sys
from collections.abc import Callable, Iterable

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as RichTable

from inverseq.cli.options import Output
from inverseq.reporting.document import Table
from inverseq.reporting.page import cell_text

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


def tell(
    shown: Output,
    record: Callable[[], str],
    tables: Iterable[Table],
    told: Iterable[str],
    remarks: Iterable[str],
    page: str = "",
) -> int:
    """Answer a command: its record as JSON, or its tables, what was found, what to mind and where
    the page lies; the exit code.
    """
    if shown.json:
        print(record(), end="")
    elif not shown.quiet:
        console = Console(highlight=False)
        for table in tables:
            print_table(console, table)
        for text in (*told, *(f"Mind: {text}" for text in remarks)):
            console.print(text, markup=False)
        if page:
            console.print(f"Report: {page}", markup=False, soft_wrap=True)
    return 0


def command() -> str:
    """The command as one would type it, but for where its result goes, which is no part of it."""
    given, told = iter(sys.argv[1:]), ["inverseq"]
    for word in given:
        if word == "--out":
            next(given, None)
        elif not word.startswith("--out="):
            told.append(word)
    return shlex.join(told)
