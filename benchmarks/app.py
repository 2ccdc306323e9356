"""The app's server: how soon its first page is there, and what a flood of nonsense does to it."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.measure import row, seconds

_OFFERED = 1000
"""Requests a second that are sent, whether or not they are answered."""

_CLIENTS = 40
_PLACES = (
    *("/data", "/world", "/fit", "/look", "/play", "/report", "/app.js", "/nothing", "/part/queue"),
    *("/api/uploads", "/api/uploads/1", "/api/fits", "/api/worlds", "/api/fits/9/plan", "/a/../b"),
    *("/files/1/..%2f..%2fx", "/fit-9.zip", "/tour/x", "/compare?fit=%00", "/look?fit=1e9"),
)
_BODIES = (
    "",
    "{}",
    "[",
    '{"rows": [[]], "name": 1}',
    '{"table": "mice", "state": "\\u0000"}',
    "[" * 999,
)


def run(*, small: bool) -> list[dict[str, Any]]:
    """The rows."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "said").open("wb") as said:
        command = [sys.executable, "-m", "inverseq.cli", "app", str(Path(folder) / "project")]
        began = time.perf_counter()
        process = subprocess.Popen(
            [*command, "--no-browser", "--json", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        assert process.stdout is not None  # it is a pipe
        address = json.loads("".join(iter(process.stdout.readline, "}\n")) + "}")["address"]
        urllib.request.urlopen(f"{address}/data").read()
        first = time.perf_counter() - began
        asyncio.run(_flood(address, 1.0))  # what is kept once for all is kept now
        before, cpu = _megabytes(process.pid), _cpu(process.pid)
        answered, broken = asyncio.run(_flood(address, 1.0 if small else 20.0))
        growth, spent = _megabytes(process.pid) - before, _cpu(process.pid) - cpu
        process.send_signal(signal.SIGINT)
        process.wait()
        mistakes = (Path(folder) / "said").read_text(errors="replace").count("Traceback")
    told = f"{answered:,} answered in {spent:.1f} s of its processor, {growth:+.0f} MB"
    fine = mistakes == broken == 0 and growth < 20
    return [
        row(
            "app: from its start to the first page",
            seconds(first),
            target="1 s",
            met=None if small else first < 1,
        ),
        row(
            f"app: {_OFFERED:,} requests of nonsense a second",
            f"{told}, {broken} errors of the server, {mistakes} tracebacks",
            target="no error, no growth",
            met=None if small else fine,
        ),
    ]


async def _flood(address: str, lasts: float) -> tuple[int, int]:
    """Send requests at random; how many were answered, and how many by an error of the server."""
    host, ends = urlsplit(address).netloc, time.perf_counter() + lasts
    found = await asyncio.gather(*(_client(host, ends, number) for number in range(_CLIENTS)))
    return sum(count for count, _ in found), sum(wrong for _, wrong in found)


async def _client(host: str, ends: float, number: int) -> tuple[int, int]:
    """One of them, who sends at its pace and reads what comes back; a line that is closed is opened
    anew.
    """
    rng, count, wrong = random.Random(number), 0, 0
    pause = _CLIENTS / _OFFERED
    while time.perf_counter() < ends:
        reader, writer = await asyncio.open_connection(*host.split(":"))
        try:
            while time.perf_counter() < ends:
                begun = time.perf_counter()
                writer.write(_request(rng, host))
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
                count, wrong = count + 1, wrong + head.startswith(b"HTTP/1.1 5")
                if b"content-length: " not in head.lower():
                    break
                size = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await asyncio.wait_for(reader.readexactly(int(size)), 30)
                await asyncio.sleep(max(0.0, pause - (time.perf_counter() - begun)))
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass  # it was refused: what is no HTTP ends the line
        finally:
            writer.close()
    return count, wrong


def _request(rng: random.Random, host: str) -> bytes:
    """One request at random, some of which are no HTTP."""
    if rng.random() < 0.05:
        return rng.randbytes(rng.randint(1, 99)) + b"\r\n\r\n"
    method, body = rng.choice(("GET", "GET", "POST", "PUT")), rng.choice(_BODIES).encode()
    told = f"{method} {rng.choice(_PLACES)} HTTP/1.1\r\nHost: {host}\r\n"
    kind = rng.choice(("application/json", "text/plain"))
    told += f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return told.encode() + body


def _megabytes(pid: int) -> float:
    """Memory of a process; Linux alone."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def _cpu(pid: int) -> float:
    """Seconds of processor that a process has used; Linux alone."""
    parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
