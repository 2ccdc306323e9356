"""Files that come in, piece by piece: never in memory as a whole, never larger than agreed."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from inverseq._core.errors import InputError
from inverseq.app.project import Project

PIECE = 8 << 20
"""Bytes of a request at most."""


@dataclass
class _Arriving:
    """A file on its way.

    Attributes:
        name: What the visitor calls it.
        size: Bytes that it will have.
        path: Where it lies.
        there: Bytes that are there.
        busy: Whether a piece is coming in.
    """

    name: str
    size: int
    path: Path
    there: int = 0
    busy: bool = False


class Uploads:
    """Takes files in.

    Args:
        project: Where they go.
        limit: Bytes that a file may have.
    """

    def __init__(self, project: Project, limit: int) -> None:
        self._project, self.limit = project, limit
        self._arriving: dict[int, _Arriving] = {}
        self._last = 0

    def begin(self, name: str, size: int) -> int:
        """Expect a file; the number under which its pieces come.

        Raises:
            InputError: It is larger than agreed, or does not fit on the disk.
        """
        if size > self.limit:
            raise InputError(
                f"{name} has {_told(size)}, and {_told(self.limit)} may come in: begin inverseq "
                f"app with --limit {size / 1e9 + 0.1:.1f}, or move the file into the folder tables "
                "of the project yourself"
            )
        room = os.statvfs(self._project.root) if hasattr(os, "statvfs") else None
        if room is not None and size > room.f_bavail * room.f_frsize:
            raise InputError(
                f"{name} has {_told(size)}, and {_told(room.f_bavail * room.f_frsize)} are free on "
                "the disk of the project: make room, or open a project elsewhere"
            )
        self._last += 1
        self._arriving[self._last] = _Arriving(name, size, self._project.arriving(self._last))
        self._arriving[self._last].path.touch()
        return self._last

    async def take(self, number: int, at: int, pieces: AsyncIterator[bytes]) -> str | None:
        """Take a piece; the path of the file in the project once it is whole, until then None.

        Raises:
            InputError: There is no such file on its way, the piece does not go on where the last
                ended, it is too large, or the disk is full.
        """
        file = self._arriving.get(number)
        if file is None or file.busy or at != file.there:
            raise InputError("this piece belongs to no file on its way: choose the file again")
        taken, file.busy = 0, True
        try:
            with file.path.open("r+b") as stream:
                stream.seek(at)
                async for piece in pieces:
                    taken += len(piece)
                    if taken > PIECE or at + taken > file.size:
                        raise InputError("this piece is larger than it was said to be")
                    stream.write(piece)
        except OSError as error:
            self.drop(number)
            full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            raise InputError(
                f"{file.name} cannot be kept: {error.strerror}. "
                + ("Make room, and choose it again" if full else "May the folder be written to?")
            ) from error
        finally:
            file.busy = False
        file.there += taken
        if file.there < file.size:
            return None
        try:
            return await asyncio.to_thread(self._project.keep, file.path, file.name, self.limit)
        finally:
            self.drop(number)

    def drop(self, number: int) -> None:
        """Expect a file no longer."""
        file = self._arriving.pop(number, None)
        if file is not None:
            file.path.unlink(missing_ok=True)


def _told(size: float) -> str:
    """Bytes as people say them."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
