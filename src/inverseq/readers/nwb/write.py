"""Fitted series put back into a copy of an NWB file."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.errors import InputError
from inverseq._core.files import replace_when_whole
from inverseq.demonstrations.recording import Signal
from inverseq.readers.nwb.file import need_pynwb, opened


def write_nwb(
    source: str | os.PathLike,
    target: str | os.PathLike,
    series: Mapping[str, Signal],
    *,
    module: str = "inverseq",
) -> Path:
    """A copy of an NWB file with series added, each a TimeSeries in one processing module.

    Args:
        source: The file, which stays as it is.
        target: The copy; it is whole or absent.
        series: Name -> signal in seconds of the session: values, rewards or posteriors at
            `demonstrations.time`, say. Its description goes along.
        module: Name of the processing module; it may exist already.

    Raises:
        InputError: PyNWB is missing, the file cannot be read, the copy would take its place, there
            is nothing to write, or the module has a series of that name.
    """
    pynwb, _ = need_pynwb()
    source, target = Path(source), Path(target)
    if not series:
        raise InputError("there is nothing to write; give series, {name: Signal}")
    if source.exists() and target.exists() and source.samefile(target):
        raise InputError(f"{target} is the file itself; give the copy another name")
    if target.suffix.lower() != ".nwb":
        raise InputError(f"{target.name} must end in .nwb")
    with opened(source):
        pass  # what is no NWB file is refused before anything is copied
    with replace_when_whole(target) as temporary:
        shutil.copyfile(source, temporary)
        with opened(temporary, "r+") as (file, writer):
            place = file.processing.get(module) or file.create_processing_module(
                module, "Series of behaviour that inverseq fitted to the decisions of this session."
            )
            for name, signal in series.items():
                if name in place.data_interfaces:
                    raise InputError(
                        f"module {module!r} of {source.name} has a series {name!r} already; give "
                        "another name, or another module"
                    )
                place.add(pynwb.TimeSeries(name=name, **_fields(signal)))
            writer.write(file)
    return target


def _fields(signal: Signal) -> dict[str, Any]:
    """What a TimeSeries is made of; regular times are a rate, as NWB recommends."""
    names = f" Columns: {', '.join(signal.channels)}." if signal.channels else ""
    one = signal.values.shape[1] == 1 and not signal.channels
    fields = {
        "data": signal.values[:, 0] if one else signal.values,
        "unit": signal.unit or "n.a.",
        "description": (signal.description or "A series fitted by inverseq.") + names,
    }
    steps = np.diff(signal.times)
    if steps.size and np.allclose(steps, steps[0], rtol=1e-9, atol=0):
        return fields | {"starting_time": float(signal.times[0]), "rate": float(1 / steps[0])}
    return fields | {"timestamps": signal.times}
