"""The folder a report is written to: every file of one run, the page last."""

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.files import replace_when_whole, write_text
from inverseq._core.folders import RUN, files_of, folder_when_whole
from inverseq.reporting.document import Picture, Report, Table
from inverseq.reporting.page import to_html

PAGE = "report.html"


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
) -> None:
    """Write tables (CSV), `summary.json`, figures (PNG, SVG), `run.json` and, last, the page.

    Args:
        root: The folder, with what else belongs to the result in it.
        report: What to write.
        summary: The same for machines.
        run: What differs between two runs of the same: when, where, how long.
        further: Tables that are too long for the page.

    Raises:
        InputError: A file cannot be written.
    """
    for table in (*report.all_of(Table), *further):
        write_text(root / "tables" / f"{table.name}.csv", to_csv(table))
    write_text(root / "summary.json", to_json(summary))
    for picture in report.all_of(Picture):
        svg, png = picture.drawn
        write_text(root / "figures" / f"{picture.name}.svg", svg)
        with replace_when_whole(root / "figures" / f"{picture.name}.png") as temporary:
            temporary.write_bytes(png)
    write_text(root / RUN, to_json({**run, "files": files_of(root)}))
    write_text(root / PAGE, to_html(report))


def to_csv(table: Table) -> str:
    """The table as CSV with full precision; empty cells for None.

    A name that a spreadsheet would run as a formula (`=1+1`) stands behind an apostrophe.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([_harmless(c.name or c.title) for c in table.columns])
    for row in table.rows:
        writer.writerow(["" if v is None else _harmless(v) for v in row])
    return stream.getvalue()


def _harmless(value: str | float) -> str | float:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        try:
            float(value)
        except ValueError:
            return f"'{value}"
    return value


def to_json(value: Any) -> str:
    """`value` as JSON that any reader accepts: no NaN, arrays as lists, keys as texts."""
    return json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """`value` in the types of JSON; numbers that are not finite become null."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
