"""What commands print for people."""

import shlex
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from inverseq.report.document import Table
from inverseq.report.page import cell_text

_WIDE = 100
"""Columns of a terminal that hold the whole table of scores."""


def print_scores(console: Console, table: Table) -> None:
    """A table of scores; on narrow terminals, its first columns."""
    shown = len(table.columns) if console.width >= _WIDE else min(len(table.columns), 4)
    made = RichTable(box=box.SIMPLE, title=table.title, title_justify="left")
    for number, column in enumerate(table.columns[:shown]):
        made.add_column(column.title, justify="right" if number else "left")
    for number, row in enumerate(table.rows):
        cells = [cell_text(v, c.form) for v, c in zip(row, table.columns, strict=True)]
        made.add_row(*cells[:shown], style="bold" if number in table.strong else None)
    console.print(made)


def command_line(arguments: Sequence[str]) -> str:
    """The command as one would type it."""
    return shlex.join(["inverseq", *arguments[1:]])
