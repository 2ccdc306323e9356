"""Data sets of Minari that come in: a zipped folder becomes a table, one row per decision."""

import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from inverseq._core.errors import InputError
from inverseq.demonstrations.columns import all_columns
from inverseq.evaluate.posterior_table import write_columns
from inverseq.readers.minari import read_minari

_FILES = ("metadata.json", "main_data.hdf5")
"""What Minari keeps in the folder of a data set."""

_PIECE = 1 << 20


def tabled(arrived: Path, told: str, limit: int) -> Path | None:
    """The table of a zipped data set, written beside the file; None where it is another zip.

    Nothing is unpacked but the two files of a data set, under names of our own.

    Args:
        arrived: The zip.
        told: What the visitor calls it.
        limit: Bytes that both files may have.

    Raises:
        InputError: It is damaged, holds several data sets or too much, or cannot be read.
    """
    try:
        with zipfile.ZipFile(arrived) as packed:
            found = {name: _in(packed, name) for name in _FILES}
            if not all(found.values()):
                return None
            if any(len(places) > 1 for places in found.values()):
                raise InputError(f"{told} holds several data sets of Minari: zip one folder alone")
            with tempfile.TemporaryDirectory(dir=arrived.parent) as folder:
                left = limit
                for name, (member,) in found.items():
                    left = _unpack(packed, member, Path(folder) / name, left, told)
                data = read_minari(folder)
    except InputError:
        raise
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(
            f"{told} cannot be read as a data set of Minari: it is damaged or not whole. Zip its "
            "folder again, and choose that file"
        ) from error
    if data.states.ndim > 2:
        raise InputError(
            f"{told} holds observations of {data.states.shape[1:]}: images are no columns of a "
            "table. Learn from them in Python: inverseq.read_minari(folder)"
        )
    return write_columns([all_columns(data)], arrived.with_suffix(".parquet"))


def _in(packed: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """Files of this name, in whatever folder."""
    return [one for one in packed.infolist() if PurePosixPath(one.filename).name == name]


def _unpack(
    packed: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, room: int, told: str
) -> int:
    """One file of a zip; what is left of the room. Its own word on its size is not taken."""
    with packed.open(member) as source, path.open("wb") as target:
        while piece := source.read(_PIECE):
            room -= len(piece)
            if room < 0:
                raise InputError(
                    f"{told} is larger than a file may be once it is unpacked: begin inverseq app "
                    "with a higher --limit"
                )
            target.write(piece)
    return room
