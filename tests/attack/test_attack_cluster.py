"""Workers, scheduler and driver of a cluster killed at random moments: what is lost is what ran.

`KILLS` in turn; `pytest -s` prints what each cost.
"""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import pytest
from often import chance, times

CORE = Path(__file__).parents[1] / "_core"
sys.path.insert(0, str(CORE))
from test_engine import computed, noted_slowly, together  # noqa: E402

KILLS = times(1, 30)
VICTIMS = ("worker", "scheduler", "driver")
CELLS, WORKERS = 40, 2
DRIVER = """
import sys
sys.path.insert(0, {core!r})
from functools import partial
from test_engine import noted_slowly, together
import inverseq
from inverseq._core import cluster
cluster._PATIENCE = 30
with inverseq.engine(cluster={file!r}):
    made = together(partial(noted_slowly, {log!r}), {cells}, keep={kept!r})
assert [one["number"] for one in made] == list(range({cells}))
"""


@pytest.fixture
def program():
    """`program(code or module and arguments)`: a process, killed with its children at the end."""
    started = []

    def start(*arguments, **how):
        paths = [str(CORE), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL} | how
        started.append(subprocess.Popen([sys.executable, *arguments], env=environment, **quiet))
        return started[-1]

    yield start
    for each in started:
        try:
            family = psutil.Process(each.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            family = []
        for one in (each, *family):
            try:
                one.kill()
            except psutil.NoSuchProcess:
                continue
        each.wait()


@pytest.mark.parametrize("attempt", range(KILLS))
def test_what_is_lost_is_what_ran(attempt, program, tmp_path):
    victim = VICTIMS[attempt % len(VICTIMS)]
    log, kept, file = tmp_path / "log", tmp_path / "kept", tmp_path / "scheduler.json"
    log.mkdir()
    told = ["--no-dashboard", "--scheduler-file", str(file)]
    where = ["--host", "127.0.0.1", "--port", "0"]
    scheduler = program("-m", "distributed.cli.dask_scheduler", *told, *where)
    many = ["--nworkers", str(WORKERS), "--nthreads", "1", "--local-directory", str(tmp_path)]
    workers = program("-m", "distributed.cli.dask_worker", *told, *many)
    while not file.exists():
        assert scheduler.poll() is None
        time.sleep(0.02)
    code = DRIVER.format(core=str(CORE), file=str(file), log=str(log), kept=str(kept), cells=CELLS)
    driver = program("-c", code, stderr=subprocess.PIPE, text=True)
    while not (kept.exists() and [*kept.glob("[!.]*.npz")]):
        assert driver.poll() is None, driver.stderr.read()
        time.sleep(0.02)
    time.sleep(chance(attempt).uniform(0, 0.1 * CELLS / WORKERS))
    if victim == "worker":
        own = [one for one in psutil.Process(workers.pid).children(recursive=True) if busy(one)]
        killed = own[int(chance(attempt, 1).integers(len(own)))].pid
    else:
        killed = {"scheduler": scheduler, "driver": driver}[victim].pid
    before, ran = len([*kept.glob("[!.]*.npz")]), computed(log)
    os.kill(killed, signal.SIGKILL)
    told = driver.communicate()[1]
    if victim == "worker":
        assert driver.returncode == 0, told
    elif victim == "scheduler" and driver.returncode:
        assert "was lost" in told
    made = together(partial(noted_slowly, str(log)), CELLS, keep=kept)
    assert [one["number"] for one in made] == list(range(CELLS))
    again = sum(computed(log).values()) - CELLS
    print(f"{victim}: {before} of {CELLS} kept, {sum(ran.values())} computed, {again} again")
    # What ran, and on each worker one that it began before it heard that nobody asks any more.
    assert again <= 2 * WORKERS + sum(ran.values()) - before


def busy(process):
    """Whether it is a worker, not the process that follows resources."""
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:
        return False
