"""What a report is made of: plain records, no HTML and no mathematics."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

Cell = str | int | float | bool | None

Weight = Literal["good", "note", "warning", "problem"]
"""How much a remark matters."""


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        title: Its header.
        form: Format of its numbers, as in `format(value, form)`; texts are shown as they are.
        name: Its header in the CSV file; the title where left out.
    """

    title: str
    form: str = ""
    name: str = ""


@dataclass(frozen=True)
class Table:
    """A table that is shown in the report and written as CSV.

    Attributes:
        name: Name of the file, without ending.
        title: What it shows, for people who hear it before they see it.
        columns: Its columns; the first names the row.
        rows: One tuple of cells per row; None is an empty cell.
        note: One sentence below it.
        strong: Rows to be set in bold.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    strong: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Picture:
    """A figure that is shown in the report and written as SVG and PNG; drawn when first needed.

    Attributes:
        name: Name of the files, without ending.
        alt: What can be seen, for people who cannot see it.
        caption: What it shows and how to read it.
        draw: Draws the figure, as SVG and as PNG.
        wide: Whether it needs the full width; others stand two in a row where there is room.
    """

    name: str
    alt: str
    caption: str
    draw: Callable[[], tuple[str, bytes]]
    wide: bool = False

    @cached_property
    def drawn(self) -> tuple[str, bytes]:
        """The figure as SVG and as PNG."""
        return self.draw()


@dataclass(frozen=True)
class Prose:
    """Paragraphs; what is not `Markup` is escaped."""

    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class Remarks:
    """A list of findings, each with its weight."""

    items: tuple[tuple[Weight, str], ...]


@dataclass(frozen=True)
class Facts:
    """Names and their values: settings, versions, the hash of the data.

    Attributes:
        pairs: Name and value.
        short: Whether all values are short, so that several pairs fit into a line.
    """

    pairs: tuple[tuple[str, str], ...]
    short: bool = False


Block = Table | Picture | Prose | Remarks | Facts


@dataclass(frozen=True)
class Section:
    """A titled part of a report."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Report:
    """A report.

    Attributes:
        title: Its title.
        headline: The result in one or two plain sentences.
        sections: Its parts, in order.
        made: By which version, for the footer.
    """

    title: str
    headline: tuple[str, ...]
    sections: tuple[Section, ...]
    made: str

    def all_of(self, kind: type) -> tuple:
        """All blocks of one kind, in order."""
        return tuple(b for section in self.sections for b in section.blocks if isinstance(b, kind))
