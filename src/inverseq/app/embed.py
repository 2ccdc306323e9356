"""The report of a fit as parts of a page: its own bytes, and nothing that it does not write."""

from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from markupsafe import Markup

from inverseq._core.errors import InputError
from inverseq._core.folders import PAGE

_TAGS = {
    *("h1", "h2", "h3", "p", "ul", "ol", "li", "dl", "dt", "dd", "div", "section", "details"),
    *("summary", "figure", "figcaption", "picture", "source", "img", "table", "caption", "thead"),
    *("tbody", "tr", "th", "td", "span", "strong", "code", "br", "em", "sub", "sup"),
}
_PLAIN = {"class", "scope", "role", "aria-label", "data-label", "alt", "media", "tabindex", "id"}
_PICTURES = {"src", "srcset"}


@dataclass(frozen=True)
class Embedded:
    """The parts of a report.

    Attributes:
        title: Its title.
        answer: Its first screen, below the title.
        sections: All that follows.
    """

    title: str
    answer: Markup
    sections: Markup


class _Strict(HTMLParser):
    """Refuses what no report holds: scripts, links, frames, forms, pictures from elsewhere; and
    comments and the like, which browsers end elsewhere than this parser.
    """

    def handle_comment(self, data: str) -> None:
        """Refuse a comment."""
        raise InputError(f"it holds <!{data[:20]}")

    def handle_decl(self, decl: str) -> None:
        """Refuse a declaration."""
        self.handle_comment(decl)

    def unknown_decl(self, data: str) -> None:
        """Refuse a section of data."""
        self.handle_comment(data)

    def handle_pi(self, data: str) -> None:
        """Refuse an instruction."""
        self.handle_comment(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Check a tag and its attributes."""
        for name, value in attrs:
            plain = name in _PLAIN
            inside = name in _PICTURES and (value or "").startswith("data:image/")
            if not (plain or inside):
                raise InputError(f"it holds the attribute {name}")
        if tag not in _TAGS:
            raise InputError(f"it holds <{tag}>")


def embedded(folder: Path) -> Embedded:
    """The report in a folder of results.

    Raises:
        InputError: There is none, or it is not as `inverseq` writes it.
    """
    try:
        page = (folder / PAGE).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"the report of this fit cannot be read: {error.strerror}") from error
    title = _between(page, "<h1>", "</h1>")
    answer = _between(page, '<p class="size">', "</header>")
    sections = _between(page, "<main>", "</main>")
    checked = _Strict()
    try:
        checked.feed(f"<p>{title}</p><p>{answer}{sections}")
        checked.close()
    except InputError as error:
        raise InputError(
            f"this report is not as inverseq writes it ({error}), so it is not shown. Fit again"
        ) from error
    return Embedded(Markup(title).unescape(), Markup('<p class="size">' + answer), Markup(sections))


def _between(page: str, begin: str, end: str) -> str:
    """What stands between two marks.

    Raises:
        InputError: One is missing.
    """
    _, found, rest = page.partition(begin)
    inside, ended, _ = rest.partition(end)
    if not (found and ended):
        raise InputError("this report is not whole: fit again")
    return inside
