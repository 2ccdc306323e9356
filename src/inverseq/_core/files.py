"""Files that are either whole or not there, and the two forms in which numbers are written."""

import csv
import errno
import io
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from inverseq._core.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: what a killed writer left stays until somebody removes it
    fcntl = None


@contextmanager
def replace_when_whole(path: str | os.PathLike) -> Iterator[Path]:
    """Give a temporary path beside `path` and rename it onto `path` if the block succeeds.

    A crash or a kill inside the block leaves an earlier `path` as it was, and so does the loss of
    power: the content is on the disk before the name is. The temporary name keeps the ending,
    because writers choose their format by it. What a killed writer left is swept by the next one.

    Raises:
        InputError: The folder cannot be made or written to, `path` is a folder itself, or the disk
            is full.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{target} is a folder; give the name of a file in it")
    beginning, ending = f".{target.stem}-", f".part{target.suffix}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _sweep(target.parent, beginning, ending)
        handle, name = tempfile.mkstemp(prefix=beginning, suffix=ending, dir=target.parent)
    except OSError as error:
        raise InputError(
            f"cannot write {target}: {error.strerror}. Choose a folder you may write to."
        ) from error
    temporary = Path(name)
    try:
        take_lock(handle)  # until it is closed: a sign that somebody writes
        yield temporary
        put_on_disk(temporary)
        os.chmod(temporary, 0o666 & ~_current_umask())
        os.replace(temporary, target)
        put_on_disk(target.parent)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        raise InputError(
            f"cannot write {target}: {error.strerror}; what stood there before is as it was. Make "
            "room, or choose another folder"
        ) from error
    finally:
        os.close(handle)
        temporary.unlink(missing_ok=True)


def take_lock(handle: int) -> bool | None:
    """Lock an open file until it is closed, without waiting.

    False where somebody else holds it; None where the system knows no locks: Windows, and the file
    systems of some clusters.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def put_on_disk(path: Path) -> None:
    """Return when the system has written a file, or the names in a folder, to the disk."""
    if path.is_dir() and os.name == "nt":
        return  # there, folders cannot be opened
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sweep(folder: Path, beginning: str, ending: str) -> None:
    """Remove temporary files of one name whose writers are gone."""
    for name in os.listdir(folder):
        if name.startswith(beginning) and name.endswith(ending):
            with suppress(OSError), open(folder / name, "r+b") as stream:
                if take_lock(stream.fileno()):
                    os.unlink(folder / name)


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


def file_names(names: Iterable[str]) -> dict[str, str]:
    """A file name for each, without ending: one that every file system takes, in the folder where
    it is put and nowhere else; no two are the same.
    """
    made: dict[str, str] = {}
    for number, name in enumerate(names, 1):
        plain = re.sub(r"[^\w-]+", "_", name, flags=re.ASCII).strip("_")[:40] or str(number)
        taken = plain.lower() in map(str.lower, made.values())
        made[name] = f"{plain}_{number}" if taken else plain
    return made


def to_csv(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Rows under a header, with full precision; empty cells for None.

    A name that a spreadsheet would run as a formula (`=1+1`) stands behind an apostrophe.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([_harmless(value) for value in row] for row in (names, *rows))
    return stream.getvalue()


def _harmless(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")):
        try:
            float(value)
        except ValueError:
            return f"'{value}"
    return value


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
