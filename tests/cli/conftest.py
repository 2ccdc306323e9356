"""Tables to run commands on, and the command line itself, inside and outside of this process."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from inverseq.cli import main


@pytest.fixture
def inside(capsys, tmp_path, monkeypatch):
    """Run the command line here: (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    before = signal.getsignal(signal.SIGTERM)

    def call(*arguments):
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as stop:
            code = stop.code
        told = capsys.readouterr()
        return code, told.out, told.err

    yield call
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def outside(tmp_path):
    """Run the command line as a process of its own."""

    def call(*arguments):
        command = [sys.executable, "-m", "inverseq.cli", *map(str, arguments)]
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=os.environ | {"COLUMNS": "200"},
            check=False,
        )

    return call


@pytest.fixture
def walks(tmp_path):
    """A table of twelve trajectories between three rooms, in `walks.csv`."""
    rng = np.random.default_rng(0)
    lines = ["animal,trajectory,trial,state,action"]
    rooms = ("hall", "nest", "water")
    for walk in range(12):
        room = 0
        for trial in range(15):
            action = int(rng.random() < (0.3, 0.8, 0.6)[room])
            lines.append(
                f"{'AB'[walk % 2]},{walk},{trial},{rooms[room]},{('left', 'right')[action]}"
            )
            room = (room + (1, 2)[action]) % 3
    path = tmp_path / "walks.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def trials(tmp_path):
    """A bandit as people record it, in `trials.csv`: choice and reward, no state."""
    rng = np.random.default_rng(1)
    lines = ["mouse,session,trial,choice,reward"]
    for session in range(6):
        last, paid = 0, 0
        for trial in range(40):
            stay = rng.random() < (0.85 if paid else 0.4)
            choice = last if stay else 1 - last
            paid = int(rng.random() < (0.7, 0.3)[choice])
            shown = "ignored" if rng.random() < 0.05 else ("left", "right")[choice]
            lines.append(f"M{session % 2},{session},{trial},{shown},{paid}")
            last = choice
    path = tmp_path / "trials.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
