"""Whether arrays fit into memory, asked before they are made."""

import os
from contextlib import suppress
from pathlib import Path

from inverseq._core.errors import InputError

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current")


def available() -> float:
    """Bytes that can be had without driving others out; infinite where the system does not say."""
    found = float("inf")
    with suppress(OSError, ValueError, AttributeError):
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, StopIteration, IndexError, ValueError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        found = 1024 * int(next(x for x in lines if x.startswith("MemAvailable")).split()[1])
    with suppress(OSError, ValueError):  # a container or a job of a cluster may have less
        limit, used = (int(Path(path).read_text()) for path in _LIMITS)
        found = min(found, limit - used)
    return found


def require_room(needed: float, what: str, remedy: str) -> None:
    """Raise an `InputError` where `needed` bytes are more than there are.

    Args:
        needed: Bytes.
        what: What they are for, the beginning of a sentence.
        remedy: What to do instead, its end.
    """
    if needed > (room := available()):
        raise InputError(
            f"{what} needs {size_of(needed)} of memory, and {size_of(room)} are free: {remedy}"
        )


def size_of(count: float) -> str:
    """Bytes for people: 9.4 GB."""
    units = (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")
    unit, name = next((pair for pair in units if count >= pair[0]), units[-1])
    return f"{count / unit:,.1f} {name}"
