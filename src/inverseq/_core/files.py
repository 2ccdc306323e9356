"""Files that are either whole or not there."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inverseq._core.errors import InputError


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
