"""One function for many arguments: in processes, with progress, each result kept on disk.

Everything that fits many times goes through `run`: candidates and folds of a comparison, replicates
of a bootstrap, simulations and refits. Where it runs is joblib's affair: in processes of this
machine, or on a cluster (`inverseq.engine`, `_core/cluster.py`). joblib gives each process its
share of the threads of linear algebra. What is run by many and has much to run itself does that
one by one.
"""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError
from joblib.parallel import get_active_backend

from inverseq._core.errors import FitError, InputError
from inverseq._core.kept import Kept, read_result, write_result

Keep = str | os.PathLike
"""A folder of finished work; what lies there is not done again."""

ATTEMPTS = 3
"""How often a cell is begun whose process is killed."""

_here = threading.local()  # `busy` while a cell runs for another process or thread


def run(
    function: Callable[..., Any],
    cells: Iterable[tuple[Any, ...]],
    total: int | None = None,
    *,
    what: str,
    jobs: int | None = None,
    backend: str | None = None,
    keep: Keep | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[Any]:
    """Call `function(*cell)` for every cell, and give the results in the order of the cells.

    Where a process is killed, another takes its place, and the cells it had, as far as they are
    unfinished, are done again one at a time: so it shows which of them kills.

    Args:
        function: What to call; what all cells share may stand in a `functools.partial`.
        cells: Arguments of each call, taken when they are needed.
        total: How many there are; where left out, they are made first and counted.
        what: What they are, for `progress` and messages: "fits".
        jobs: Processes; -1 for all cores; None for what `joblib.parallel_config` says, and without
            it for none beside this one.
        backend: Name of a backend of joblib; None for what `joblib.parallel_config` says, and
            without it for processes of this machine.
        keep: Folder to which each result is written as soon as it is there, and from which it is
            read another time; it comes from there bit by bit as it was made. On a cluster, of
            this machine: results are written as they arrive.
        progress: Called with (`what`, cells done, cells in all), first with those that were kept.

    Raises:
        InputError: As `function`, in a message that begins with the cell; or, with `keep`,
            arguments or results are of a type that no plain file holds, or a file is damaged.
        FitError: As `function`; or a cell was begun `ATTEMPTS` times, and its process was killed.
    """
    if total is None:
        cells = [*cells]
        total = len(cells)
    kept = None if keep is None else Kept(keep, function)
    work = _Run(function, cells, total, what, kept, jobs, backend, progress)
    ready: dict[int, Any] = {}
    following = 0
    for index, made in work.finished():
        ready[index] = made
        while following in ready:
            made = ready.pop(following)
            yield made if kept is None else read_result(made)
            following += 1


class _Shared:
    """The function, with what all cells share."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __sizeof__(self) -> int:
        """Large: Dask then sends it to each worker once, not with each cell, and does not look
        into it to see how large it is.
        """
        return 1 << 20


class _Call(NamedTuple):
    """One cell on its way to a worker; its file, if the worker is to write it."""

    number: int
    cell: tuple[Any, ...]
    name: str
    file: Path | None
    home: tuple[int, int]


class _Run:
    """Cells as they are handed out and come back.

    As an iterator it gives the calls to be made, and puts aside the cells that are kept. joblib
    asks for them in threads of its own, where an error would be lost and everybody would wait.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        cells: Iterable[tuple[Any, ...]],
        total: int,
        what: str,
        kept: Kept | None,
        jobs: int | None,
        backend: str | None,
        progress: Callable[[str, int, int], None] | None,
    ) -> None:
        self._shared, self._cells, self._kept = _Shared(function), enumerate(cells), kept
        self._total, self._what, self._progress = total, what, progress
        self._how: dict[str, Any] = {"n_jobs": jobs, "backend": backend}
        if _is_busy():
            self._how = {"backend": "sequential"}
        self._far = _is_far(self._how["backend"])
        self._files: dict[int, Path] = {}
        self._lock, self._home = threading.Lock(), _place()
        self._known: list[tuple[int, Path]] = []
        self._out: dict[int, _Call] = {}
        self._error: Exception | None = None
        self._done, self._told = 0, -1

    def finished(self) -> Iterator[tuple[int, Any]]:
        """The number of each cell and its result (where it is kept: its file), as they finish."""
        while True:
            first = next(self, None)
            yield from self._aside()
            if first is None and not self._out:
                break
            self._tell()
            with _survived():
                for index, made in self._parallel([] if first is None else chain([first], self)):
                    yield from self._back(index, made)
            for index, call in [*self._out.items()]:
                yield from self._back(index, self._alone(call))
        self._tell()
        if self._error is not None:
            raise self._error

    def __iter__(self) -> "_Run":
        return self

    def __next__(self) -> Any:
        with self._lock:
            while True:
                try:
                    index, cell = next(self._cells)
                    file = None if self._kept is None else self._kept.path(cell)
                except StopIteration:
                    raise
                except Exception as error:
                    self._error = error
                    raise StopIteration from None
                if file is not None and file.exists():
                    self._known.append((index, file))
                    continue
                name = f"{self._what} {index + 1} of {self._total}" if self._total > 1 else ""
                if file is not None and self._far:
                    self._files[index] = file
                    file = None
                self._out[index] = _Call(index, cell, name, file, self._home)
                return delayed(_make)(self._shared, self._out[index])

    def _parallel(self, calls: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        # joblib puts short calls together; a batch would be lost as one.
        each = {"batch_size": 1} if self._far else {}
        return Parallel(**self._how, **each, return_as="generator_unordered")(calls)

    def _alone(self, call: _Call) -> Any:
        """The result of a cell whose process was killed, perhaps because of it."""
        for _ in range(ATTEMPTS - 1):
            if call.file is not None and call.file.exists():
                return call.file
            with _survived():
                ((_, made),) = self._parallel([delayed(_make)(self._shared, call)])
                return made
        raise FitError(
            f"{call.name or self._what}: the process was killed {ATTEMPTS} times. Mostly that is "
            "for want of memory: give fewer jobs, smaller data, or more memory"
        )

    def _back(self, index: int, made: Any) -> Iterator[tuple[int, Any]]:
        """A cell that is finished, and those that were put aside meanwhile."""
        call = self._out.pop(index)
        if (file := self._files.pop(index, None)) is not None:
            with _named(call):
                write_result(file, made)
            made = file
        self._done += 1
        self._tell()
        yield index, made
        yield from self._aside()

    def _aside(self) -> Iterator[tuple[int, Path]]:
        """The cells that were kept."""
        while self._known:
            self._done += 1
            yield self._known.pop()

    def _tell(self) -> None:
        if self._progress is not None and self._told != self._done:
            self._told = self._done
            self._progress(self._what, self._done, self._total)


def _make(shared: _Shared, call: _Call) -> tuple[int, Any]:
    """The number of a cell, and its result or the file that holds it."""
    busy = _is_busy()
    _here.busy = busy or call.home != _place()
    try:
        with _named(call):
            made = shared.function(*call.cell)
            if call.file is None:
                return call.number, made
            write_result(call.file, made)
            return call.number, call.file
    finally:
        _here.busy = busy


@contextmanager
def _named(call: _Call) -> Iterator[None]:
    """Errors say in which cell they arose."""
    try:
        yield
    except (InputError, FitError) as error:
        raise type(error)(f"{call.name}: {error}" if call.name else str(error)) from error
    except Exception as error:
        error.add_note(f"In {call.name or 'the only cell'}.")
        raise


@contextmanager
def _survived() -> Iterator[None]:
    """Go on where a worker was killed, or what it held is lost with it."""
    with suppress(TerminatedWorkerError):
        try:
            yield
        except CancelledError:
            pass
        except Exception as error:
            if type(error).__name__ != "KilledWorker":  # of Dask, which need not be there
                raise


def _is_far(backend: str | None) -> bool:
    """Whether workers may be on other machines, whose files are not ours."""
    name = backend or type(get_active_backend()[0]).__name__
    return name.lower().startswith("dask")


def _place() -> tuple[int, int]:
    """This process and thread."""
    return os.getpid(), threading.get_ident()


def _is_busy() -> bool:
    """Whether what runs here is a cell that another process or thread waits for."""
    return getattr(_here, "busy", False)
