"""Results that are kept: they come back exactly, and only for what they were made of."""

import subprocess
import sys
import textwrap
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy import sparse
from test_engine import computed, noted, square, together

from inverseq._core.engine import run
from inverseq._core.errors import FitError, InputError


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
