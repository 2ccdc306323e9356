"""Sentences from templates: numbers go in, words for a page or for a terminal come out.

A template is a file of a package's `templates` folder. It may hold named blocks, each of which is
rendered by itself; a blank line in it begins a new paragraph, other line breaks mean nothing. The
same words serve both uses: what is set as `strong` or `code` is marked up on a page, where names
are escaped, and is plain text in a terminal. `argument("by", "subject")` names an argument as the
reader types it. A template of a lower package is included by its full name,
`inverseq.evaluate/choice.j2`. A value that a template asks for and does not get is an error.
"""

from functools import cache
from math import isfinite
from typing import Any

from markupsafe import Markup

from inverseq._core.errors import argument

_MARKS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"}
_MARKS |= dict.fromkeys((*range(127, 160), *range(55296, 57344), 65534, 65535), 65533)
"""Control characters, and what no page may hold, -> what stands for them."""


def between_commas(text: str | None) -> tuple[str, ...]:
    """What stands between commas; nothing where there is no text."""
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def number(value: float, form: str = ".3f") -> str:
    """A number as people read it, "unknown" where it is not finite."""
    return format(value, form).replace("-", "−") if isfinite(value) else "unknown"


def signed(value: float, form: str = "+.2f") -> str:
    """A number with its sign."""
    return number(value, form)


def percent(value: float, form: str = ".0%") -> str:
    """A share of one in per cent."""
    return number(value, form)


def visible(text: str) -> str:
    """The text with a mark in place of each control character: "\\x07" becomes "␇"."""
    return text.translate(_MARKS)


def render(package: str, template: str, block: str = "", /, **values: Any) -> Markup:
    """A template of `package`, or one block of it, as HTML; values are escaped.

    Args:
        package: Dotted name of the package that holds the folder `templates`.
        template: File in that folder.
        block: Name of the block to render; all of the template where left out.
        **values: What the template asks for.

    Raises:
        jinja2.UndefinedError: It asks for a value that is not given.
    """
    made = _environment(package).get_template(template)
    if not block:
        return Markup(made.render(values))
    return Markup("".join(made.blocks[block](made.new_context(values))))


def render_text(package: str, template: str, block: str = "", /, **values: Any) -> tuple[str, ...]:
    """Its paragraphs as plain text, for a terminal or JSON: no markup, nothing escaped."""
    # Of the page: a template compiled for each use would take twice as long.
    told = paragraphs(render(package, template, block, **values))
    return tuple(Markup(each).striptags() for each in told)


def paragraphs(text: str) -> tuple[str, ...]:
    """What stands between blank lines, in one line each; HTML stays HTML."""
    kind = type(text)
    parts = str(text).replace("\r", "").split("\n\n")
    return tuple(kind(" ".join(part.split())) for part in parts if part.strip())


@cache
def _environment(package: str) -> Any:
    """The templates of a package."""
    import jinja2  # loaded when words are asked for

    own, others = jinja2.PackageLoader(package), jinja2.PrefixLoader(_Packages())
    made = jinja2.Environment(
        loader=jinja2.ChoiceLoader([own, others]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_in_one_line,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["argument"] = argument
    made.filters |= {"number": number, "signed": signed, "percent": percent}
    made.filters |= {tag: _tag(tag) for tag in ("strong", "code")}
    return made


class _Packages(dict[str, Any]):
    """Dotted name of a package -> what loads its templates."""

    def __missing__(self, package: str) -> Any:
        import jinja2

        return jinja2.PackageLoader(package)


def _in_one_line(value: Any) -> Any:
    """A name from outside cannot begin a paragraph, nor steer a terminal."""
    return visible(" ".join(value.splitlines())) if type(value) is str else value


def _tag(tag: str) -> Any:
    """A filter that marks words up."""
    return lambda text: Markup("<{tag}>{text}</{tag}>").format(tag=tag, text=text)
