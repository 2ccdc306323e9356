"""The command line: `inverseq fit`, `compare`, `neural`, `doctor`, `worlds`, `study` and others.

Only what is needed to understand the arguments is imported here; each command's own module, with
everything heavy, is imported when the command runs, so that help comes at once.
"""

import gc
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from typing import NoReturn

from inverseq import __version__
from inverseq._core.errors import FitError, InputError, as_option, spelt
from inverseq.cli.exit_codes import BAD_INPUT, FAILED, INTERRUPTED, OK
from inverseq.cli.wording import WIDEST, columns, filled

_COMMANDS = {
    "app": ("App", "from a table to a report on pages in the browser, without code"),
    "fit": ("Fit", "find the reward behind a table of decisions, score and report it"),
    "compare": ("Compare", "score solvers and yardsticks side by side by cross-validation"),
    "neural": ("Neural", "relate neurons of an NWB file to what is wanted, and foretell acts"),
    "doctor": ("Doctor", "say what will hurt, before any fit"),
    "worlds": ("Worlds", "look at mazes and networks from files, put positions into them"),
    "replan": ("Replan", "say what the same reward does in a changed world"),
    "show": ("Show", "draw what a saved solution holds"),
    "study": ("", "make a published figure or table again"),
    "play": ("Play", "play the grid world in the browser; games become demonstrations"),
    "datasets": ("Datasets", "list the data sets that come with the package"),
}
"""Command -> record of its options in `cli.options` (each study has one of its own), and what it
does. Its module is `cli.NAME`."""

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""One thread for linear algebra, unless told otherwise: the matrices are small and many, and
threads that wait for each other made the main job five times slower on two cores."""

_BETWEEN_COLLECTIONS = 20_000
"""Objects made before cycles are looked for. Python looks after 700, which takes a fifteenth of the
main job: what is loaded and drawn is many small objects that stay."""

_OVERVIEW = """usage: inverseq COMMAND ...

What does an animal want, judging by what it does? inverseq takes a table with
one row per decision and finds the reward that explains it, how well, how
surely, and against which yardsticks.

commands:
{commands}

first steps:
  inverseq app                          from a table to a report, in the browser
  inverseq fit mice --out out/mice      the main job on bundled data; then open
                                        out/mice/report.html
  inverseq doctor mine.csv              look at your own table first
  inverseq fit mine.csv --out out/mine
  inverseq fit --help                   each command explains itself

options:
  -h, --help          this text
  --version           the version
  --completion SHELL  what makes bash, zsh or fish complete commands and options
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: Without the program's name; those of the process where left out.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    for name in _THREADS:
        os.environ.setdefault(name, "1")
    gc.set_threshold(_BETWEEN_COLLECTIONS)
    os.environ["MPLBACKEND"] = "agg"  # no window is ever opened, whatever the user's own is
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a letter that cannot be said ends no run
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with spelt(as_option):
            return _run(given)
    except InputError as error:
        return _fail(error, BAD_INPUT)
    except FitError as error:
        return _fail(error, FAILED)
    except KeyboardInterrupt:
        return _fail("interrupted; no file was left half written", INTERRUPTED)
    except BrokenPipeError:
        # The reader of the output went away (`inverseq ... | head`); nobody is left to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        return _fail(error, FAILED)


def _run(given: list[str]) -> int:
    """Understand the arguments and hand over to the command's module."""
    if not given or given[0] in ("-h", "--help"):
        commands = "\n".join(f"  {name:<10} {does}" for name, (_, does) in _COMMANDS.items())
        print(filled(_OVERVIEW.format(commands=commands)), end="")
        return OK if given else BAD_INPUT
    if given[0] == "--version":
        print(f"inverseq {__version__}")
        return OK
    parse = import_module("inverseq.cli.parse")
    if given[0] == "--completion":
        parse.completion(given[1] if given[1:] else "", {n: r for n, (r, _) in _COMMANDS.items()})
    if given[0] not in _COMMANDS:
        known = ", ".join(_COMMANDS)
        raise InputError(
            f"there is no command {given[0]!r}; there are {known}. Try inverseq --help"
        )
    options = parse.parse(given[0], *_COMMANDS[given[0]], given[1:])
    if options.output.quiet:
        warnings.simplefilter("ignore")
    run = import_module(f"inverseq.cli.{given[0]}").run
    where = getattr(options, "where", None)
    if where is None or (where.cluster is None and where.device is None):
        return run(options)
    with import_module("inverseq._core.cluster").engine(where.cluster, device=where.device):
        return run(options)


def _fail(error: object, code: int) -> int:
    """Say what went wrong."""
    notes = getattr(error, "__notes__", ())
    if sys.stderr is not None:  # it may be closed, and `print` would turn to the output then
        told = f"inverseq: error: {error}"
        if columns() < WIDEST:  # else one line, for programs that read it
            told = filled(told)
        print(told, *notes, sep="\n", file=sys.stderr)
    return code


def _interrupt(*_: object) -> NoReturn:
    """Being terminated is like being interrupted: temporary files are removed on the way out."""
    raise KeyboardInterrupt
