import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from inverseq.reporting.document import (
    Column,
    Facts,
    Picture,
    Prose,
    Remarks,
    Report,
    Section,
    Table,
)
from inverseq.reporting.page import cell_text, to_html

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>'
TABLE = Table(
    "scores",
    "Held-out scores",
    (Column("Model"), Column("Nats", ".3f", "nats"), Column("Free")),
    (("uniform", -0.921, None), ("IAVI", -0.874, 4)),
    note="Higher is better.",
    strong=(1,),
)
PICTURE = Picture("map", 'A map of "reward" & value', "Reward.", lambda: (SVG, b"png"), wide=True)


def report(*blocks, headline=("It works.",), title="Mice"):
    return Report(title, headline, (Section("Scores", blocks), Section("Data", ())), "now")


def parsed(page):
    """The page as XML: every element is closed, every attribute quoted, every letter escaped."""
    return ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))


def test_a_page_with_every_kind_of_block_is_well_formed():
    root = parsed(
        to_html(
            report(
                Prose((Markup("Say <code>code</code> and <strong>this</strong>."), "<b>not</b>")),
                TABLE,
                PICTURE,
                PICTURE,
                Remarks((("warning", "Few rows."), ("note", "Gaps."))),
                Facts((("seed", "0"),)),
            )
        )
    )
    assert root.attrib["lang"] == "en"
    assert [h.text for h in root.iter("h2")] == ["Scores", "Data"]
    assert [e.text for e in root.iter("code")] == ["code"]
    assert [e.text for e in root.iter("strong")] == ["this"]
    assert [(e.text) for e in root.iter("dt")] == ["seed"]
    assert [e.attrib["class"] for e in root.iter("li") if "class" in e.attrib] == [
        "warning",
        "note",
    ]
    (grid,) = [e for e in root.iter("div") if e.attrib.get("class") == "figures"]
    assert len(grid) == 2  # neighbours share a grid


def test_a_table_has_a_caption_headers_and_its_numbers_on_the_right():
    root = parsed(to_html(report(TABLE)))
    assert root.find(".//caption").text == "Held-out scores"
    assert [(e.text, e.attrib["scope"]) for e in root.findall(".//thead//th")] == [
        ("Model", "col"),
        ("Nats", "col"),
        ("Free", "col"),
    ]
    rows = root.findall(".//tbody/tr")
    assert [row.find("th").attrib["scope"] for row in rows] == ["row", "row"]
    assert [[c.text for c in row.findall("td")] for row in rows] == [
        ["\N{MINUS SIGN}0.921", None],
        ["\N{MINUS SIGN}0.874", "4"],
    ]
    assert [row.attrib.get("class") for row in rows] == [None, "strong"]
    assert {c.attrib.get("class") for c in root.findall(".//tbody//td")} == {"number"}


def test_nothing_is_fetched_from_outside():
    page = to_html(report(TABLE, PICTURE))
    root = parsed(page)
    sources = [e.attrib["src"] for e in root.iter() if "src" in e.attrib]
    links = [e.attrib["href"] for e in root.iter() if "href" in e.attrib]
    assert sources
    assert all(source.startswith("data:") for source in sources)
    assert links
    assert all(link.startswith("#") for link in links)
    assert not re.search(r"url\(|@import|<script|<link", page)


def test_every_link_has_its_target_and_every_image_its_words():
    root = parsed(to_html(report(PICTURE)))
    ids = {e.attrib["id"] for e in root.iter() if "id" in e.attrib}
    assert {e.attrib["href"][1:] for e in root.iter("a")} == ids
    assert [e.attrib["alt"] for e in root.iter("img")] == ['A map of "reward" & value']


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=40)
)
def test_any_text_comes_out_as_it_went_in(text):
    page = to_html(
        report(
            Table("t", text, (Column(text), Column("x")), ((text, 1),)),
            title=text,
            headline=("plain",),
        )
    )
    root = parsed(page)
    assert (root.find(".//h1").text or "") == text
    assert (root.find(".//tbody//th").text or "") == text
    HTMLParser().feed(page)


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (None, ".3f", ""),
        (True, "", "yes"),
        (-0.5, ".3f", "\N{MINUS SIGN}0.500"),
        (1234567, ",d", "1,234,567"),
        ("a-b", ".3f", "a-b"),
    ],
)
def test_cells_read_as_people_write_them(value, form, text):
    assert cell_text(value, form) == text
