"""Data sets of Minari that come in: a zipped folder becomes a table, one row per decision."""

import tempfile
import zipfile
from pathlib import Path

from inverseq._core.errors import InputError
from inverseq.demonstrations.columns import all_columns
from inverseq.evaluate.posterior_table import write_columns
from inverseq.readers.minari import minari_packages, read_minari

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
            folders = _folders(packed)
            if not folders:
                return None
            if len(folders) > 1:
                raise InputError(f"{told} holds several data sets of Minari: zip one folder alone")
            with tempfile.TemporaryDirectory(dir=arrived.parent) as folder:
                left = limit
                for name in _FILES:
                    left = _unpack(packed, folders[0] + name, Path(folder) / name, left, told)
                if _expanded(Path(folder) / _FILES[1]) > limit:
                    raise InputError(_too_large(told))
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


def _folders(packed: zipfile.ZipFile) -> list[str]:
    """Folders of a zip, "" or with a slash behind, that hold both files."""
    names = {*packed.namelist()}
    ends = (name.removesuffix(_FILES[0]) for name in names if name.endswith(_FILES[0]))
    return sorted(f for f in ends if f[-1:] in ("", "/") and f + _FILES[1] in names)


def _unpack(packed: zipfile.ZipFile, name: str, path: Path, room: int, told: str) -> int:
    """One file of a zip; what is left of the room. Its own word on its size is not taken."""
    with packed.open(name) as source, path.open("wb") as target:
        while piece := source.read(_PIECE):
            room -= len(piece)
            if room < 0:
                raise InputError(_too_large(told))
            target.write(piece)
    return room


def _expanded(path: Path) -> int:
    """Bytes of all arrays in an HDF5 file, which may be packed in there once more."""
    minari_packages()
    import h5py  # comes with Minari, an extra

    sizes: list[int] = []
    with h5py.File(path) as file:
        file.visititems(lambda _, one: sizes.append(getattr(one, "nbytes", 0)))
    return sum(sizes)


def _too_large(told: str) -> str:
    return (
        f"{told} is larger than a file may be once it is unpacked: begin inverseq app with a "
        "higher --limit"
    )
