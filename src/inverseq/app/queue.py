"""Who runs the fits of a project: one after another, each in a process of its own."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

from inverseq._core.errors import InputError
from inverseq.app.fits import ATTEMPTS, Fit, State
from inverseq.app.project import Project

_PAUSE = 0.2
"""Seconds between two looks."""

_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Nothing else is left of it: Windows knows no other."""

_GRACE = 5.0
"""Seconds in which a fit that is to stop may remove what it has half written."""


class Queue:
    """Runs what waits, until it is closed.

    A fit runs in `python -m inverseq.cli.worker`, which notes its progress and its end itself. So
    it survives the server, and a server that comes back waits for it like the one that began it.

    Args:
        project: Whose fits.
    """

    def __init__(self, project: Project) -> None:
        self._project, self._fits = project, project.fits
        self._process: subprocess.Popen | None = None
        self._number: int | None = None
        self._stopped_at: float | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop. The fit that runs is stopped too, and begins again when the project is opened."""
        self._closing.set()
        self._thread.join()
        fit = None if self._number is None else self._fits.get(self._number)
        if fit is not None and self._is_running(fit.number):
            self._end(fit.number, signal.SIGTERM)
            until = time.monotonic() + _GRACE
            while self._is_running(fit.number) and time.monotonic() < until:
                time.sleep(_PAUSE / 4)
            self._end(fit.number, _KILL)
            self._fits.again(fit.number, blameless=True)

    def _run(self) -> None:
        while not self._closing.is_set():
            with suppress(InputError):  # a full disk, say: the next look may go better
                self._look()
            self._closing.wait(_PAUSE)

    def _look(self) -> None:
        """See to the fit that runs, or begin the next."""
        fits = self._fits.all()
        for fit in fits:
            if fit.number == self._number or fit.state is State.RUNNING:
                self._number = fit.number
                if self._is_running(fit.number):
                    return self._stop_if_asked(fit)
                self._settle(fit)
        following = next((fit for fit in fits if fit.state is State.WAITING), None)
        self._number = self._process = self._stopped_at = None
        if following is not None and not any(fit.state is State.RUNNING for fit in fits):
            self._begin(following)
        return None

    def _begin(self, fit: Fit) -> None:
        """Start the process of a fit."""
        module = ["-m", "inverseq.cli.worker"]
        self._fits.attempt(fit.number)
        self._number = fit.number
        self._process = subprocess.Popen(
            [sys.executable, *module, str(self._project.root), str(fit.number)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _is_running(self, number: int) -> bool:
        """Whether a process works on a fit, begun by this server or by an earlier one."""
        if self._process is not None and number == self._number and self._process.poll() is None:
            return True
        return self._project.is_worked_on(number)

    def _stop_if_asked(self, fit: Fit) -> None:
        """End a fit that was cancelled: kindly first."""
        if not fit.cancel:
            return
        now = time.monotonic()
        if self._stopped_at is None:
            self._stopped_at = now
            self._end(fit.number, signal.SIGTERM)
        elif now - self._stopped_at > _GRACE:
            self._end(fit.number, _KILL)

    def _end(self, number: int, how: signal.Signals) -> None:
        """Send a signal to the process of a fit, and to all that it has begun.

        The number of a process that was begun here is known. One that an earlier server began has
        written its own into the list, and is asked for it while it holds its lock: after that the
        number may be somebody else's.
        """
        if self._process is not None and number == self._number:
            pid = self._process.pid if self._process.poll() is None else None
        else:
            fit = self._fits.get(number)
            pid = fit.pid if fit is not None and self._project.is_worked_on(number) else None
        if pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                getattr(os, "killpg", os.kill)(pid, how)  # Windows has no groups

    def _settle(self, fit: Fit) -> None:
        """Note what became of a fit whose process is gone without a word."""
        if fit.state not in (State.WAITING, State.RUNNING):
            return
        if fit.cancel:
            self._fits.end(fit.number, State.CANCELLED)
        elif fit.attempts < ATTEMPTS:
            self._fits.again(fit.number)
        else:
            self._fits.end(
                fit.number,
                State.FAILED,
                f"The process was killed {ATTEMPTS} times. Mostly that is for want of memory: ask "
                "for less, or close other programs, and fit again. What was finished is kept.",
            )
