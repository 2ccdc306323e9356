"""Runs that are killed while they write: the old result whole or no page, and the next run goes on.

`KILLS` of each kind at random moments.
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

KILLS = times(2, 50)
PAGE, RUN, OWN = "report.html", "run.json", "figures/mine.svg"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="runs are killed in forks")


@pytest.fixture(scope="module")
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


@pytest.mark.parametrize("names", [("fit", "compare"), ("fit", "intentions")])
def test_a_killed_run_leaves_the_old_result_or_no_page(reporter, tmp_path, names):
    whole, took = {}, {}
    for name in names:
        assert reporter(name, tmp_path / name) == 0
        began = time.monotonic()
        assert reporter(name, tmp_path / name) == 0
        took[name] = time.monotonic() - began
        whole[name] = hashes(tmp_path / name)
    root, now, killed = tmp_path / "out", "fit", 0
    assert reporter(now, root) == 0
    (root / OWN).write_text("mine")
    mine = {OWN: hashes(root)[OWN]}
    rng = chance(5)
    for share in rng.random(KILLS):
        other = names[now == names[0]]
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
    assert killed > KILLS // 3


@pytest.mark.parametrize(
    ("names", "told"),
    [(("save-fit", "save-intentions"), "saved.npz"), (("study-0", "study-1"), "lever.json")],
)
def test_a_killed_save_or_study_leaves_whole_files_and_no_account_of_others(
    reporter, tmp_path, names, told
):
    whole, took = {}, {}
    for name in names:
        (tmp_path / name).mkdir()
        assert reporter(name, tmp_path / name) == 0
        began = time.monotonic()
        assert reporter(name, tmp_path / name) == 0
        took[name] = time.monotonic() - began
        whole[name] = hashes(tmp_path / name)
    assert whole[names[0]] != whole[names[1]]
    root, now = tmp_path / "out", names[0]
    root.mkdir()
    assert reporter(now, root) == 0
    for share in chance(6).random(KILLS):
        other = names[now == names[0]]
        reporter(other, root, killed_after=share * took[other])
        found = {name: one for name, one in hashes(root).items() if ".part" not in name}
        assert all(found[name] in (whole[now][name], whole[other][name]) for name in found)
        assert told not in found or found in (whole[now], whole[other])
        assert reporter(other, root) == 0
        assert hashes(root) == whole[other]
        now = other
