"""Who runs fits: one after another, begun again where they are killed, stopped when asked."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from inverseq.app import queue
from inverseq.app.fits import ATTEMPTS, State
from inverseq.app.project import opened

# In place of a fit: it takes as long as its table says, and ends as it says.
STAND_IN = """
import sys, time
from pathlib import Path
from inverseq.app.fits import State
from inverseq.app.project import Project
project, number = Project(Path(sys.argv[1])), int(sys.argv[2])
if project.fits.get(number).table == "late":
    time.sleep(60)
with project.working(number):
    if project.fits.begin(number):
        how = project.fits.get(number).table
        if how == "slow" and project.fits.get(number).attempts < 2:
            time.sleep(60)
        if how != "dies":
            project.fits.end(number, State.DONE)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    begin = subprocess.Popen

    def instead(command, **options):
        return begin([sys.executable, str(script), *command[3:]], **options)

    monkeypatch.setattr(queue.subprocess, "Popen", instead)
    with opened(tmp_path / "mine") as project:
        yield project


def until(project, number, *states):
    """Wait until a fit is in one of these states; the fit."""
    for _ in range(600):
        fit = project.fits.get(number)
        if fit.state in states:
            return fit
        time.sleep(0.05)
    raise AssertionError(f"fit {number} is {fit.state}")


def ask(project, *tables):
    return [project.fits.ask(["fit", table], "fits", "kept") for table in tables]


def test_fits_run_one_after_another_and_one_that_always_dies_is_given_up(project):
    dies, fine = ask(project, "dies", "fine")
    runs = queue.Queue(project)
    assert until(project, fine, State.DONE).attempts == 1
    fit = project.fits.get(dies)
    assert (fit.state, fit.attempts) == (State.FAILED, ATTEMPTS)
    assert "killed 3 times" in fit.told
    runs.close()


def test_a_kill_begins_a_fit_again_and_a_cancel_does_not(project):
    slow, waits, stops = ask(project, "slow", "fine", "slow")
    runs = queue.Queue(project)
    fit = until(project, slow, State.RUNNING)
    assert project.fits.get(waits).state is State.WAITING
    os.killpg(fit.pid, signal.SIGKILL)
    assert until(project, slow, State.DONE).attempts == 2
    until(project, stops, State.RUNNING)
    project.fits.cancel(stops)
    assert until(project, stops, State.CANCELLED).attempts == 1
    runs.close()


def test_what_runs_when_the_app_is_closed_goes_on_when_it_is_opened(project):
    (slow,) = ask(project, "slow")
    runs = queue.Queue(project)
    until(project, slow, State.RUNNING)
    runs.close()
    fit = project.fits.get(slow)
    assert (fit.state, fit.attempts, project.is_worked_on(slow)) == (State.WAITING, 0, False)
    project.fits.attempt(slow)
    runs = queue.Queue(project)
    until(project, slow, State.DONE)
    runs.close()


def test_a_server_that_comes_back_waits_for_the_fit_of_the_one_before(project):
    first, second = ask(project, "slow", "fine")
    runs = queue.Queue(project)
    fit = until(project, first, State.RUNNING)
    runs._closing.set()  # as if it had been killed: nobody stops the fit
    runs._thread.join()
    again = queue.Queue(project)
    time.sleep(3 * queue._PAUSE)
    assert project.fits.get(first).pid == fit.pid
    assert project.fits.get(second).state is State.WAITING
    os.killpg(fit.pid, signal.SIGKILL)
    runs._process.wait()
    until(project, second, State.DONE)
    assert project.fits.get(first).attempts == 2
    again.close()


def test_a_process_that_has_not_said_its_number_is_stopped_and_nobody_else(project):
    """The list may hold the number of a process of an earlier attempt, which is another's now."""
    (late,) = ask(project, "late")
    runs = queue.Queue(project)
    while runs._process is None:
        time.sleep(0.02)
    mine = runs._process
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    with sqlite3.connect(project.root / "fits.sqlite") as link:
        link.execute("UPDATE fits SET pid = ?", (other.pid,))
    link.close()
    runs.close()
    assert mine.wait(5) == -signal.SIGTERM
    assert other.poll() is None
    assert project.fits.get(late).state is State.WAITING
    project.fits.attempt(late)
    assert project.fits.get(late).pid is None
    other.kill()
    other.wait()
