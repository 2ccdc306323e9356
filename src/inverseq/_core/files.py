"""Files that are either whole or not there, and the two forms in which numbers are written."""

import csv
import io
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.errors import InputError


def require_writable(folder: str | os.PathLike) -> Path:
    """Make `folder` and try to write into it, before any work is done for it.

    Raises:
        InputError: It cannot be made or written to.
    """
    path = Path(folder)
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise InputError(
            f"cannot write to {path}: {error.strerror}. Choose a folder you may write to with --out"
        ) from error
    return path


@contextmanager
def replace_when_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path beside `path` and rename it onto `path` if the block succeeds.

    A crash or a kill inside the block leaves an earlier `path` as it was. The temporary name keeps
    the ending, because writers choose their format by it.

    Raises:
        InputError: The folder cannot be made or written to, or `path` is a folder itself.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{target} is a folder; give the name of a file in it")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(
            prefix=f".{target.stem}-", suffix=f".part{target.suffix}", dir=target.parent
        )
    except OSError as error:
        raise InputError(
            f"cannot write {target}: {error.strerror}. Choose a folder you may write to."
        ) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        os.chmod(temporary, 0o666 & ~_current_umask())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _current_umask() -> int:
    """The umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def write_text(path: str | os.PathLike, text: str) -> Path:
    """Write `text` as UTF-8 so that `path` holds all of it or what it held before."""
    with replace_when_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return Path(path)


def write_bytes(path: str | os.PathLike, data: bytes) -> Path:
    """As `write_text`."""
    with replace_when_whole(path) as temporary:
        temporary.write_bytes(data)
    return Path(path)


def to_csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows under a header, with full precision; empty cells for None."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return stream.getvalue()


def to_json(value: Any) -> str:
    """`value` as JSON that any reader accepts: no NaN, arrays as lists, keys as texts."""
    return json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    """`value` in the types of JSON; numbers that are not finite become null."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
