"""Units, sampled signals, events and intervals of an NWB file."""

import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.errors import InputError, argument
from inverseq._core.memory import size_of
from inverseq.demonstrations.recording import Recording, Signal
from inverseq.readers.nwb.file import opened, plain_columns, series_of, tables_of, units_of

_AREAS = ("area", "brain_area", "brain_region", "region", "location", "structure")
READ_OTHERWISE = ("spike_times", "electrodes", "electrode_group")
"""Columns of units with several values, or references, that become spikes and areas."""
_UNREAD = "several values per row, or a reference"
_LARGEST = 200_000_000
"""Bytes up to which a signal is read without being named."""


def read_recording(
    source: str | os.PathLike, *, signals: str | Sequence[str] | None = None, units: bool = True
) -> Recording:
    """Spikes, sampled signals, events and intervals of an NWB file, in seconds of its session.

    The columns of units with one value per unit are kept; "area" is the column of that name (or
    brain_area, region, location ...), else the location of the unit's electrodes. Spikes are sorted
    by time. Signals are in their unit (the file's conversion and offset are applied). Annotations
    are events by their text. Needs `pip install "inverseq[nwb]"`.

    Args:
        source: The file.
        signals: Name of the signal to read, or several; all of up to 200 MB where None, none for
            `()`. What is not read stands in `left_out` with its reason.
        units: Whether to read spikes.

    Raises:
        InputError: PyNWB is missing, the file cannot be read, there is nothing of this in it, a
            signal that was named does not exist or cannot be read, or spikes have no time or no
            unit.
    """
    path = Path(source)
    signals = (signals,) if isinstance(signals, str) else signals
    with opened(path) as (file, _):
        found = _signals(file, path, signals)
        table, unused = units_of(file) if units else (None, [])
        trains, columns, unread = ([], {}, {}) if table is None else _units(table, path)
        unread |= {each.name: reason for each, reason in unused}
        events, intervals = found.pop("events"), {}
        for name, each in tables_of(file).items():
            plain, _ = plain_columns(each)
            if "timestamp" in plain:
                times = np.sort(plain["timestamp"])
                events[name] = times[np.isfinite(times)]
                if lost := len(times) - len(events[name]):
                    unread[name] = f"{lost} of {len(times)} events without a time"
            elif {"start_time", "stop_time"} <= {*plain}:
                intervals[name] = np.stack([plain["start_time"], plain["stop_time"]], axis=1)
        if not (trains or found["signals"] or events or intervals or found["left_out"] or unread):
            raise InputError(
                f"{path.name} holds no units, signals, events or intervals; "
                f"inverseq doctor {path.name} lists what it holds"
            )
        return Recording.from_spikes(
            trains,
            units=columns,
            signals=found["signals"],
            events=events,
            intervals=intervals,
            left_out={**found["left_out"], **unread},
            source=path.name,
        )


def _units(
    table: Any, path: Path
) -> tuple[list[np.ndarray], dict[str, np.ndarray], dict[str, str]]:
    """Spike times per unit, columns per unit, and what of the table was not read.

    Raises:
        InputError: A spike has no time, or belongs to no unit.
    """
    index = table["spike_times"]
    flat = np.asarray(index.target.data[:], dtype=np.float64)
    bounds = np.concatenate([[0], np.asarray(index.data[:], dtype=np.int64)])
    if (np.diff(bounds) < 0).any() or bounds[-1] != len(flat):
        raise InputError(
            f"{path.name}: spikes cannot be told apart by unit, as spike_times_index must rise to "
            f"the {len(flat)} spikes; write the file anew, or read it with "
            f"{argument('units', False)}"
        )
    trains = [np.sort(flat[a:b]) for a, b in pairwise(bounds)]
    for unit, train in enumerate(trains):
        if not np.isfinite(train).all():
            raise InputError(
                f"{path.name}: unit {int(table.id[unit])} has {int((~np.isfinite(train)).sum())} "
                "spikes without a time; write the file without them, or read it with "
                f"{argument('units', False)}"
            )
    plain, unread = plain_columns(table)
    columns = {"id": np.asarray(table.id[:]), **plain}
    named = next((name for name in _AREAS if name in plain), None)
    area = plain[named] if named is not None else _located(table)
    if area is not None:
        columns["area"] = np.array([str(each) for each in area])
    left = {f"units, column {name}": _UNREAD for name in unread if name not in READ_OTHERWISE}
    return trains, columns, left


def _located(table: Any) -> list[str] | None:
    """Where the electrodes of each unit are; None where the file does not say."""
    if "electrode_group" in table.colnames:
        return [getattr(group, "location", "") for group in table["electrode_group"].data[:]]
    if "electrodes" not in table.colnames:
        return None
    index = table["electrodes"]
    region = getattr(index, "target", index)
    if "location" not in region.table.colnames:
        return None
    places, rows = region.table["location"].data[:], np.asarray(region.data[:])
    if index is region:
        return [str(places[row]) for row in rows]
    bounds = np.concatenate([[0], np.asarray(index.data[:], dtype=np.int64)])
    return [
        " ".join(dict.fromkeys(str(places[row]) for row in rows[a:b])) for a, b in pairwise(bounds)
    ]


def _signals(file: Any, path: Path, wanted: Sequence[str] | None) -> dict[str, dict[str, Any]]:
    """Signals and events among the time series of a file, and why others were left out.

    Raises:
        InputError: One that was named does not exist or cannot be read.
    """
    there = series_of(file)
    for name in wanted or ():
        if name not in there:
            raise InputError(f"{path.name} holds no signal {name!r}; there are {[*there]}")
    made: dict[str, dict[str, Any]] = {"signals": {}, "events": {}, "left_out": {}}
    for name, series in there.items():
        if wanted is not None and name not in wanted:
            continue
        reason = why_unread(series)
        if reason is None and wanted is None and (size := _bytes(series)) > _LARGEST:
            reason = f"{size_of(size)}: read it with {argument('signals', name)}"
        if reason is None:
            try:
                if type(series).__name__ == "AnnotationSeries":
                    made["events"] |= _annotations(name, series)
                else:
                    made["signals"][name] = _signal(series)
            except InputError as error:
                reason = str(error)
        if reason is not None and wanted is not None:
            raise InputError(f"signal {name!r} of {path.name} cannot be read: {reason}")
        if reason is not None:
            made["left_out"][name] = reason
    return made


def why_unread(series: Any) -> str | None:
    """Why a time series is no signal; None where it is one."""
    if hasattr(series, "external_file") or type(series).__name__ == "ImageSeries":
        return "images"
    data = series.data
    if data is None or not np.shape(data):
        return "no data in it"
    if not len(data):
        return "no samples"
    if len(np.shape(data)) > 2:
        return "more than one axis of channels"
    if series.timestamps is None and series.rate is None:
        return "neither times nor a rate"
    kind = getattr(getattr(data, "dtype", None), "kind", "")
    if type(series).__name__ != "AnnotationSeries" and kind not in "biuf":
        return "no numbers"
    return None


def times_of(series: Any) -> np.ndarray:
    """When each sample was taken, in seconds of the session."""
    if series.timestamps is not None:
        return np.asarray(series.timestamps[:], dtype=np.float64)
    return (series.starting_time or 0.0) + np.arange(len(series.data)) / series.rate


def _signal(series: Any) -> Signal:
    """A time series in its unit."""
    values = np.asarray(series.data[:], dtype=np.float64)
    values = values * series.conversion + (getattr(series, "offset", 0.0) or 0.0)
    values = values[:, None] if values.ndim == 1 else values
    description = str(series.description or "")
    return Signal(times_of(series), values, unit=str(series.unit), description=description)


def _annotations(name: str, series: Any) -> dict[str, np.ndarray]:
    """Times of each text of a series of annotations."""
    texts = np.array([t.decode() if isinstance(t, bytes) else str(t) for t in series.data[:]])
    times = times_of(series)
    return {f"{name} {text}": np.sort(times[texts == text]) for text in np.unique(texts)}


def _bytes(series: Any) -> int:
    """How much memory the values of a series take."""
    return int(np.prod(np.shape(series.data), dtype=np.int64)) * 8
