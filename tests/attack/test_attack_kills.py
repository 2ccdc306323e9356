"""Runs that are killed while they write: the old result whole or no page, and the next run goes on.

`KILLS` at random moments.
"""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from often import chance, times

KILLS = times(5, 100)
PAGE, RUN, OWN = "report.html", "run.json", "figures/mine.svg"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are killed in forks")


@pytest.fixture
def reporter():
    """Write the report of an analysis, killed after some seconds: the exit code."""
    program = [sys.executable, str(Path(__file__).with_name("reporting_forks.py"))]
    with subprocess.Popen(
        program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as running:

        def ask(name, folder, killed_after=-1.0):
            running.stdin.write(f"{name} {killed_after} {folder}\n")
            return int(running.stdout.readline())

        yield ask
        running.stdin.close()


def hashes(root):
    """Each file but the account of the run and what lies there unfinished."""
    return {
        name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and (name := path.relative_to(root).as_posix()) != RUN
        and not name.startswith(".inverseq.part")
    }


def test_a_killed_run_leaves_the_old_result_or_no_page(reporter, tmp_path):
    whole, took = {}, {}
    for name in ("fit", "compare"):
        assert reporter(name, tmp_path / name) == 0
        began = time.monotonic()
        assert reporter(name, tmp_path / name) == 0
        took[name] = time.monotonic() - began
        whole[name] = hashes(tmp_path / name)
    assert whole["fit"].keys() - whole["compare"].keys() >= {"solution.npz"}
    root, now, killed = tmp_path / "out", "fit", 0
    assert reporter(now, root) == 0
    (root / OWN).write_text("mine")
    mine = {OWN: hashes(root)[OWN]}
    rng = chance(5)
    for share in rng.random(KILLS):
        other = {"fit": "compare", "compare": "fit"}[now]
        killed += reporter(other, root, killed_after=share * took[other]) == -signal.SIGKILL
        found = hashes(root)
        assert found.items() >= mine.items()
        assert PAGE not in found or found in (whole[now] | mine, whole[other] | mine)
        began = time.monotonic()
        assert reporter(other, root) == 0
        took[other] = time.monotonic() - began  # a busy machine may be less so by now
        assert hashes(root) == whole[other] | mine
        assert not (root / ".inverseq.part").exists()
        now = other
    assert killed > KILLS // 2
