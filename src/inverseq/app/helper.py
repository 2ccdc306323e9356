"""A process beside the server that answers questions, and is begun anew where it is gone."""

import asyncio
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from inverseq._core.errors import InputError

_LONGEST_ANSWER = 1 << 26
"""Bytes of a line."""

_PATIENCE = 180.0
"""Seconds that a question may take."""


class Helper:
    """`python -m inverseq.cli.desk`, asked one question at a time.

    Args:
        root: Folder of the project.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._process: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def begin(self) -> None:
        """Start the process, so that the first question does not wait for it."""
        async with self._lock:
            await self._started()

    async def ask(self, **question: Any) -> dict[str, Any]:
        """The answer to a question.

        Raises:
            InputError: The process was killed over it, mostly for want of memory, or it took too
                long.
        """
        async with self._lock:
            process = await self._started()
            assert process.stdin is not None  # both are pipes
            assert process.stdout is not None
            try:
                process.stdin.write(json.dumps(question).encode() + b"\n")
                await process.stdin.drain()
                line = await asyncio.wait_for(process.stdout.readline(), _PATIENCE)
            except TimeoutError:
                await self._end()
                raise InputError(
                    f"this took more than {_PATIENCE:.0f} s and was given up. The command line has "
                    "all the time in the world: copy the command"
                ) from None
            except asyncio.CancelledError:  # its answer would be taken for that of the next
                await self._end()
                raise
            except (OSError, ValueError):
                line = b""
            if not line:
                await self._end()
                raise InputError(
                    "the process that reads tables was killed, mostly for want of memory. Close "
                    "other programs, or take a smaller table"
                )
            return json.loads(line)

    async def close(self) -> None:
        """End the process."""
        await self._end()

    async def _started(self) -> asyncio.subprocess.Process:
        """The process, once it answers."""
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "inverseq.cli.desk", str(self._root)),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                limit=_LONGEST_ANSWER,
                start_new_session=True,
            )
            assert self._process.stdout is not None  # it is a pipe
            if not await self._process.stdout.readline():
                raise InputError("the process that reads tables does not start: try inverseq fit")
        return self._process

    async def _end(self) -> None:
        """Kill the process, if it is there."""
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
