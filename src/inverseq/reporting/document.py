"""What a report is made of: plain records, no HTML and no mathematics."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure

from inverseq.plot.style import COLUMN_WIDTH, PAGE_WIDTH

Cell = str | int | float | bool | None

Weight = Literal["good", "note", "warning", "problem"]
"""How much a remark matters."""

Width = Literal["single", "double"]
"""Columns of a journal: 85 and 180 mm."""

WIDTHS: dict[str, float] = {"single": COLUMN_WIDTH, "double": PAGE_WIDTH}
"""The same in inches."""


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
        name: Name of the file, without ending; empty where it is shown and not written.
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
    """A figure that is shown in the report and written as SVG, PDF and PNG.

    Attributes:
        name: Name of the files, without ending; empty where it is shown and not written.
        alt: What can be seen, for people who cannot see it.
        caption: What it shows and how to read it.
        draw: Draws the figure, given a width in inches.
        wide: Whether it is meant for the full width; others stand two in a row where there is room.
    """

    name: str
    alt: str
    caption: str
    draw: Callable[[float], Figure]
    wide: bool = False

    def drawn(self, width: Width | None = None) -> Figure:
        """The figure, as wide as it is meant to be where left out."""
        return self.draw(WIDTHS[width or self.meant])

    @property
    def meant(self) -> Width:
        """The width it is meant for."""
        return "double" if self.wide else "single"


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
    """A titled part of a report.

    Attributes:
        title: Its title.
        blocks: What is seen at once.
        more: What is seen when it is unfolded: tables, settings and caveats.
        folded: Whether all of it is folded away below its title.
    """

    title: str
    blocks: tuple[Block, ...]
    more: tuple[Block, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Answer:
    """The first screen: what was found, how sure that is, and what it does not say.

    Attributes:
        lead: The answer, in one or two paragraphs.
        points: What it rests on, a line each.
        lines: A label and a sentence or two: how sure, how well it predicts, what it cannot say.
    """

    lead: tuple[str, ...]
    points: tuple[str, ...] = ()
    lines: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Report:
    """A report.

    Attributes:
        title: Its title.
        size: How much it was made from, in a few words.
        answer: Its first screen.
        picture: What stands beside the answer; None where there is nothing to draw.
        sections: Its parts, in order.
        made: By which version, for the footer.
    """

    title: str
    size: str
    answer: Answer
    picture: Picture | None
    sections: tuple[Section, ...]
    made: str

    def all_of(self, kind: type) -> tuple:
        """All blocks of one kind that have a name to be written under, or need none; in order."""
        first = () if self.picture is None else (self.picture,)
        blocks = (*first, *(b for s in self.sections for b in (*s.blocks, *s.more)))
        return tuple(b for b in blocks if isinstance(b, kind) and getattr(b, "name", "all"))
