"""The list of fits: what a row goes through, and what a kill leaves of it."""

import time

import pytest

from inverseq import InputError
from inverseq.app.fits import Fits, State


@pytest.fixture
def fits(tmp_path):
    return Fits(tmp_path / "fits.sqlite")


def test_a_fit_holds_what_one_would_type(fits):
    number = fits.ask(["fit", "mice", "--history", "1"], "fits", "kept")
    fit = fits.get(number)
    assert fit.arguments == (
        *("fit", "mice", "--history", "1"),
        *("--keep", "kept", "--out", f"fits/{number}"),
    )
    assert (fit.table, fit.asks, fit.state) == ("mice", ("--history", "1"), State.WAITING)


def test_progress_knows_what_was_kept_and_how_long_the_rest_takes(fits):
    number = fits.ask(["fit", "mice"], "fits", "kept")
    assert fits.begin(number)
    assert not fits.begin(number)  # somebody works on it already
    fits.progress(number, "fits", 4, 12)
    assert fits.get(number).left(time.time()) is None
    fits.progress(number, "fits", 8, 12)
    fit = fits.get(number)
    # Four of eight steps since it began: what is left takes as long again.
    assert fit.left(fit.since + 10.0) == pytest.approx(10.0)
    fits.progress(number, "report", 0, 1)
    assert fits.get(number).first == 0


def test_a_fit_ends_once(fits):
    number = fits.ask(["fit", "mice"], "fits", "kept")
    fits.begin(number)
    assert fits.end(number, State.FAILED, "no")
    assert not fits.end(number, State.DONE)
    assert not fits.cancel(number)
    assert not fits.again(number)
    assert (fits.get(number).state, fits.get(number).told) == (State.FAILED, "no")


def test_what_waits_is_cancelled_at_once_and_what_runs_is_asked_to_stop(fits):
    first, second = (fits.ask(["fit", name], "fits", "kept") for name in ("mice", "people"))
    fits.begin(first)
    assert fits.cancel(first)
    assert fits.cancel(second)
    assert [(fit.state, fit.cancel) for fit in fits.all()] == [
        (State.RUNNING, True),
        (State.CANCELLED, False),
    ]


def test_only_a_kill_counts_as_an_attempt(fits):
    number = fits.ask(["fit", "mice"], "fits", "kept")
    for _ in range(2):
        fits.attempt(number)
        fits.begin(number)
        fits.again(number)
    assert fits.get(number).attempts == 2
    fits.again(number, blameless=True)
    assert fits.get(number).attempts == 0


def test_the_list_is_there_when_it_is_opened_again_and_a_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "fits.sqlite"
    Fits(path).ask(["fit", "mäuse.csv"], "fits", "kept")
    assert Fits(path).all()[0].table == "mäuse.csv"
    other = tmp_path / "other.sqlite"
    other.write_bytes(b"no list at all, but text" * 100)
    with pytest.raises(InputError, match=r"the list of fits, other\.sqlite, cannot be used"):
        Fits(other)
