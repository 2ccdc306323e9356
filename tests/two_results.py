"""Two results of `inverseq fit` beside each other: which files are the same bytes, and by how much
the numbers of the others differ.

    python tests/two_results.py out/first out/second
"""

import csv
import hashlib
import json
import sys
from pathlib import Path

import duckdb
import numpy as np

AGREE = 1e-6
"""Largest difference of two numbers, relative to the largest of their column."""

TOLD = ("run.json", "summary.json", "report.html")
"""When and by which versions a result was made stands in these."""


def columns_of(path: Path) -> dict[str, np.ndarray]:
    """The columns of a table, or the arrays of a solution, by name."""
    if path.suffix == ".npz":
        with np.load(path) as stored:
            return {
                name: stored[name] for name in stored.files if stored[name].dtype.kind in "biuf"
            }
    if path.suffix == ".parquet":
        return duckdb.sql(f"SELECT * FROM '{path}'").fetchnumpy()
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def apart(first: Path, second: Path) -> float:
    """The largest difference of two tables' numbers.

    Raises:
        ValueError: They have other columns, shapes or words.
    """
    left, right = columns_of(first), columns_of(second)
    if [*left] != [*right]:
        raise ValueError(f"{first.name} has other columns: {[*left]}, {[*right]}")
    return max((_apart(name, left[name], right[name]) for name in left), default=0.0)


def _apart(name: str, left: np.ndarray, right: np.ndarray) -> float:
    """The same of one column."""
    if left.shape != right.shape:
        raise ValueError(f"{name} has another shape: {left.shape}, {right.shape}")
    left, right = (np.ma.filled(values.astype(object), np.nan) for values in (left, right))
    try:
        numbers = [np.where(v == "", np.nan, v).astype(float) for v in (left, right)]
    except ValueError:
        if (left != right).any():
            raise ValueError(f"{name} has other words") from None
        return 0.0
    if (np.isnan(numbers[0]) != np.isnan(numbers[1])).any():
        raise ValueError(f"{name} lacks other numbers")
    size = max(float(np.nanmax(np.abs(numbers[0]), initial=0.0)), 1e-300)
    return float(np.nanmax(np.abs(numbers[0] - numbers[1]), initial=0.0)) / size


def verdict(first: Path, second: Path) -> dict[str, float]:
    """Name of each file that differs -> by how much; files of provenance and figures by hash alone.

    Raises:
        ValueError: One folder has files that the other lacks, or a table has other words.
    """
    names = [sorted(p.relative_to(f).as_posix() for p in f.rglob("*.*")) for f in (first, second)]
    if names[0] != names[1]:
        raise ValueError(f"other files: {sorted({*names[0]} ^ {*names[1]})}")
    found = {}
    for name in names[0]:
        one, other = first / name, second / name
        hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (one, other)]
        if hashes[0] != hashes[1] and name not in TOLD:
            tabular = one.suffix in (".csv", ".parquet", ".npz")
            found[name] = apart(one, other) if tabular else float("nan")
    return found


def main(first: str, second: str) -> None:
    """Say what differs; stop where numbers differ by more than `AGREE`."""
    found = verdict(Path(first), Path(second))
    count = len(list(Path(first).rglob("*.*"))) - len(TOLD)
    print(f"{count - len(found)} of {count} files are the same bytes ({', '.join(TOLD)} aside)")
    for name, by in found.items():
        print(f"  {name}: " + ("a picture" if np.isnan(by) else f"numbers differ by {by:.1e}"))
    summaries = [json.loads((Path(f) / "summary.json").read_text("utf-8")) for f in (first, second)]
    if summaries[0].get("chosen") != summaries[1].get("chosen"):
        sys.exit("another model was chosen")
    if any(by > AGREE for by in found.values()):
        sys.exit(f"numbers differ by more than {AGREE:g}")


if __name__ == "__main__":
    main(*sys.argv[1:])
