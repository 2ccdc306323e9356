"""The folder a report is written to: every file whole or absent, the page last."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.errors import InputError
from inverseq._core.files import replace_when_whole, write_text
from inverseq.reporting.document import Picture, Report, Table
from inverseq.reporting.page import to_html


def require_writable(folder: str | os.PathLike) -> Path:
    """Make `folder` and try to write into it, before any work is done for it.

    Raises:
        InputError: It cannot be made or written to.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise InputError(
            f"cannot write to {path}: {error.strerror}. Choose a folder you may write to with --out"
        ) from error
    return path


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
        with replace_when_whole(root / "figures" / f"{picture.name}.png") as temporary:
            temporary.write_bytes(picture.png)
    for table in (*report.all_of(Table), *further):
        write_text(root / "tables" / f"{table.name}.csv", to_csv(table))
    write_text(root / "summary.json", to_json(summary))
    return write_text(root / "report.html", to_html(report))


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
