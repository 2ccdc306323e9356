"""A report as one HTML page that needs nothing from outside."""

import base64
import re
from html import escape
from importlib.resources import files

from inverseq.report.document import (
    Block,
    Cell,
    Column,
    Facts,
    Picture,
    Prose,
    Remarks,
    Report,
    Section,
    Table,
)

_WEIGHTS = {"good": "Good", "note": "Note", "warning": "Mind", "problem": "Problem"}


def to_html(report: Report) -> str:
    """The page; figures, style and all lie inside it."""
    style = files("inverseq.report").joinpath("style.css").read_text("utf-8")
    links = "".join(
        f'<li><a href="#s{i}">{escape(section.title)}</a></li>'
        for i, section in enumerate(report.sections)
    )
    body = "\n".join(_section(section, i) for i, section in enumerate(report.sections))
    headline = "".join(f"<p>{_inline(text)}</p>" for text in report.headline)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>{escape(report.title)}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{escape(report.title)}</h1>
<div class="headline">{headline}</div>
<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
<main>
{body}
</main>
<footer>{_inline(report.made)}</footer>
</body>
</html>
"""


def cell_text(value: Cell, form: str) -> str:
    """A cell as people read it: real minus signs, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return format(value, form).replace("-", "\N{MINUS SIGN}")
    return value


def _section(section: Section, number: int) -> str:
    """One section; neighbouring figures share a grid."""
    parts: list[str] = []
    figures: list[str] = []
    for block in section.blocks:
        if isinstance(block, Picture):
            figures.append(_picture(block))
            continue
        parts += _grid(figures)
        figures = []
        parts.append(_block(block))
    parts += _grid(figures)
    inside = "\n".join(parts)
    return f'<section><h2 id="s{number}">{escape(section.title)}</h2>\n{inside}\n</section>'


def _grid(figures: list[str]) -> list[str]:
    """The grid of some figures; nothing for none."""
    return [f'<div class="figures">{"".join(figures)}</div>'] if figures else []


def _block(block: Block) -> str:
    """Any block but a figure."""
    if isinstance(block, Table):
        return _table(block)
    if isinstance(block, Prose):
        return "\n".join(f"<p>{_inline(text)}</p>" for text in block.paragraphs)
    if isinstance(block, Remarks):
        items = "".join(
            f'<li class="{weight}"><span class="weight">{_WEIGHTS[weight]}:</span> '
            f"{_inline(text)}</li>"
            for weight, text in block.items
        )
        return f'<ul class="remarks">{items}</ul>'
    if isinstance(block, Facts):
        pairs = "".join(
            f"<div><dt>{escape(k)}</dt><dd>{_inline(v)}</dd></div>" for k, v in block.pairs
        )
        mark = ' class="short"' if block.short else ""
        return f"<dl{mark}>{pairs}</dl>"
    raise TypeError(f"a {type(block).__name__} is not a block")


def _table(table: Table) -> str:
    """A table with its caption, headers and note."""
    numeric = [
        any(isinstance(row[i], int | float) and not isinstance(row[i], bool) for row in table.rows)
        for i in range(len(table.columns))
    ]
    look = [' class="number"' if n else "" for n in numeric]
    head = "".join(
        f'<th scope="col"{look[i]}>{escape(c.title)}</th>' for i, c in enumerate(table.columns)
    )
    rows = "".join(
        _row(row, table.columns, look, number in table.strong)
        for number, row in enumerate(table.rows)
    )
    note = f'<p class="note">{_inline(table.note)}</p>' if table.note else ""
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(table.title)}">'
        f"<table><caption>{_inline(table.title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{note}"
    )


def _row(row: tuple[Cell, ...], columns: tuple[Column, ...], look: list[str], strong: bool) -> str:
    """One row, its first cell a header."""
    cells = [escape(cell_text(v, c.form)) for v, c in zip(row, columns, strict=True)]
    rest = "".join(f"<td{look[i + 1]}>{text}</td>" for i, text in enumerate(cells[1:]))
    mark = ' class="strong"' if strong else ""
    return f'<tr{mark}><th scope="row">{cells[0]}</th>{rest}</tr>'


def _picture(picture: Picture) -> str:
    """A figure as an image inside the page."""
    data = base64.b64encode(picture.svg.encode()).decode()
    mark = ' class="wide"' if picture.wide else ""
    return (
        f'<figure{mark}><img src="data:image/svg+xml;base64,{data}" alt="{escape(picture.alt)}"/>'
        f"<figcaption>{_inline(picture.caption)}</figcaption></figure>"
    )


def _inline(text: str) -> str:
    """Escaped text with `code` and *strong* set as such."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
    return re.sub(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"<strong>\1</strong>", marked)
