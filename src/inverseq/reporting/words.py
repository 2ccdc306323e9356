"""The words of a report: its own templates, as parts of a document or as plain text."""

from typing import Any

from markupsafe import Markup

from inverseq._core.words import paragraphs, render, render_text
from inverseq.reporting.document import Prose

_HERE = "inverseq.reporting"


def prose(template: str, block: str, **values: Any) -> Prose:
    """The paragraphs of a block."""
    return Prose(paragraphs(render(_HERE, template, block, **values)))


def line(template: str, block: str, **values: Any) -> Markup:
    """A block in one line of HTML; nothing where it says nothing."""
    return Markup(" ").join(paragraphs(render(_HERE, template, block, **values)))


def plain(template: str, block: str, **values: Any) -> tuple[str, ...]:
    """The paragraphs of a block as plain text."""
    return render_text(_HERE, template, block, **values)


def text(template: str, block: str, **values: Any) -> str:
    """A block as one line of plain text."""
    return " ".join(plain(template, block, **values))
