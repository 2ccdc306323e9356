"""The report as a part of a page: its own bytes, and nothing that it does not write."""

import pytest
from markupsafe import Markup

from inverseq import InputError
from inverseq.app.embed import embedded
from inverseq.plot import canvas
from inverseq.reporting.document import (
    Answer,
    Column,
    Facts,
    Picture,
    Prose,
    Remarks,
    Report,
    Section,
    Table,
)
from inverseq.reporting.page import to_html


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A report with everything that a report can hold."""
    folder = tmp_path_factory.mktemp("report")
    many = tuple(Column(name, "+.2f") for name in "abcdef")
    blocks = (
        Prose(("One <em>angry</em> name", Markup("and <strong>a strong</strong> one"))),
        Remarks((("warning", "mind this"), ("good", "and this"))),
        Facts((("states", "12"),), short=True),
        Table("t", "A table", many, (("x", 1.0, -2.0, None, True, 3),), note="told", strong=(0,)),
        Picture("p", "what is seen", "what it shows", lambda width: canvas(width, 1.0)[0], True),
    )
    sections = (Section("What they want", blocks, blocks[:1]), Section("The data", (), folded=True))
    answer = Answer(("They go for water.",), ("a point",), (("How sure", "very"),))
    report = Report("Mice & men", "3 decisions", answer, blocks[-1], sections, "by hand")
    (folder / "report.html").write_text(to_html(report))
    return folder / "report.html"


def test_all_that_the_report_says_is_on_the_page(written):
    page, made = written.read_text(), embedded(written.parent)
    assert made.title == "Mice & men"
    for part in (made.answer, made.sections):
        assert str(part) in page
    for words in ("They go for water.", "How sure", "What they want", "A table", "data:image/svg"):
        assert words in made.answer + made.sections
    assert "&lt;em&gt;angry" in made.sections


@pytest.mark.parametrize(
    "planted",
    [
        "<script>alert(1)</script>",
        '<img src="https://example.org/a.png"/>',
        '<p onclick="alert(1)">x</p>',
        '<form action="/api/fits"></form>',
        '<iframe src="data:text/html,x"></iframe>',
        '<a href="javascript:alert(1)">x</a>',
        '<p style="position: fixed">x</p>',
        '<!--><a href="https://example.org">x</a>-->',
        "<!x><?y>",
        '<svg><script href="data:,alert(1)"/></svg>',
    ],
)
def test_what_no_report_holds_is_not_shown(written, tmp_path, planted):
    page = written.read_text().replace("<main>", f"<main>{planted}")
    (tmp_path / "report.html").write_text(page)
    with pytest.raises(InputError, match="not as inverseq writes it"):
        embedded(tmp_path)


def test_half_a_report_is_none(written, tmp_path):
    (tmp_path / "report.html").write_text(written.read_text()[:5000])
    with pytest.raises(InputError, match="not whole"):
        embedded(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        embedded(tmp_path / "nothing")
