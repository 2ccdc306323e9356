"""How things are said on the command line: in options, and as wide as the terminal is."""

import re
import shutil
import textwrap

WIDEST, _NARROWEST = 79, 24
"""Letters in a line, at most and at least."""
_FIRST_COLUMN = re.compile(r" +(?:\S+ {2,})?")


def columns() -> int:
    """Letters in a line of help, or of a message."""
    return max(min(shutil.get_terminal_size((80, 24)).columns, WIDEST), _NARROWEST)


def filled(text: str) -> str:
    """Paragraphs filled anew to the width of the terminal; lines that are indented stay lines, and
    what is too long in them goes on below its beginning.
    """
    return "\n\n".join(map(_paragraph, text.split("\n\n")))


def _paragraph(text: str) -> str:
    """One of them."""
    width = columns()
    look = {"width": width, "break_long_words": False, "break_on_hyphens": False}
    lines = text.split("\n")
    if not any(line.startswith(" ") for line in lines):
        return textwrap.fill(text, **look)
    made = []
    for line in lines:
        begin = _FIRST_COLUMN.match(line)
        below = 0 if begin is None else len(begin[0])
        below = below if below < width / 2 else 4
        indent = len(line) - len(line.lstrip())
        look |= {"initial_indent": " " * min(indent, below), "subsequent_indent": " " * below}
        made.append(line if len(line) <= width else textwrap.fill(line.strip(), **look))
    return "\n".join(made)
