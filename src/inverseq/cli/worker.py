"""`python -m inverseq.cli.worker PROJECT NUMBER`: run a fit of a project as if it were typed.

The arguments of the fit go through the same function as those of a person, in the folder of the
project: what the page shows to be copied is what was run.
"""

import io
import os
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from inverseq._core.errors import InputError
from inverseq._core.progress import heard_by
from inverseq.app.asked import as_options, is_asked_here
from inverseq.app.fits import Fit, Fits, State
from inverseq.app.project import FITS, KEPT, Project
from inverseq.cli import INTERRUPTED, OK, main
from inverseq.cli.exit_codes import BAD_INPUT

_OFTEN = 0.2
"""Seconds between two notes of how far a fit is."""

_LONGEST = 4000


class _Note:
    """Notes how far a fit is, not too often."""

    def __init__(self, fits: Fits, number: int) -> None:
        self._fits, self._number = fits, number
        self._what, self._when = "", 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if what != self._what or done == total or now - self._when > _OFTEN:
            self._what, self._when = what, now
            self._fits.progress(self._number, what, done, total)


def work(project: Project, number: int) -> int:
    """Run a fit; its exit code."""
    with project.working(number):
        fit = project.fits.get(number)
        if fit is None or not project.fits.begin(number):
            return OK
        if not _is_ours(project, fit):
            why = "This is nothing that this app asks for, or its files are gone: ask again."
            project.fits.end(number, State.FAILED, why)
            return BAD_INPUT
        os.chdir(project.root)
        sys.argv = ["inverseq", *fit.arguments]
        told = io.StringIO()
        try:
            silent, note = io.StringIO(), _Note(project.fits, number)
            with redirect_stdout(silent), redirect_stderr(told), heard_by(note):
                code = main(fit.arguments)
        except SystemExit as stop:  # arguments that mean nothing
            code = int(stop.code or OK)
        except Exception as error:
            code = 1
            told.write(f"{type(error).__name__}: {error}")
        _end(project.fits, number, code, told.getvalue())
        return code


def _is_ours(project: Project, fit: Fit) -> bool:
    """Whether a fit is one that the pages of this project ask for. A list that came from elsewhere
    could name a cluster, or a folder to write to.
    """
    ends = "--keep", KEPT, "--out", f"{FITS}/{fit.number}"
    try:
        project.table(fit.table)
        project.require_own(as_options(fit.asks))
        return is_asked_here(fit.arguments, *ends)
    except (InputError, LookupError, ValueError):
        return False


def _end(fits: Fits, number: int, code: int, told: str) -> None:
    """Note how it ended; one that was only interrupted goes on another time."""
    fit = fits.get(number)
    if code == OK:
        fits.end(number, State.DONE)
    elif code == INTERRUPTED and fit is not None and not fit.cancel:
        fits.again(number, blameless=True)
    elif code == INTERRUPTED:
        fits.end(number, State.CANCELLED)
    else:
        said = told.strip()[-_LONGEST:].removeprefix("inverseq: error: ")
        fits.end(number, State.FAILED, " ".join(said.split()))


if __name__ == "__main__":
    folder, which = sys.argv[1:]
    sys.exit(work(Project(Path(folder)), int(which)))
