import io

import pytest
from rich.console import Console

from inverseq.cli.printing import print_table
from inverseq.reporting import Column, Table

NAME = "MaxEnt on state-actions, memory of 2 states"
TABLE = Table(
    "t",
    "A title",
    (Column("Model"), *(Column(f"number {i}", ".3f") for i in range(8))),
    ((NAME, *[0.5] * 8),),
)


@pytest.mark.parametrize(("width", "columns"), [(40, 1), (80, 3), (100, 4), (200, 8)])
def test_a_table_shows_the_columns_that_fit_and_breaks_no_line(width, columns):
    stream = io.StringIO()
    print_table(Console(file=stream, width=width), TABLE)
    told = stream.getvalue()
    assert told.count("number") == columns
    assert (NAME in told) == (width > 60)
    assert max(map(len, told.splitlines())) <= width
