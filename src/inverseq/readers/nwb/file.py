"""An NWB file opened, and the things in it by name."""

import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shlex import quote
from typing import Any, Literal

import numpy as np

from inverseq._core.errors import InputError

_ENDING = ".nwb"
_OTHER = ("VectorIndex", "DynamicTableRegion", "TimeSeriesReferenceVectorData")
"""Columns with several values per row, or references."""


def is_nwb(source: str | os.PathLike) -> bool:
    """Whether a path names an NWB file, or a folder that holds some."""
    path = Path(source)
    return path.suffix.lower() == _ENDING or (path.is_dir() and any(path.glob(f"*{_ENDING}")))


def nwb_files(source: Any) -> list[Path]:
    """The files of a path, of a folder (by name), or of several paths.

    Raises:
        InputError: There are none.
    """
    several = [source] if isinstance(source, str | os.PathLike) else [*source]
    found: list[Path] = []
    for path in map(Path, several):
        inside = sorted(path.glob(f"*{_ENDING}")) if path.is_dir() else []
        found += inside or [path]
    if not found:
        raise InputError("there is no NWB file to read; give a path, several, or a folder")
    return found


@contextmanager
def opened(path: Path, mode: Literal["r", "r+"] = "r") -> Iterator[Any]:
    """The `pynwb.NWBFile` of a path, and what it is read and written with, while the block runs.

    Raises:
        InputError: PyNWB is not installed, there is no such file, or it is no NWB file.
    """
    pynwb, h5py = need_pynwb()
    if path.is_dir():
        raise InputError(
            f"{path} is a folder without a file .nwb; NWB as Zarr must be exported to HDF5 first"
        )
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    # Files of older makers make PyNWB warn of what they left out, which nobody can mend here.
    with warnings.catch_warnings(), ExitStack() as stack:
        warnings.simplefilter("ignore")
        try:
            # No lock: many file systems of clusters have none, and what is being written has ours.
            data = stack.enter_context(h5py.File(path, mode, locking=False))
            reader = pynwb.NWBHDF5IO(file=data, mode=mode, load_namespaces=True)
            file = reader.read()
        except Exception as error:  # h5py, hdmf and extensions each have errors of their own
            raise _unreadable(path, error) from error
        yield file, reader


def need_pynwb() -> tuple[Any, Any]:
    """The packages PyNWB and h5py.

    Raises:
        InputError: It is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import h5py
            import pynwb
    except ImportError as error:
        raise InputError('NWB files need PyNWB: pip install "inverseq[nwb]"') from error
    return pynwb, h5py


def _unreadable(path: Path, error: Exception) -> InputError:
    """What is wrong with a file that PyNWB cannot open, in one sentence."""
    cause = next((line for line in str(error).strip().splitlines() if line), type(error).__name__)
    return InputError(
        f"{path.name} cannot be read as NWB: {cause[:200].rstrip('.')}. Is it an NWB file of "
        f"version 2, whole? `pynwb-validate {quote(str(path))}` says more"
    )


def tables_of(file: Any) -> dict[str, Any]:
    """Name -> table of intervals (trials, epochs, ...) or events, wherever in the file."""
    from pynwb.epoch import TimeIntervals
    from pynwb.event import EventsTable

    return _by_name(file, (TimeIntervals, EventsTable))


def series_of(file: Any) -> dict[str, Any]:
    """Name -> time series, wherever in the file."""
    from pynwb import TimeSeries

    return _by_name(file, (TimeSeries,))


def _by_name(file: Any, kinds: tuple[type, ...]) -> dict[str, Any]:
    """Objects of some types by their names, or "parent/name" where two have the same."""
    found = [each for each in file.objects.values() if isinstance(each, kinds)]
    names = [each.name for each in found]
    return {
        each.name if names.count(each.name) == 1 else f"{each.parent.name}/{each.name}": each
        for each in found
    }


def units_of(file: Any) -> tuple[Any, list[tuple[Any, str]]]:
    """The table of units that is read, or None; and the others, each with why it is not."""
    from pynwb.misc import Units

    tables = [t for t in file.objects.values() if isinstance(t, Units)]
    tables.sort(key=lambda table: table is not file.units)
    timed = [table for table in tables if "spike_times" in table.colnames]
    others = [(t, f"{timed[0].name} is read") for t in timed[1:]]
    others += [(t, "no spike times") for t in tables if "spike_times" not in t.colnames]
    return timed[0] if timed else None, others


def plain_columns(table: Any) -> tuple[dict[str, np.ndarray], tuple[str, ...]]:
    """Columns of a table with one number or text per row, and the names of those without."""
    plain: dict[str, np.ndarray] = {}
    for name in table.colnames:
        column = table[name]
        kind = type(column).__name__
        if kind == "EnumData":
            values = np.asarray([str(column[i]) for i in range(len(column))])
        elif kind in _OTHER or np.ndim(column.data) != 1:  # waveforms, say, which may be large
            continue
        else:
            values = np.asarray(column.data[:])
        if values.ndim != 1 or values.dtype.names or not _simple(values):
            continue
        if values.dtype.kind in "SO" and any(isinstance(v, bytes) for v in values):
            values = np.array([v.decode() if isinstance(v, bytes) else v for v in values], object)
        plain[name] = values
    return plain, tuple(name for name in table.colnames if name not in plain)


def _simple(values: np.ndarray) -> bool:
    """Whether all entries are numbers or texts, not objects of the file."""
    kinds = (str, bytes, int, float, bool, np.generic, type(None))
    return values.dtype.kind != "O" or all(isinstance(value, kinds) for value in values)
