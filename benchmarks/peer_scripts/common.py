"""What every runner shares: the inputs, the clock, and the file that goes back.

NumPy only: this module is read by the interpreters of other packages' environments.
"""

import argparse
import json
import platform
import resource
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np


class Refused(Exception):
    """The package cannot do what is asked; the message says why."""


class Inputs:
    """What a fit may know; neither held-out decisions nor the true reward.

    Attributes:
        transitions: `[S, A, S]`; terminal states, and actions that do not exist, stay where they
            are.
        allowed: `[S, A]` actions that exist.
        terminal: `[S]` bool.
        initial: `[S]` probabilities of the first state.
        features: `[S, F]` features of states.
        policy: `[S, A]` smoothed shares of the actions.
        states: `[N]`.
        actions: `[N]`.
        next_states: `[N]`.
        starts: `[T + 1]` rows starts[i] to starts[i + 1] - 1 are trajectory i.
        discount: gamma.
        smoothing: Decisions added to each action that exists in `policy`.
    """

    def __init__(self, path: str) -> None:
        with np.load(path, allow_pickle=False) as file:
            for name in file.files:
                value = file[name]
                setattr(self, name, value.item() if value.ndim == 0 else value)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the inputs have no {name!r}")

    def trajectories(self) -> list[slice]:
        """Rows of each trajectory."""
        return [
            slice(int(a), int(b)) for a, b in zip(self.starts[:-1], self.starts[1:], strict=True)
        ]


Fit = Callable[[Inputs], dict[str, Any]]
"""Gives "reward" `[S]` or `[S, A]`, "policy" `[S, A]`, and, if there is something to say, "note".

"ends" is the value that the package's own model gives to terminal states (`[S]`, read there only).
"""


def main(fits: dict[str, Callable[[], Fit]], packages: tuple[str, ...]) -> None:
    """Run one fit: `script METHOD INPUTS OUTPUT [--option VALUE]`.

    Each entry of `fits` imports what it needs and returns the fit, so that importing is not timed.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("method", choices=tuple(fits))
    parser.add_argument("inputs")
    parser.add_argument("output")
    options = parser.parse_args()
    inputs = Inputs(options.inputs)
    said: dict[str, Any] = {"python": platform.python_version()}
    said["versions"] = {name: version(name) for name in packages}
    try:
        fit = fits[options.method]()
        wall, processor = time.perf_counter(), time.process_time()
        found = fit(inputs)
        said["seconds"] = time.perf_counter() - wall
        said["cpu_seconds"] = time.process_time() - processor
    except Refused as reason:
        said["refused"] = str(reason)
    else:
        said["note"] = found.pop("note", "")
        np.savez(options.output, **found)
    said["peak_mb"] = peak_mb()
    print(json.dumps(said))


def peak_mb() -> float:
    """Peak resident memory of this process in MB.

    Linux lets a child report its parent's peak through `getrusage`; /proc is about this one alone.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10
