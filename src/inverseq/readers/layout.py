"""How CSV files are laid out, and a plain copy of those that are laid out oddly."""

import csv
import gzip
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from inverseq._core.errors import InputError

_SEPARATORS = ",;\t|"
_MOST_HEADS = 4


@dataclass(frozen=True)
class Layout:
    """How a CSV file is laid out.

    Attributes:
        names: What its columns are called.
        separator: What stands between two columns.
        above: Lines before the first with names.
        heads: Rows of names: several where a tracker wrote them.
        odd: Whether it must be written anew before DuckDB can read it: lines stand above the names,
            names have several rows, line ends differ, quotes follow spaces, or runs of spaces part
            the columns.
    """

    names: list[str]
    separator: str
    above: int
    heads: int
    odd: bool


def _open(path: Path, mode: Literal["rt", "rb"]) -> Any:
    """The file, unpacked where it is packed."""
    opener = gzip.open if path.name.lower().endswith(".gz") else open
    return (
        opener(path, mode) if mode == "rb" else opener(path, mode, encoding="utf-8-sig", newline="")
    )


def layout_of(path: Path) -> Layout:
    """How a CSV file is laid out, by its first lines and all of its line ends.

    Raises:
        InputError: It is empty, names too few columns, or one twice.
        UnicodeDecodeError: It is not UTF-8.
        OSError: It cannot be read.
        EOFError: It is packed, and not complete.
        csv.Error: Its first line is no line of a CSV file.
    """
    with _open(path, "rt") as stream:
        above, separator, first = 0, "", stream.readline()
        while first and (not first.strip() or first.lower().startswith(("sep=", '"sep='))):
            separator = first.strip().strip('"')[4:5] or separator
            above, first = above + 1, stream.readline()
        second = stream.readline()
        separator = separator or max(_SEPARATORS, key=first.count)
        if separator not in first and " " in first.strip():
            separator = " "
        if first.count('"') % 2:  # a name may hold a line break
            first, second = first + second + stream.read(65536), ""
        tracked = _tracked(first, second, stream, separator)
    names = tracked[-1] if tracked else _fields(first, separator)
    if not first.strip():
        raise InputError(f"{path.name} is empty; its first line must name the columns")
    if not tracked and len(names) < len(below := _fields(second, separator)):
        raise InputError(
            f"{path.name} has {len(names)} names in its first line and {len(below)} values in the "
            "next; the first line must name all columns. Delete lines above the names, and name "
            "every column"
        )
    names = [name.strip() or f"column_{i + 1}" for i, name in enumerate(names)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"{path.name} has two columns called {twice[0]!r}; rename one")
    spaced = re.search(rf'{re.escape(separator)} +"', first + second) is not None
    odd = bool(above or tracked) or spaced or separator == " " or _line_ends_differ(path)
    return Layout(names, separator, above, len(tracked) or 1, odd)


def _tracked(first: str, second: str, stream: Any, separator: str) -> list[list[str]]:
    """The rows of names that DeepLabCut writes (scorer, individuals if several, bodyparts, coords),
    the last one joined to what the columns are called: "frame", "nose_x"; none in other files.
    """
    rows = [_fields(first, separator), _fields(second, separator)]
    if [row[:1] for row in rows] not in ([["scorer"], [k]] for k in ("individuals", "bodyparts")):
        return []
    while rows[-1][:1] != ["coords"] and len(rows) < _MOST_HEADS:
        rows.append(_fields(stream.readline(), separator))
    if rows[-1][:1] != ["coords"]:
        return []
    parts = zip(*(row[1:] for row in rows[1:]), strict=False)
    return [*rows[:-1], ["frame", *("_".join(filter(None, part)) for part in parts)]]


def _fields(line: str, separator: str) -> list[str]:
    """The fields of the first line of a text."""
    return next(_rows(line.splitlines(True), separator), [])


def _rows(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    """The rows of a CSV text; runs of spaces part columns once, empty lines are none."""
    # Python's reader takes a space as separator, but not together with spaces that it skips.
    skips = separator != " "
    for row in csv.reader(lines, delimiter=separator, strict=True, skipinitialspace=skips):
        fields = [field for field in row if field] if separator == " " else row
        if fields:
            yield fields


def _line_ends_differ(path: Path) -> bool:
    """Whether a file has line ends of several kinds, or of a kind that is long out of use."""
    returns, both, feeds, before = 0, 0, 0, b""
    with _open(path, "rb") as stream:
        while block := stream.read(1 << 22):
            returns, feeds = returns + block.count(b"\r"), feeds + block.count(b"\n")
            both += block.count(b"\r\n") + (before == b"\r" and block[:1] == b"\n")
            before = block[-1:]
    return returns > both or 0 < both < feeds


def write_anew(path: Path, layout: Layout, copy: Path) -> None:
    """Write a copy of a CSV file with commas, one kind of line end, and the names first."""
    with _open(path, "rt") as source, copy.open("w", encoding="utf-8", newline="") as target:
        for _ in range(layout.above):
            source.readline()
        rows = islice(_rows(source, layout.separator), layout.heads, None)
        csv.writer(target, lineterminator="\n").writerows(chain([layout.names], rows))
