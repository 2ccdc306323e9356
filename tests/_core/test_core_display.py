"""One line, a small escaped table, a data frame."""

import subprocess
import sys
from dataclasses import dataclass
from xml.etree import ElementTree

import numpy as np
import pytest

from inverseq._core.display import Shown, ShownTable, data_frame
from inverseq._core.errors import InputError


@dataclass(frozen=True)
class Plain(Shown):
    facts: tuple

    def _facts(self):
        return self.facts


@dataclass(frozen=True)
class Table(ShownTable):
    table: tuple

    def _facts(self):
        return (("lines", len(self.table)),)

    @property
    def rows(self):
        return self.table


def cells(record):
    """The page as a tree: the text of each row, table by table."""
    tree = ElementTree.fromstring(record._repr_html_())
    return [
        [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
        for table in tree.iter("table")
    ]


@pytest.mark.parametrize(
    ("fact", "phrase"),
    [
        (("states", 1234), "1,234 states"),
        (("states", 1), "1 state"),
        (("trajectories", 1), "1 trajectory"),
        (("discount", 0.95), "discount 0.95"),
        (("source", "a\n  table"), "source a table"),
        (("source", "x" * 99), "source " + "x" * 59 + "…"),
    ],
)
def test_a_fact_is_said_in_a_few_words(fact, phrase):
    assert repr(Plain((("first", "word"), fact))) == f"<Plain: first word, {phrase}>"


def test_what_is_not_known_is_not_said():
    record = Plain((("one", None), ("two", "yes")))
    assert repr(record) == "<Plain: two yes>"
    assert cells(record) == [[["two", "yes"]]]


def test_names_from_outside_are_escaped_everywhere():
    bad = "<script>alert('&')</script>"
    page = Table(({bad: bad},))._repr_html_() + Plain(((bad, bad),))._repr_html_()
    assert "<script" not in page
    assert cells(Table(({bad: bad},)))[1] == [[bad], [bad]]
    assert cells(Plain(((bad, bad),))) == [[[bad, bad]]]


def test_a_table_shows_its_first_rows_and_how_many_there_are():
    record = Table(tuple({"n": i, "share": i / 3, "name": "", "best": i == 0} for i in range(12)))
    facts, rows = cells(record)
    assert facts == [["lines", "12"]]
    assert rows[0] == ["n", "share", "name", "best"]
    assert rows[1:3] == [["0", "0", "", "yes"], ["1", "0.3333", "", ""]]
    assert len(rows) == 11
    assert "12 rows" in record._repr_html_()
    assert "rows" not in Table(record.table[:3])._repr_html_()
    assert cells(Table(({"x": float("nan")},)))[1] == [["x"], [""]]


def test_a_table_becomes_a_data_frame():
    frame = Table(({"n": 1, "name": "a"}, {"n": 2, "name": "b"})).to_pandas()
    assert frame["name"].tolist() == ["a", "b"]
    np.testing.assert_array_equal(frame["n"], [1, 2])


def test_without_pandas_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="pip install pandas"):
        data_frame({})


SILENT = """
import logging
from inverseq._core.log import log
log.warning("left out")
logging.basicConfig(level="INFO", format="%(name)s: %(message)s")
log.info("fitted")
"""


def test_messages_are_silent_until_somebody_listens():
    done = subprocess.run(
        [sys.executable, "-c", SILENT], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("", "inverseq: fitted\n")
