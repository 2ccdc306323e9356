import json
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from inverseq.plot import canvas
from inverseq.reporting.document import Answer, Column, Picture, Prose, Report, Section, Table
from inverseq.reporting.folder import result_folder, write_report

TABLE = Table(
    "scores",
    "Scores",
    (Column("Model"), Column("Nats", ".3f", "nats")),
    (('say "two", steps', -0.123456789012345), ("none", None)),
)
PICTURE = Picture("map", "a map", "A map.", lambda width: canvas(width, 1.0)[0])
SHOWN = Table("", "Short", (Column("Model"),), (("none",),))


def report_of(*blocks, more=()):
    return Report("T", "4 decisions", Answer(("H",)), None, (Section("S", blocks, more),), "now")


REPORT = report_of(SHOWN, PICTURE, Prose(("p",)), more=(TABLE,))


def test_every_file_is_written_and_nothing_else_is_left(tmp_path):
    with result_folder(tmp_path / "out") as folder:
        write_report(folder, REPORT, {"score": np.float64(-0.5)}, {"made": "now"})
    found = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    assert found == {
        "figures/map.pdf",
        "figures/map.png",
        "figures/map.svg",
        "tables/scores.csv",
        "summary.json",
        "run.json",
        "report.html",
    }
    page = tmp_path / "out" / "report.html"
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert (tmp_path / "out/figures/map.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "out/figures/map.pdf").read_bytes().startswith(b"%PDF")
    assert json.loads((tmp_path / "out/summary.json").read_text()) == {"score": -0.5}
    written = (tmp_path / "out/tables/scores.csv").read_text("utf-8").splitlines()
    assert written == ["Model,nats", '"say ""two"", steps",-0.123456789012345', "none,"]


def test_the_run_says_which_files_are_its_own(tmp_path):
    with result_folder(tmp_path) as folder:
        write_report(folder, REPORT, {}, {"made": "now"})
    told = json.loads((tmp_path / "run.json").read_text())
    assert told["made"] == "now"
    figures = [f"figures/map.{form}" for form in ("pdf", "png", "svg")]
    names = (*figures, "summary.json", "tables/scores.csv")
    assert told["files"] == {name: (tmp_path / name).stat().st_size for name in names}


def test_a_figure_that_cannot_be_drawn_loses_no_table(tmp_path):
    def fail(width):
        raise RuntimeError("no ink")

    broken = Picture("map", "a map", "A map.", fail)
    report = report_of(broken, TABLE)

    def run():
        with result_folder(tmp_path) as folder:
            write_report(folder, report, {}, {})

    with pytest.raises(RuntimeError, match="no ink") as said:
        run()
    kept = tmp_path / "inverseq-unfinished"
    assert said.value.__notes__ == [f"What was written until then lies in {kept}"]
    assert (kept / "tables/scores.csv").read_text("utf-8").startswith("Model,nats\n")
    assert [*tmp_path.iterdir()] == [kept]


@pytest.mark.parametrize(("width", "millimetres"), [("single", 85), ("double", 180), (None, 85)])
def test_figures_are_as_wide_as_columns_of_a_journal(tmp_path, width, millimetres):
    with result_folder(tmp_path) as folder:
        write_report(folder, REPORT, {}, {}, width=width)
    drawn = ElementTree.parse(tmp_path / "figures/map.svg").getroot()
    points = float(drawn.attrib["width"].removesuffix("pt"))
    assert points * 25.4 / 72 == pytest.approx(millimetres, abs=0.01)


def test_text_of_a_figure_stays_text(tmp_path):
    def drawn(width):
        figure, (ax,) = canvas(width, 1.0)
        ax.set_xlabel("reward of the nest")
        return figure

    with result_folder(tmp_path) as folder:
        write_report(folder, report_of(Picture("named", "a", "A.", drawn)), {}, {})
    assert "reward of the nest" in (tmp_path / "figures/named.svg").read_text("utf-8")
