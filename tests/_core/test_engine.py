"""Many calls of one function: killed workers, kept results, order, errors, progress."""

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from joblib import parallel_config

from inverseq._core import engine
from inverseq._core.engine import run
from inverseq._core.errors import FitError, InputError


def square(number):
    return number * number


def noted(folder, number):
    """A square, after a line in a file that says it was computed."""
    with open(Path(folder) / f"{number}.log", "a") as stream:
        stream.write("x\n")
    return {"number": number, "square": np.float64(number) ** 2}


def computed(folder):
    """How often each number was computed."""
    return {int(p.stem): len(p.read_text().split()) for p in Path(folder).glob("*.log")}


def numbers(count):
    return ((n,) for n in range(count))


def together(function, count, **settings):
    return list(run(function, numbers(count), count, what="cells", **settings))


@pytest.mark.parametrize("jobs", [None, 1, 2])
def test_results_come_in_the_order_of_the_cells(jobs):
    assert together(square, 20, jobs=jobs) == [n * n for n in range(20)]


def slow_first(number):
    time.sleep(0.3 if number == 0 else 0)
    return number


def test_a_slow_cell_does_not_change_the_order():
    assert together(slow_first, 12, jobs=2) == list(range(12))


def test_cells_are_taken_when_they_are_needed():
    taken = []

    def cells():
        for n in range(1000):
            taken.append(n)
            yield (n,)

    results = run(square, cells(), 1000, what="cells")
    assert [next(results) for _ in range(3)] == [0, 1, 4]
    assert len(taken) < 10


def killed_once(folder, number):
    """Number 3 kills its process the first time; all leave a line."""
    made = noted(folder, number)
    if number == 3 and computed(folder)[3] == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return made


def alike(one, other):
    return repr(one) == repr(other)


def test_a_killed_worker_is_replaced_and_nothing_is_lost(tmp_path):
    made = together(partial(killed_once, str(tmp_path)), 12, jobs=2)
    assert [one["square"] for one in made] == [n * n for n in range(12)]
    assert computed(tmp_path)[3] == 2


def test_only_the_cells_of_a_killed_worker_are_done_again(tmp_path):
    log, kept = tmp_path / "log", tmp_path / "kept"
    log.mkdir()
    made = together(partial(killed_once, str(log)), 12, jobs=2, keep=kept)
    assert [one["number"] for one in made] == list(range(12))
    times = computed(log)
    assert times[3] == 2
    # The other worker may have been in the middle of one.
    assert sum(times.values()) <= 14
    assert len(list(kept.iterdir())) == 12


def killed(number):
    if number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_a_cell_that_always_kills_its_process_is_named():
    with pytest.raises(FitError, match=r"cells 5 of 8: the process was killed 3 times"):
        together(killed, 8, jobs=2)


def test_kept_cells_are_not_done_again_and_are_equal_bit_by_bit(tmp_path):
    log, kept = tmp_path / "log", tmp_path / "kept"
    log.mkdir()
    work = partial(noted, str(log))
    half = together(work, 5, keep=kept)
    assert computed(log) == dict.fromkeys(range(5), 1)
    whole = together(work, 10, keep=kept, jobs=2)
    assert computed(log) == dict.fromkeys(range(10), 1)
    assert alike(whole[:5], half)
    assert alike(whole, together(work, 10))
    assert alike(whole, together(work, 10, keep=kept))
    assert computed(log) == dict.fromkeys(range(10), 2)


PROGRAM = """
import signal, sys
# A program in the background of a shell would not hear it.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, {tests!r})
from functools import partial
from test_engine import noted_slowly
from inverseq._core.engine import run
for _ in run(partial(noted_slowly, {log!r}), ((n,) for n in range(40)), 40,
             what="cells", jobs=2, keep={kept!r}):
    pass
"""


def noted_slowly(folder, number):
    time.sleep(0.1)
    return noted(folder, number)


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_program_that_is_stopped_leaves_what_was_finished(tmp_path, stop):
    log, kept = tmp_path / "log", tmp_path / "kept"
    log.mkdir()
    text = PROGRAM.format(tests=str(Path(__file__).parent), log=str(log), kept=str(kept))
    program = subprocess.Popen([sys.executable, "-c", text], stderr=subprocess.DEVNULL)
    while not kept.exists() or len(list(kept.glob("[!.]*.npz"))) < 6:
        assert program.poll() is None
        time.sleep(0.02)
    program.send_signal(stop)
    assert program.wait() != 0
    time.sleep(0.5)  # its workers finish what they do, and go
    finished = len(list(kept.glob("[!.]*.npz")))
    before = computed(log)
    assert 6 <= finished < 40
    code = text.replace("jobs=2", "jobs=1")
    subprocess.run([sys.executable, "-c", code], check=True)
    after = computed(log)
    assert set(after) == set(range(40))
    assert sum(after.values()) - sum(before.values()) == 40 - finished
    assert len(list(kept.glob("[!.]*.npz"))) == 40


def wrong(kind, number):
    if number == 2:
        raise kind("this is what is wrong")
    return number


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_error_names_its_cell(jobs):
    for kind in (InputError, FitError):
        with pytest.raises(kind, match=r"^cells 3 of 5: this is what is wrong$"):
            together(partial(wrong, kind), 5, jobs=jobs)
    with pytest.raises(KeyError) as caught:
        together(partial(wrong, KeyError), 5, jobs=jobs)
    assert caught.value.__notes__ == ["In cells 3 of 5."]
    with pytest.raises(InputError, match=r"^this is what is wrong$"):
        list(run(partial(wrong, InputError), [(2,)], 1, what="cells", jobs=jobs))


@pytest.mark.parametrize("jobs", [1, 2])
def test_cells_that_cannot_be_made_are_an_error_and_no_wait(jobs):
    def cells():
        for n in range(50):
            if n == 20:
                raise InputError("no cell 20")
            yield (n,)

    with pytest.raises(InputError, match="no cell 20"):
        list(run(square, cells(), 50, what="cells", jobs=jobs))


def test_progress_begins_with_what_was_kept(tmp_path):
    told = []
    tell = lambda *step: told.append(step)  # noqa: E731
    together(square, 3, keep=tmp_path, progress=tell)
    assert told == [("cells", n, 3) for n in range(4)]
    told.clear()
    together(square, 5, keep=tmp_path, progress=tell, jobs=2)
    assert told[0] == ("cells", 3, 5)
    assert told[-1] == ("cells", 5, 5)
    told.clear()
    together(square, 5, keep=tmp_path, progress=tell)
    assert told == [("cells", 5, 5)]


def inside(number):
    """Who runs, and who runs what this runs itself."""
    made = list(run(who, numbers(3), 3, what="inner", jobs=2))
    return who(number), made, [os.environ.get("OMP_NUM_THREADS"), os.cpu_count()]


def who(_):
    return os.getpid()


def test_what_is_run_by_many_runs_its_own_one_by_one():
    for outer, inner, (threads, cores) in together(inside, 4, jobs=2):
        assert outer != os.getpid()
        assert inner == [outer] * 3
        assert int(threads) * 2 <= max(cores, 2)
    # In this process alone, what is inside may have processes.
    ((outer, inner, _),) = together(inside, 1, jobs=1)
    assert outer == os.getpid()
    assert os.getpid() not in inner


def thread_of(_):
    import threading

    return threading.get_ident()


def test_a_context_and_an_argument_choose_the_backend():
    with parallel_config(backend="threading", n_jobs=2):
        made = together(who, 6)
        assert set(made) == {os.getpid()}
    made = together(who, 6, jobs=2, backend="threading")
    assert set(made) == {os.getpid()}
    with parallel_config(n_jobs=2):
        assert os.getpid() not in together(who, 6)


def test_attempts_are_bounded():
    assert engine.ATTEMPTS == 3
