"""What studies write: figures and tables, whole or not at all."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from inverseq import plot
from inverseq._core.files import replace_when_whole


def write_png(path: Path, figure: Figure) -> str:
    """Write a figure; the path.

    Raises:
        InputError: The folder cannot be made or written to.
    """
    with replace_when_whole(path) as temporary:
        temporary.write_bytes(plot.to_png(figure))
    return str(path)


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows, all with the keys of the first, under a header; the path.

    Raises:
        InputError: The folder cannot be made or written to.
    """
    with (
        replace_when_whole(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8") as stream,
    ):
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return str(path)
