"""Arrays in one zip file, read as a whole or not at all; what the file claims is measured first."""

import os
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from inverseq._core.files import replace_when_whole

_ENDING = ".npy"
_PLAIN = "biufcSUMm"
"""Kinds of NumPy arrays that a file may hold: numbers, truth values, texts, times."""
_ALWAYS = 64 * 2**20
_RATIO = 100
"""Content of up to this size, or of up to this many times the file's size, is read."""
_LONGEST_TEXT = 2**28
_LAST_CHARACTER = 0x10FFFF
_NO_TIME = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip file can name: the same arrays are the same bytes, whenever written."""


def write_arrays(path: str | os.PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to a zip file that NumPy reads too, whole or not at all.

    Content that would shrink more than a reader believes (a million zeros) is not compressed.
    """
    with replace_when_whole(path) as temporary:
        _pack(temporary, arrays, zipfile.ZIP_DEFLATED)
        if sum(a.nbytes for a in arrays.values()) > _most(temporary) // 2:
            _pack(temporary, arrays, zipfile.ZIP_STORED)


def _pack(path: Path, arrays: Mapping[str, np.ndarray], how: int) -> None:
    """Write each array to a member of its name."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}{_ENDING}", _NO_TIME)
            member.compress_type = how
            with archive.open(member, "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file that `write_arrays` wrote.

    Raises:
        ValueError: The file is none, or claims what it does not hold: a member that is no array or
            stands twice, a size that is not that of its array, more than such a file can hold.
        Exception: Whatever the readers of zip and NumPy meet in a damaged file.
    """
    with zipfile.ZipFile(path) as archive, warnings.catch_warnings():
        warnings.simplefilter("error")  # NumPy warns of headers that it mends; ours need none
        members = archive.infolist()
        names = [member.filename for member in members]
        if len({*names}) < len(names):
            raise ValueError("a member stands twice")
        if sum(member.file_size for member in members) > _most(path):
            raise ValueError("it would unfold to more than a file of its size can hold")
        arrays = {}
        for member in members:
            if not member.filename.endswith(_ENDING):
                raise ValueError(f"{member.filename!r} is not an array")
            with archive.open(member) as stream:
                arrays[member.filename.removesuffix(_ENDING)] = _array(stream, member.file_size)
        return arrays


def _most(path: Path) -> int:
    """Bytes that the content of a file may have."""
    return max(_ALWAYS, _RATIO * path.stat().st_size)


def _array(stream: IO[bytes] | zipfile.ZipExtFile, size: int) -> np.ndarray:
    """The array of a member of `size` bytes, its length compared with its header before reading."""
    version = np.lib.format.read_magic(stream)
    readers: dict[tuple[int, int], Any] = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    shape, by_columns, dtype = readers[version](stream)
    if dtype.kind not in _PLAIN or dtype.itemsize > _LONGEST_TEXT:
        raise ValueError(f"an array of {dtype} has no place in it")
    items = 1
    for length in shape:
        items *= length
    if any(length < 0 for length in shape) or stream.tell() + items * dtype.itemsize != size:
        raise ValueError("the length of an array is not what its header says")
    content = bytearray(stream.read())  # to the end, where the checksum is compared
    if dtype.itemsize == 0 or items == 0:
        return np.zeros(shape, dtype)
    flat = np.frombuffer(content, dtype)
    if dtype.kind == "U" and flat.view(dtype.byteorder + "u4").max() > _LAST_CHARACTER:
        raise ValueError("a text holds what is no character")
    return flat.reshape(shape, order="F" if by_columns else "C")
