"""Whatever a table holds, the doctor and the report say something in words, soon, and no more."""

import re
import shutil
import signal
import time
import xml.etree.ElementTree as ElementTree

import malformed
import pytest
from often import chance, times

from inverseq.cli import main

LONGEST = 30
FOREIGN = (
    *("Traceback", "duckdb", "numpy", "ndarray", "NoneType", "pyarrow", "matplotlib", "jinja"),
    *("Exception", "<class", " object at 0x", "ValueError", "TypeError", "KeyError", "IndexError"),
    *("Binder Error", "Conversion Error", "Invalid Input Error", "IO Error"),
)


@pytest.fixture
def said(capsys, tmp_path, monkeypatch):
    """Run a command on the bytes of a file: its code, and the words that are not of the file."""
    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)

    def run(name, content, command, *options):
        (tmp_path / name).write_bytes(content)
        began = time.process_time()
        try:
            code = main([command, name, *options])
        except SystemExit as stop:
            code = stop.code
        assert time.process_time() - began < LONGEST
        told = capsys.readouterr()
        assert code in (0, 1, 2)
        if code and not told.out:
            assert told.err.startswith("inverseq: error: ")
        assert told.out or told.err
        words = told.out + told.err
        known = content.decode("latin-1")
        foreign = [word for word in FOREIGN if word in words and word not in known]
        assert foreign == [], words
        assert "nan" in known.lower() or not re.search(r"\bnan\b", words, re.IGNORECASE), words
        return code

    yield run
    signal.signal(signal.SIGTERM, before)


def test_the_doctor_has_words_for_every_table(said):
    codes = set()
    for number in range(times(60, 5000)):
        name, content, options = malformed.table(chance(1, number))
        codes.add(said(name, content, "doctor", *options))
    assert codes == {0, 2}


def test_a_report_is_whole_or_refused_in_words(said, tmp_path):
    made = 0
    for number in range(times(3, 500)):
        content = malformed.legal(chance(2, number))
        asked = ("--out", "o", "--folds", "2", "--bootstrap", "0", "--history", "1")
        if said("t.csv", content, "fit", *asked) == 0:
            made += 1
            page = (tmp_path / "o" / "report.html").read_text("utf-8")
            root = ElementTree.fromstring(page.removeprefix("<!DOCTYPE html>\n"))
            assert not re.search(r"\bnan\b", " ".join(root.itertext()), re.IGNORECASE)
            assert not list(root.iter("script"))
        shutil.rmtree(tmp_path / "o", ignore_errors=True)
    assert made
