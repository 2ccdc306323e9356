"""The same many fits on the workers of a cluster: equal, also where workers are killed."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from test_engine import PROGRAM, computed, noted, noted_slowly, square, together

import inverseq as iq
from inverseq._core import cluster as cluster_module
from inverseq._core.errors import FitError, InputError
from inverseq.cli import main

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def cluster():
    """A scheduler and two workers in processes of their own."""
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", path)
        with distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as made:
            yield made


def test_results_are_those_of_one_process_in_order(cluster):
    with iq.engine(cluster=cluster.scheduler_address):
        assert together(square, 20) == [n * n for n in range(20)]
        assert len(set(together(who, 12))) == 2
    assert set(together(who, 3)) == {os.getpid()}


def who(_):
    time.sleep(0.05)
    return os.getpid()


@pytest.fixture(scope="module")
def choices():
    rng = np.random.default_rng(5)
    states = rng.integers(0, 3, 600)
    actions = (rng.random(600) < np.array([0.2, 0.5, 0.9])[states]).astype(int)
    return iq.Demonstrations.from_arrays(states, actions, trajectory=np.arange(600) // 20)


@dataclass(frozen=True)
class Plain:
    """A solver that the bootstrap has to ask for each replicate."""

    smoothing: float = 0.5

    def solve(self, problem):
        return iq.IAVI(smoothing=self.smoothing).solve(problem)


def test_every_kind_of_many_fits_is_equal_to_one_process(cluster, choices):
    world = iq.MDP.estimate(choices, discount=0.9)
    models = {"iavi": iq.IAVI(), "maxent": iq.MaxEnt("states", strength=1.0)}

    def everything():
        compared = iq.compare(choices, models, world, folds=3)
        drawn = iq.bootstrap(choices, Plain(), world, replicates=6, seed=1).rewards
        chosen = iq.choose_intentions(
            choices, world, seed=2, ks=(1, 2), folds=2, restarts=2, max_steps=5
        )
        return compared.to_pandas(), drawn, chosen.to_pandas()

    here = everything()
    with iq.engine(cluster=cluster.scheduler_address):
        there = everything()
    for one, other in zip(here, there, strict=True):
        if isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other)
        else:
            timed = [name for name in one if "second" in name]
            assert one.drop(columns=timed).equals(other.drop(columns=timed))


def test_the_command_line_goes_there(cluster, tmp_path, capsys):
    table = tmp_path / "t.csv"
    rng = np.random.default_rng(3)
    rows = [f"{i // 10},{rng.integers(3)},{rng.integers(2)}" for i in range(200)]
    table.write_text("trajectory,state,action\n" + "\n".join(rows) + "\n")
    asked = ["compare", str(table), "--folds", "2", "--models", "marginal,iavi", "--json"]
    assert main(asked) == 0
    here = json.loads(capsys.readouterr().out)
    assert main([*asked, "--cluster", cluster.scheduler_address]) == 0
    there = json.loads(capsys.readouterr().out)
    assert [row["nats"] for row in here["scores"]] == [row["nats"] for row in there["scores"]]
    assert main([*asked, "--cluster", "tcp://127.0.0.1:9"]) == 2
    assert "no Dask scheduler answers there" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("wrong", ["", "nosuch.json", "tcp://node1", "node1:80x"])
def test_what_is_no_address_is_refused_at_once(wrong):
    began = time.monotonic()
    with pytest.raises(InputError, match="neither the address"), iq.engine(cluster=wrong):
        pass
    assert time.monotonic() - began < 5


def test_what_is_finished_is_written_here(cluster, tmp_path):
    log, kept = tmp_path / "log", tmp_path / "kept"
    log.mkdir()
    work = partial(noted, str(log))
    with iq.engine(cluster=cluster.scheduler_address):
        far = together(work, 6, keep=kept)
        assert together(work, 6, keep=kept) == far
    assert len([*kept.iterdir()]) == 6
    assert together(work, 6, keep=kept) == far
    assert computed(log) == dict.fromkeys(range(6), 1)


def killing(folder, mark, number):
    """Number 5 kills its worker the first time."""
    made = noted(folder, number)
    if number == 5 and not os.path.exists(mark):
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return made


def test_a_worker_that_is_killed_costs_its_cells_alone(cluster, tmp_path):
    log, kept = tmp_path / "log", tmp_path / "kept"
    log.mkdir()
    with iq.engine(cluster=cluster.scheduler_address):
        made = together(partial(killing, str(log), str(tmp_path / "mark")), 16, keep=kept)
    assert [each["number"] for each in made] == list(range(16))
    times = computed(log)
    assert set(times) == set(range(16))
    assert sum(times.values()) <= 16 + 6  # what both workers had before them


def always(number):
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_cell_that_kills_every_worker_is_named(cluster):
    with (
        iq.engine(cluster=cluster.scheduler_address),
        pytest.raises(FitError, match="cells 3 of 4: the process was killed"),
    ):
        together(always, 4)


@pytest.fixture
def scheduler(tmp_path, monkeypatch):
    """One worker, and a scheduler that can be killed; both in processes of their own."""
    paths = [str(Path(__file__).parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    file = tmp_path / "scheduler.json"
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    told = ["--no-dashboard", "--scheduler-file", str(file)]
    begin = [sys.executable, "-m"]
    first = [*begin, "distributed.cli.dask_scheduler", *told, "--host", "127.0.0.1", "--port", "0"]
    second = [*begin, "distributed.cli.dask_worker", *told, "--nthreads", "1", "--no-nanny"]
    made = subprocess.Popen(first, **quiet)
    worker = subprocess.Popen(second, cwd=tmp_path, **quiet)
    yield file, made
    for each in (worker, made):
        each.kill()
        each.wait()


def wait_for(kept, number, alive):
    while not kept.exists() or len([*kept.glob("[!.]*.npz")]) < number:
        assert alive()
        time.sleep(0.02)


def test_who_asked_may_be_killed_and_so_may_the_scheduler(scheduler, tmp_path, monkeypatch):
    file, process = scheduler
    log, kept = tmp_path / "log", tmp_path / "kept"
    log.mkdir()
    inside = PROGRAM.format(tests=str(Path(__file__).parent), log=str(log), kept=str(kept))
    head, loop = inside.split("for _ in run")
    text = f"{head}import inverseq\nwith inverseq.engine(cluster={str(file)!r}):\n    "
    text += "for _ in run" + loop.replace("\n    pass", "\n        pass")
    program = subprocess.Popen([sys.executable, "-c", text], stderr=subprocess.DEVNULL)
    wait_for(kept, 5, lambda: program.poll() is None)
    program.kill()
    program.wait()
    finished = len([*kept.glob("[!.]*.npz")])
    assert 5 <= finished < 40
    monkeypatch.setattr(cluster_module, "_PATIENCE", 2)
    work = partial(noted_slowly, str(log))

    def tell(what, done, total):
        if done > finished + 3:
            process.kill()

    with pytest.raises(FitError, match="was lost"), iq.engine(str(file)):
        together(work, 40, keep=kept, progress=tell)
    kept_by_now = len([*kept.glob("[!.]*.npz")])
    assert finished < kept_by_now < 40
    before = sum(computed(log).values())
    assert len(together(work, 40, keep=kept)) == 40
    assert sum(computed(log).values()) - before == 40 - kept_by_now
