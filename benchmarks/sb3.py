"""Stable-Baselines3, in an environment of its own, asked whether it takes what we make."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, row
from benchmarks.peers import ONE_THREAD, SCRIPTS, TORCH, environment

PACKAGES = (TORCH[0], "stable-baselines3==2.9.2", "--editable", f"{ROOT}[control]")


def run(small: bool = False) -> list[dict[str, Any]]:
    """A row for its check of environments, and one for what plays in its `evaluate_policy`."""
    found = {} if small else asked()
    rows = []
    for start, told in (
        ("check_env", "our environments, by check_env of Stable-Baselines3"),
        ("evaluate_policy", "our agents, by its evaluate_policy (returns as in our own play)"),
    ):
        said = {name: wrong for name, wrong in found.items() if name.startswith(start)}
        refused = [f"{name}: {wrong}" for name, wrong in said.items() if wrong]
        taken = f"{len(said) - len(refused)} of {len(said)} taken"
        met = None if small else not refused
        rows.append(row(told, "; ".join([taken, *refused]), target="all", met=met))
    return rows


def asked() -> dict[str, str]:
    """What was asked -> what was wrong with it, "" where nothing was.

    Raises:
        CalledProcessError: The packages could not be installed, or the script failed.
    """
    python = environment(Path(".peers") / "sb3", PACKAGES)
    done = subprocess.run(
        [python, SCRIPTS / "sb3_accepts.py"],
        env={**os.environ, **ONE_THREAD},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
