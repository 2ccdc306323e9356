"""A skip fails where `.ci/run` runs the tests, and is a skip elsewhere; threads are counted."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MARKED = """
import pytest

@pytest.mark.skipif(True, reason="no browser here")
def test_page(): pass

@pytest.mark.xfail
def test_known_fault(): assert False

def test_inside(): pytest.skip("no screen here")
"""
IMPORTED = "import pytest; pytest.importorskip('nothing', reason='no package here')"


COUNTED = """
import os
import numpy

def test_it_is_one(): assert len(os.listdir("/proc/self/task")) == 1
"""


def run(folder: Path, *options: str, **planted: str) -> str:
    """What pytest says of the planted tests under the suite's own settings."""
    for name in ("conftest.py", "checker.py"):
        shutil.copy(Path(__file__).with_name(name), folder)
    for name, text in (planted or {"marked": MARKED, "imported": IMPORTED}).items():
        (folder / f"test_{name}.py").write_text(text)
    said = ("PYTEST_ADDOPTS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    plain = {name: value for name, value in os.environ.items() if name not in said}
    program = [sys.executable, "-m", "pytest", "-q", "--continue-on-collection-errors", *options]
    done = subprocess.run(
        program, cwd=folder, env=plain, capture_output=True, text=True, check=False
    )
    return done.stdout


def test_at_home_a_skip_is_a_skip(tmp_path):
    assert "3 skipped, 1 xfailed" in run(tmp_path)


@pytest.mark.parametrize("workers", ["0", "1"])
def test_where_none_may_be_skipped_each_fails_with_its_reason(tmp_path, workers):
    said = run(tmp_path, "--no-skips", "-n", workers)
    assert "1 failed, 1 xfailed, 2 errors" in said
    for reason in ("no browser here", "no screen here", "no package here"):
        assert f"with --no-skips, this fails: Skipped: {reason}" in said


def test_linear_algebra_has_one_thread_whoever_imports_it_first(tmp_path):
    shutil.copy(Path(__file__).parents[1] / "pyproject.toml", tmp_path)
    assert "1 passed" in run(tmp_path, "test_counted.py", counted=COUNTED)
