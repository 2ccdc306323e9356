"""Trials with a beginning and an end: in order, apart, and with their events inside."""

import numpy as np
from jaxtyping import Bool, Float

from inverseq.doctor.record import About, Finding, Severity
from inverseq.doctor.view import View
from inverseq.readers.roles import plain_name

_BEGINS = ("starttime", "trialstart", "trialstarttime", "onset", "start")
_ENDS = ("stoptime", "endtime", "trialstop", "trialend", "trialstoptime", "trialendtime", "end")
"""Names of the columns, as `plain_name` has them."""
_FEWEST = 5  # times of a column that say whether they are those of trials
_SLACK = 1e-6


def check_trials(view: View) -> list[Finding]:
    """Trials that end before they begin or overlap, and times that lie outside their trial.

    Where only an end has a column, trials begin at the time of the decision.
    """
    demos = view.demonstrations
    numbers = {
        name: values.astype(np.float64)
        for name, values in demos.decisions.items()
        if values.dtype.kind in "if"
    }
    begin = next((name for name in numbers if plain_name(name) in _BEGINS), None)
    end = next((name for name in numbers if plain_name(name) in _ENDS), None)
    starts = numbers.get(begin or "", demos.time)
    if end is None or starts is None:
        return []
    stops = numbers[end]
    backwards = stops < starts - _SLACK
    if begin is None and backwards.mean() > 0.5:  # the time is another clock, or counts
        return []
    told = {"begin": begin or "the time", "end": end}
    goes_on = np.append(demos.trajectory_of[1:] == demos.trajectory_of[:-1], False)
    overlap = goes_on & (np.append(starts[1:], np.inf) < stops - _SLACK)
    findings = [
        view.finding(severity, about, mask, **told)
        for severity, about, mask in (
            (Severity.ERROR, About.BACKWARDS, backwards),
            (Severity.WARNING, About.TRIALS_OVERLAP, overlap & ~backwards),
        )
        if mask.any()
    ]
    for name, values in numbers.items():
        if name not in (begin, end):
            findings += _events(view, name, values, starts, stops)
    return findings


def _events(
    view: View,
    name: str,
    values: Float[np.ndarray, " N"],
    starts: Float[np.ndarray, " N"],
    stops: Float[np.ndarray, " N"],
) -> list[Finding]:
    """Whether a column of times belongs to the trials in whose rows it stands.

    It is one where most of its values lie in their own trial, or in that of a neighbour; amounts,
    and times since the trial began, are not.
    """
    there = np.isfinite(values)
    if there.sum() < _FEWEST:
        return []
    inside = {lag: _inside(view, values, starts, stops, lag) for lag in (0, -1, 1)}
    share = {lag: float(mask[there].mean()) for lag, mask in inside.items()}
    shifted = max((-1, 1), key=share.__getitem__)
    if share[0] < 0.5 < share[shifted]:
        told = {"column": name, "where": "before" if shifted < 0 else "after"}
        mask = inside[shifted] & ~inside[0]
        return [view.finding(Severity.ERROR, About.EVENTS_SHIFTED, mask, **told)]
    outside = there & ~inside[0]
    if share[0] < 0.5 or not outside.any():
        return []
    told = {"column": name, "of": int(there.sum())}
    return [view.finding(Severity.WARNING, About.EVENTS_OUTSIDE, outside, **told)]


def _inside(
    view: View,
    values: Float[np.ndarray, " N"],
    starts: Float[np.ndarray, " N"],
    stops: Float[np.ndarray, " N"],
    lag: int,
) -> Bool[np.ndarray, " N"]:
    """Whether each value lies in the trial `lag` rows on, of the same trajectory."""
    of = view.demonstrations.trajectory_of
    place = np.arange(of.size) + lag
    known = (place >= 0) & (place < of.size)
    place = np.clip(place, 0, of.size - 1)
    known &= of[place] == of
    # An end that is not known (the last trial of a session, say) is open.
    ends = np.where(np.isnan(stops), np.inf, stops)[place]
    return known & (values >= starts[place] - _SLACK) & (values <= ends + _SLACK)
