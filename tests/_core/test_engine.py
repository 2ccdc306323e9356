"""Many calls of one function: killed workers, kept results, order, errors, progress."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from joblib import parallel_config
from scipy import sparse

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


class Colour(StrEnum):
    RED = "red"


class Pair(NamedTuple):
    one: np.ndarray
    two: Any


@dataclass(frozen=True, eq=False)
class Record:
    table: np.ndarray
    names: tuple[str, ...] = ()
    inner: Any = None
    origin: str = field(default="", metadata={"content": False})

    def __post_init__(self):
        self.table.setflags(write=False)


def everything(seed):
    rng = np.random.default_rng(seed)
    shared = Record(rng.random((3, 2)).T, ("a", "b"))
    return {
        "scalars": (1, 2.5, -0.0, float("nan"), float("inf"), True, None, "text\n", np.int8(3)),
        "list": [1, (2,), [3]],
        1: Colour.RED,
        (1, "key"): np.float32(1 / 3),
        "pair": Pair(np.arange(3, dtype=np.uint8), shared),
        "shared": (shared, shared),
        "nested": Record(np.zeros((0, 2)), inner=shared),
        "objects": np.array(["one", 2, None], dtype=object),
        "texts": np.array(["one", "three"]),
        "complex": np.array([1 + 2j]),
        "times": np.array(["2020-01-01"], dtype="datetime64[D]"),
        "sparse": sparse.csr_array(np.eye(3)),
        "error": FitError("it did not end well"),
        "big": 10**40,
    }


def same(one, other):
    """Equal to the last bit, and of the same types."""
    assert type(one) is type(other)
    if isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        assert one.flags.writeable == other.flags.writeable
        assert one.shape == other.shape
        if one.dtype == object:
            same(one.tolist(), other.tolist())
        else:
            assert one.tobytes() == other.tobytes()
            assert one.flags.f_contiguous == other.flags.f_contiguous
    elif isinstance(one, dict):
        same(list(one), list(other))
        same(list(one.values()), list(other.values()))
    elif isinstance(one, tuple | list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            same(a, b)
    elif isinstance(one, Record):
        same(vars(one), vars(other))
    elif sparse.issparse(one):
        same(one.toarray(), other.toarray())
    elif isinstance(one, FitError):
        assert str(one) == str(other)
    else:
        assert repr(one) == repr(other)


def test_what_is_kept_comes_back_exactly(tmp_path):
    computed_now = everything(7)
    (fresh,) = run(everything, [(7,)], 1, what="cells", keep=tmp_path)
    (again,) = run(everything, [(7,)], 1, what="cells", keep=tmp_path)
    same(computed_now, fresh)
    same(computed_now, again)
    assert again["shared"][0] is again["shared"][1] is again["pair"].two


def is_called(log, argument):
    noted(log, 0)
    return 0


def calls_of(log, kept, *arguments):
    """How many of the arguments, one after the other, had to be computed."""
    before = computed(log).get(0, 0)
    for argument in arguments:
        list(run(partial(is_called, str(log)), [(argument,)], 1, what="cells", keep=kept))
    return computed(log).get(0, 0) - before


def test_another_input_never_reads_what_was_kept(tmp_path):
    log, kept = tmp_path / "log", tmp_path / "kept"
    log.mkdir()
    table = np.arange(6.0).reshape(2, 3)
    other = table.copy()
    other[1, 2] = np.nextafter(5.0, 6.0)
    different = [
        table,
        other,
        table.astype(np.float32),
        table.reshape(3, 2),
        np.array([0.0]),
        np.array([-0.0]),
        Record(table.copy()),
        Record(other.copy()),
        Record(table.copy(), ("a",)),
        Record(table.copy(), inner=Record(other.copy())),
        Record(table.copy(), inner=Record(table.copy())),
        (1, 2),
        [1, 2],
        (1.0, 2),
        (True, 2),
        ("1", 2),
        ((1,), 2),
        None,
        "None",
        Colour.RED,
        "red",
        sparse.csr_array(np.eye(2)),
        sparse.csc_array(np.eye(2)),
        square,
        partial(square, 1),
        {"a": 1, "b": 2},
        {"a": 2, "b": 1},
        FitError("a"),
        InputError("a"),
    ]
    assert calls_of(log, kept, *different) == len(different)
    assert calls_of(log, kept, *different) == 0
    # Content counts, not which object it is, nor where it came from.
    equal = [table.copy(), np.asfortranarray(table), Record(table.copy(), origin="elsewhere")]
    assert calls_of(log, kept, *equal) == 0


def test_an_array_that_is_written_over_is_read_again(tmp_path):
    log = tmp_path / "log"
    log.mkdir()

    def cells():
        buffer = np.zeros(3)
        for n in range(4):
            buffer[:] = n
            yield (buffer,)

    made = list(run(total_of, cells(), 4, what="cells", keep=tmp_path / "kept"))
    assert made == [0.0, 3.0, 6.0, 9.0]


def total_of(array):
    return float(array.sum())


MODULE = """
from dataclasses import dataclass
FACTOR = {factor}
def helper(x):
    return {helper}
@dataclass(frozen=True)
class Mine:
    number: int
    def __call__(self):
        return FACTOR * helper(self.number)
def ask(mine):
    return mine()
"""


def test_a_changed_program_never_reads_what_was_kept(tmp_path):
    code = textwrap.dedent("""
        import sys
        sys.path.insert(0, sys.argv[1])
        import mine
        from inverseq._core.engine import run
        print(*run(mine.ask, [(mine.Mine(2),)], 1, what="cells", keep=sys.argv[2]))
        """)
    told = []
    for factor, helper in ((1, "x"), (2, "x"), (2, "x + 1"), (1, "x")):
        (tmp_path / "mine.py").write_text(MODULE.format(factor=factor, helper=helper))
        command = [sys.executable, "-B", "-c", code, str(tmp_path), str(tmp_path / "kept")]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        told.append(done.stdout.strip())
    assert told == ["2", "4", "6", "2"]
    assert len(list((tmp_path / "kept").iterdir())) == 3


def gives_a_function(number):
    return {"made": [1, square if number else 0]}


def test_what_plain_files_cannot_hold_is_refused_by_its_type(tmp_path):
    keep = tmp_path / "kept"
    for argument, told in (
        (object(), "argument 0 is a object"),
        (np.random.default_rng(0), "argument 0 is a Generator"),
        ({"a": {1, 2}}, r"argument 0\['a'\] is a set"),
        (lambda: 0, "lambda"),
        (Path("a"), "PosixPath|WindowsPath"),
    ):
        with pytest.raises(InputError, match=told):
            list(run(square, [(argument,)], 1, what="cells", keep=keep))
    with pytest.raises(InputError, match=r"cells 2 of 2: the result\['made'\]\[1\] is a function"):
        together(gives_a_function, 2, keep=keep)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="keep="):
        together(square, 2, keep=tmp_path / "file")


@pytest.mark.parametrize("damage", ["short", "flipped", "text", "empty"])
def test_a_damaged_file_says_what_to_do(tmp_path, damage):
    together(square, 3, keep=tmp_path)
    file = sorted(tmp_path.iterdir())[0]
    data = file.read_bytes()
    flipped = bytearray(data)
    flipped[len(data) // 3] ^= 0xFF
    file.write_bytes(
        {"short": data[:-30], "flipped": bytes(flipped), "text": b"text", "empty": b""}[damage]
    )
    with pytest.raises(InputError, match=rf"{file.name} cannot be read .*Delete this file"):
        together(square, 3, keep=tmp_path)
    file.unlink()
    assert together(square, 3, keep=tmp_path) == [0, 1, 4]


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
