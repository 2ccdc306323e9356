"""Trials in which one waits and then acts, cut into decisions: one in each step of time."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.errors import InputError, argument
from inverseq.demonstrations import Demonstrations
from inverseq.readers.columns import as_times, plain_array
from inverseq.readers.frames import frame_columns, frame_names
from inverseq.readers.roles import require_column

_ON_EDGE = 1e-6
"""Share of a step within which a time is on the edge of a step, so that 1.6 s is 16 of 0.1 s."""
_CLOCKS = ("subject", "session")
"""Columns whose values have clocks of their own."""


def steps_of(
    trials: Any,
    *,
    act: str,
    start: str = "start_time",
    stop: str = "stop_time",
    step: float = 0.1,
    source: str = "the table",
) -> Demonstrations:
    """Decisions to wait or to act from a table with one row per trial, one decision a step.

    States are the steps since the start ("0 s", "0.1 s", ...), and last the state after the act,
    which is terminal. Actions are 0 "wait" and 1, called as the column without "_time". The act is
    the decision of the step in which its time lies, and ends the trial. A trial without an act is
    waited through to the last step that is over by its stop; what follows is not known. All
    columns are kept per trial.

    Args:
        trials: Mapping of columns, or a pandas, Polars or Arrow frame: a table of pynwb's, say,
            as `file.trials.to_dataframe()`.
        act: Column with the time of the act; empty or NaN where there was none.
        start: Column with the time at which the wait begins.
        stop: Column with the end of the trial; needed where there was no act.
        step: Seconds of a step.
        source: Of the table, for messages.

    Raises:
        InputError: There is no such column, a time is missing, acts lie before the start or after
            the stop, trials of a session overlap, a trial without an act is shorter than a step,
            or nobody acts.
    """
    if not (np.isfinite(step) and step > 0):
        raise InputError(f"{argument('step', 0.1)} is a time above 0 in seconds; got {step}")
    names = frame_names(trials)
    for role, name in (("act", act), ("start", start)):
        require_column(name, names, role)
    columns = frame_columns(trials, names)
    times = {
        name: np.where(columns[name].missing, np.nan, as_times(columns[name]).values)
        for name in (act, start, *((stop,) if stop in names else ()))
    }
    began, acted = times[start], times[act]
    ended = times.get(stop, np.full(len(acted), np.nan))
    gave_up = ~np.isfinite(acted)
    over = np.where(gave_up, ended, acted)
    _check(np.isfinite(began), f"has no time in {start!r}; leave it out of the table")
    _check(
        np.isfinite(over),
        f"has no act and no end: name the column of its end with {argument('stop', stop)}, or "
        "leave it out",
    )
    _check(
        over >= began,
        f"ends before it begins, in {start!r}: name the column in which the wait begins with "
        f"{argument('start')}; a column shifted by one row looks so too",
    )
    _check(
        ~(acted > ended),
        f"has its act after its end in {stop!r}: name another with {argument('stop')}; a column "
        "shifted by one row looks so too",
    )
    _check_apart([columns[n] for n in _CLOCKS if n in names], began, over)
    if gave_up.all():
        raise InputError(f"{act!r} has no time in any trial of {source}; nobody acts in them")
    places = np.floor((over - began) / step + _ON_EDGE).astype(np.int64)
    lengths = places + ~gave_up
    _check(
        lengths > 0,
        f"has no act and is shorter than a step of {step:g} s; take a smaller "
        f"{argument('step')}, or leave it out",
    )
    trial = np.repeat(np.arange(len(lengths)), lengths)
    since = np.arange(len(trial)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    acts = (since == places[trial]) & ~gave_up[trial]
    longest, called = int(lengths.max()), act.removesuffix("_time")
    kept = {name: plain_array(columns[name]) for name in names if not columns[name].missing.all()}
    said = f"{source} (steps of {step:g} s from {start!r} to {act!r}"
    if gave_up.any():
        said += f", {int(gave_up.sum())} trials without it to {stop!r}"
    return Demonstrations.from_arrays(
        since,
        acts.astype(np.int64),
        next_states=np.where(acts, longest, -1),
        trajectory=trial + 1,
        terminated=acts,
        time=began[trial] + since * step,
        rows=trial + 1,
        trajectories=kept,
        state_names=(*(f"{n * step:.10g} s" for n in range(longest)), f"after {called}"),
        action_names=("wait", called),
        source=f"{said})",
    )


def _check(good: Bool[np.ndarray, " T"], words: str) -> None:
    """Raise an `InputError` that names the first trial that is not good."""
    if not good.all():
        raise InputError(
            f"trial {int(np.argmin(good)) + 1} {words} ({int((~good).sum())} such trials)"
        )


def _check_apart(
    clocks: Sequence[Any], began: Float[np.ndarray, " T"], over: Float[np.ndarray, " T"]
) -> None:
    """Raise an `InputError` where one trial begins before another of its session is over."""
    keys = [np.unique(plain_array(each), return_inverse=True)[1] for each in clocks]
    order = np.lexsort((over, began, *keys))
    one = np.ones(len(order) - 1, dtype=bool)
    for key in keys:
        one &= np.diff(key[order]) == 0
    early = one & (began[order][1:] < over[order][:-1])
    if early.any():
        first, second = (int(order[np.argmax(early) + n]) + 1 for n in range(2))
        raise InputError(
            f"trial {second} begins before trial {first} is over ({int(early.sum())} such trials); "
            "one waits in one trial at a time: correct the times, or give a column session where "
            "there are several clocks"
        )
