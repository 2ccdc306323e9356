"""The folder a report is written to: every file whole or absent, the page last."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inverseq._core.files import to_csv, to_json, write_bytes, write_text
from inverseq.reporting.document import Picture, Report, Table
from inverseq.reporting.page import to_html


def write_report(
    folder: str | os.PathLike,
    report: Report,
    summary: Mapping[str, Any],
    further: Sequence[Table] = (),
) -> Path:
    """Write figures (PNG, SVG), tables (CSV), `summary.json` and, last, `report.html`.

    Args:
        folder: Where to write; it is made where it does not exist.
        report: What to write.
        summary: The same for machines.
        further: Tables that are too long for the page.

    Returns:
        The path of the page.

    Raises:
        InputError: A file cannot be written.
    """
    root = Path(folder)
    for picture in report.all_of(Picture):
        write_text(root / "figures" / f"{picture.name}.svg", picture.svg)
        write_bytes(root / "figures" / f"{picture.name}.png", picture.png)
    for table in (*report.all_of(Table), *further):
        names = [column.name or column.title for column in table.columns]
        write_text(root / "tables" / f"{table.name}.csv", to_csv(names, table.rows))
    write_text(root / "summary.json", to_json(summary))
    return write_text(root / "report.html", to_html(report))
