"""What an NWB file holds, and what of it is not read."""

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from inverseq.readers.nwb.file import opened, plain_columns, series_of, tables_of, units_of
from inverseq.readers.nwb.recording import READ_OTHERWISE, why_unread

Kind = Literal["intervals", "events", "units", "signal", "other"]
_PARTS = (
    *("NWBFile", "Subject", "ProcessingModule", "VectorData", "VectorIndex", "ElementIdentifiers"),
    *("DynamicTableRegion", "TimeSeriesReferenceVectorData", "TimestampVectorData"),
    *("DurationVectorData", "EnumData", "ElectrodesTable", "Device", "ElectrodeGroup", "Units"),
    *("BehavioralTimeSeries", "BehavioralEvents", "BehavioralEpochs", "Position", "EyeTracking"),
    *("PupilTracking", "CompassDirection", "LFP", "FilteredEphys", "Fluorescence", "DfOverF"),
)
"""Types that only hold, or belong to, what is listed."""


@dataclass(frozen=True)
class Part:
    """One thing in a file.

    Attributes:
        kind: "intervals" and "events" can be decisions; "other" is not read.
        name: What it is called there.
        count: Rows, units, samples, or how many there are of other things.
        columns: Columns of a table that are read.
        unread: Columns of a table that are not: they have several values per row, or are
            references.
        reason: Why it is not read; empty where it is.
    """

    kind: Kind
    name: str
    count: int
    columns: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Contents:
    """What an NWB file holds.

    Attributes:
        source: Name of the file.
        subject: Its subject, or "".
        session: Its session.
        parts: Everything in it.
    """

    source: str
    subject: str
    session: str
    parts: tuple[Part, ...]


def list_nwb(source: str | os.PathLike) -> Contents:
    """What an NWB file holds: tables that can be decisions, units, signals, and what is not read.

    Nothing large is loaded. Needs `pip install "inverseq[nwb]"`.

    Raises:
        InputError: PyNWB is missing, or the file cannot be read.
    """
    path = Path(source)
    with opened(path) as (file, _):
        parts = []
        for name, table in tables_of(file).items():
            columns, unread = plain_columns(table)
            kind: Kind = "events" if "timestamp" in columns else "intervals"
            parts.append(Part(kind, name, len(table), tuple(columns), unread))
        units, unused = units_of(file)
        if units is not None:
            columns, unread = plain_columns(units)
            unread = tuple(name for name in unread if name not in READ_OTHERWISE)
            parts.append(Part("units", units.name, len(units), tuple(columns), unread))
        parts += [Part("units", t.name, len(t), reason=reason) for t, reason in unused]
        for name, series in series_of(file).items():
            shape = getattr(series.data, "shape", None) or (0,)
            parts.append(Part("signal", name, int(shape[0]), reason=why_unread(series) or ""))
        parts += _others(file)
        subject = getattr(file.subject, "subject_id", None) or ""
        return Contents(path.name, subject, file.session_id or file.identifier, tuple(parts))


def _others(file: Any) -> list[Part]:
    """How many things of each other type there are."""
    listed = {id(each) for found in (tables_of(file), series_of(file)) for each in found.values()}
    kinds = Counter(
        type(each).__name__
        for each in file.objects.values()
        if id(each) not in listed and type(each).__name__ not in _PARTS
    )
    return [Part("other", kind, count, reason="another type") for kind, count in kinds.items()]
