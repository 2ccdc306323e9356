"""The folder a report is written to: every file of one run, the page last."""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from inverseq._core.files import to_csv, to_json, write_bytes, write_text
from inverseq._core.folders import PAGE, RUN, files_of, folder_when_whole
from inverseq.plot import to_pdf, to_png, to_svg
from inverseq.reporting.document import Picture, Report, Table, Width
from inverseq.reporting.page import to_html


def result_folder(folder: str | os.PathLike) -> AbstractContextManager[Path]:
    """A place for `write_report` to fill; at the end of the block `folder` holds what lies there.

    Raises:
        InputError: As `folder_when_whole`.
    """
    beside = ("figures/", "tables/", "summary.json", "solution.npz")
    return folder_when_whole(folder, PAGE, beside)


def write_report(
    root: Path,
    report: Report,
    summary: Mapping[str, Any],
    run: Mapping[str, Any],
    further: Sequence[Table] = (),
    width: Width | None = None,
) -> None:
    """Write tables (CSV), `summary.json`, figures (SVG, PDF, PNG), `run.json` and, last, the page.

    Args:
        root: The folder, with what else belongs to the result in it.
        report: What to write.
        summary: The same for machines.
        run: What differs between two runs of the same: when, where, how long.
        further: Tables that are too long for the page.
        width: Of all figures beside the page; each as wide as it is on the page where left out.

    Raises:
        InputError: A file cannot be written.
    """
    write_tables(root / "tables", (*report.all_of(Table), *further))
    write_text(root / "summary.json", to_json(summary))
    drawn = write_pictures(root / "figures", report.all_of(Picture), width)
    write_text(root / RUN, to_json({**run, "files": files_of(root)}))
    write_text(root / PAGE, to_html(report, drawn))


def write_tables(folder: Path, tables: Sequence[Table]) -> None:
    """Each table as CSV."""
    for table in tables:
        names = [column.name or column.title for column in table.columns]
        write_text(folder / f"{table.name}.csv", to_csv(names, table.rows))


def write_pictures(
    folder: Path, pictures: Sequence[Picture], width: Width | None = None
) -> dict[tuple[Picture, Width], str]:
    """Each figure as SVG, PDF and PNG.

    Returns:
        Each as SVG, with its width.
    """
    made = {}
    for picture in pictures:
        figure = picture.drawn(width)
        made[picture, width or picture.meant] = svg = to_svg(figure)
        write_text(folder / f"{picture.name}.svg", svg)
        write_bytes(folder / f"{picture.name}.pdf", to_pdf(figure))
        write_bytes(folder / f"{picture.name}.png", to_png(figure))
    return made
