"""The benchmarks run, and their rows say what was measured."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_small_benchmarks_run_and_give_rows():
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--small",
        "--json",
        "iavi",
        "bootstrap",
        "large",
        "scale",
        "relations",
        "app",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert len(rows) == 18
    for row in rows:
        assert row["name"]
        assert row["ours"]
        assert row["met"] == ""  # small sizes meet no target
    # A linear solve beats a loop over states, even of 64 states.
    assert float(rows[1]["ratio"].replace(",", "").rstrip("x")) > 100


def test_all_find_what_they_import(monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    for name in import_module("benchmarks.__main__").BENCHMARKS:
        assert callable(import_module(f"benchmarks.{name}").run)


def test_an_unknown_benchmark_is_refused():
    command = [sys.executable, "-m", "benchmarks", "guess"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "iavi, bootstrap, maxent, large, counting" in done.stderr
