"""A folder of finished work: each result a file, under the fingerprint of what was done."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.archive import read_arrays, write_arrays
from inverseq._core.errors import InputError
from inverseq._core.fingerprint import Fingerprints
from inverseq._core.plain import Writer, read

_FORMAT = 1
_HEADER = "result.json"


class Kept:
    """Where the results of a function lie.

    Raises:
        InputError: The folder cannot be made.
    """

    def __init__(self, folder: str | os.PathLike, function: Callable[..., Any]) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"keep={folder}: {error.strerror}; give a folder you may write to"
            ) from error
        self._fingerprints = Fingerprints(function)

    def path(self, arguments: tuple[Any, ...]) -> Path:
        """The file of the result of a call, there or not."""
        return self.folder / f"{self._fingerprints.of(arguments)[:40]}.npz"


def write_result(path: Path, result: Any) -> None:
    """Write a result, whole or not at all.

    Raises:
        InputError: It holds something that no plain file can hold.
    """
    writer = Writer()
    header = json.dumps({"kept": _FORMAT, "tree": writer.write(result, "the result")})
    arrays = {str(i): array for i, array in enumerate(writer.arrays)}
    write_arrays(path, {**arrays, _HEADER: np.frombuffer(header.encode(), dtype=np.uint8)})


def read_result(path: Path) -> Any:
    """What `write_result` wrote.

    Raises:
        InputError: The file is not there, is damaged, or holds a class that is not loaded.
    """
    try:
        arrays = read_arrays(path)
        header = json.loads(arrays.pop(_HEADER).tobytes().decode())
        if header["kept"] != _FORMAT:
            raise InputError("it was written by another version of inverseq")
        return read(header["tree"], lambda number: arrays[str(number)])
    except Exception as error:  # what is damaged can fail anywhere
        raise InputError(
            f"{path} cannot be read ({error}). Delete this file, and what it held is computed again"
        ) from error
