import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

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
from inverseq.reporting.page import cell_text, to_html

TABLE = Table(
    "scores",
    "Held-out scores",
    (Column("Model"), Column("Nats", ".3f", "nats"), Column("Free")),
    (("uniform", -0.921, None), ("IAVI", -0.874, 4)),
    note="Higher is better.",
    strong=(1,),
)
PICTURE = Picture(
    "map", 'A map of "reward" & value', "Reward.", lambda width: canvas(width, 1.0)[0], wide=True
)


def report(*blocks, lead=("It works.",), title="Mice", **parts):
    answer = Answer(lead, ("a point",), (("How sure", "not"),))
    sections = (Section("Scores", blocks, **parts), Section("Data", (), folded=True))
    return Report(title, "4 decisions", answer, None, sections, "now")


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
    assert [(e.text) for e in root.iter("dt")] == ["How sure", "seed"]
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
    sources += [e.attrib["srcset"] for e in root.iter() if "srcset" in e.attrib]
    assert sources
    assert all(source.startswith("data:") for source in sources)
    assert not re.search(r"url\(|@import|<script|<link|href=", page)


def test_every_image_has_its_words_and_a_wide_one_a_form_for_narrow_screens():
    root = parsed(to_html(report(PICTURE)))
    assert [e.attrib["alt"] for e in root.iter("img")] == ['A map of "reward" & value']
    (narrow,) = root.iter("source")
    assert "max-width" in narrow.attrib["media"]


def test_what_is_folded_lies_in_details_and_the_rest_does_not():
    root = parsed(to_html(report(Prose(("seen",)), more=(Prose(("unfolded",)),))))
    folded = ["".join(each.itertext()) for each in root.iter("details")]
    assert ["unfolded" in each for each in folded] == [True, False]
    assert "Data" in folded[1]
    assert not any("seen" in each for each in folded)


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co")), max_size=40)
)
def test_any_text_comes_out_as_it_went_in(text):
    page = to_html(
        report(
            Table("t", text, (Column(text), Column("x")), ((text, 1),)),
            title=text,
            lead=("plain",),
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
