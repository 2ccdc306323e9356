"""How things are measured: best CPU time of some runs, and peak memory in a process alone."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent


def cpu_seconds(work: Callable[[], Any], repeats: int = 1) -> float:
    """Least CPU time of `repeats` calls: with one thread, the time on an idle machine."""
    return cpu_seconds_fresh(lambda: None, lambda _: work(), repeats)


def cpu_seconds_fresh(
    make: Callable[[], Any], work: Callable[[Any], Any], repeats: int = 1
) -> float:
    """Least CPU time of `work(make())`, the making not included."""
    best = float("inf")
    for _ in range(repeats):
        made = make()
        started = time.process_time()
        work(made)
        best = min(best, time.process_time() - started)
    return best


def alone(module: str, function: str, **arguments: Any) -> dict[str, Any]:
    """What `benchmarks.MODULE.FUNCTION(**arguments)` returns in a fresh process.

    Its peak memory in MB is added as "peak_mb".
    """
    code = (
        f"import json, sys; from benchmarks import {module}; "
        "from benchmarks.peer_scripts.common import peak_mb; "
        f"made = {module}.{function}(**json.loads(sys.argv[1])); "
        "made['peak_mb'] = peak_mb(); print(json.dumps(made))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module}.{function} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def row(
    name: str,
    ours: str,
    *,
    other: str = "",
    ratio: float | None = None,
    target: str = "",
    met: bool | None = None,
) -> dict[str, Any]:
    """One row of the table."""
    return {
        "name": name,
        "ours": ours,
        "other": other,
        "ratio": "" if ratio is None else f"{ratio:,.0f}x" if ratio >= 100 else f"{ratio:.1f}x",
        "target": target,
        "met": "" if met is None else "yes" if met else "no",
    }


def seconds(value: float) -> str:
    """A time for people."""
    if value < 1e-3:
        return f"{value * 1e6:.0f} us"
    return f"{value * 1e3:.2f} ms" if value < 1 else f"{value:.2f} s"
