"""A report as one HTML page that needs nothing from outside."""

import base64
from collections.abc import Mapping
from importlib.resources import files
from itertools import groupby

from markupsafe import Markup

from inverseq._core.words import render, visible
from inverseq.plot import to_svg
from inverseq.reporting.document import Block, Cell, Picture, Report, Table, Width


def to_html(report: Report, drawn: Mapping[tuple[Picture, Width], str] | None = None) -> str:
    """The page; figures, style and all lie inside it.

    Args:
        report: The report.
        drawn: Figures that are drawn already, as SVG with their widths.

    Returns:
        The page.
    """
    known = drawn or {}

    def encoded(picture: Picture, width: Width | None = None) -> str:
        """A figure as it lies inside the page."""
        found = known.get((picture, width or picture.meant)) or to_svg(picture.drawn(width))
        return f"data:image/svg+xml;base64,{base64.b64encode(found.encode()).decode()}"

    style = files("inverseq.reporting").joinpath("style.css").read_text("utf-8")
    page = render(
        "inverseq.reporting",
        "page.html.j2",
        report=report,
        style=Markup(style),
        cell=cell_text,
        look_of=_look_of,
        encoded=encoded,
        grouped=_grouped,
    )
    return page.lstrip() + "\n"


def cell_text(value: Cell, form: str) -> str:
    """A cell as people read it: real minus signs, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return format(value, form).replace("-", "\N{MINUS SIGN}")
    return visible(value)


def _look_of(table: Table) -> list[Markup]:
    """How each column is set: numbers stand on the right."""
    numeric = [
        any(isinstance(row[i], int | float) and not isinstance(row[i], bool) for row in table.rows)
        for i in range(len(table.columns))
    ]
    return [Markup(' class="number"' if n else "") for n in numeric]


def _grouped(blocks: tuple[Block, ...]) -> list[tuple[str, list[Block]]]:
    """Neighbouring blocks of one kind together, so that figures share a grid."""
    return [(kind, [*group]) for kind, group in groupby(blocks, lambda b: type(b).__name__)]
