"""Trajectories: lengths, ends, gaps, pauses, self-loops, missing actions, who made them."""

import numpy as np
from jaxtyping import Float

from inverseq.demonstrations import Ending
from inverseq.demonstrations.grouping import CUT_FROM, parts_of
from inverseq.doctor.record import About, Finding, Severity
from inverseq.doctor.view import View

_FEW_TRAJECTORIES = 10
_FEW_LONG = 0.05  # share of steps that may be called long
_VISITS = 0.3  # share of longer steps from which rows are visits that last
_CLEAR = 2.0  # how much longer than ordinary steps the shortest long one must be
_MOSTLY = 0.75  # share of self-loops that samples at fixed times have and decisions seldom


def check_shape(view: View) -> list[Finding]:
    """Everything about trajectories that no world is needed for."""
    return [
        *_lengths(view),
        *_one_step(view),
        *_endings(view),
        *_gaps(view),
        *_pauses(view),
        *_missing(view),
        *_self_loops(view),
        *_few(view),
    ]


def _lengths(view: View) -> list[Finding]:
    """Trajectories of very different lengths."""
    lengths = np.diff(view.demonstrations.starts)
    if lengths.max() < 5 * max(lengths.min(), 1):
        return []
    order = np.sort(lengths)[::-1]
    half = int(np.searchsorted(np.cumsum(order), order.sum() / 2)) + 1
    told = {
        "shortest": int(lengths.min()),
        "longest": int(lengths.max()),
        "mean": float(lengths.mean()),
        "deviation": float(lengths.std()),
        "half": half,
    }
    return [Finding(Severity.NOTE, About.LENGTHS, lengths.size, values=told)]


def _one_step(view: View) -> list[Finding]:
    """Trajectories of a single decision."""
    demos = view.demonstrations
    single = np.diff(demos.starts) == 1
    if not single.any():
        return []
    rows = np.zeros(demos.num_decisions, dtype=bool)
    rows[demos.starts[:-1][single]] = True
    blind = int((rows & (demos.next_states < 0)).sum())
    severity = Severity.WARNING if single.mean() > 0.2 else Severity.NOTE
    if blind == demos.num_decisions and view.mdp is None and not view.features:
        severity = Severity.ERROR
    told = {"trajectories": single.size, "blind": blind}
    return [view.finding(severity, About.ONE_STEP, rows, **told)]


def _endings(view: View) -> list[Finding]:
    """Whether the table says why trajectories end."""
    demos = view.demonstrations
    last = demos.endings[demos.starts[1:] - 1]
    ended = int((last == Ending.TERMINATED).sum())
    if ended == last.size or demos.num_trajectories == 1:
        return []
    terminal = view.mdp is not None and bool(view.terminal.any())
    if ended == 0 and terminal:
        return []
    told = {"trajectories": last.size}
    return [Finding(Severity.NOTE, About.ENDINGS, last.size - ended, values=told)]


def _gaps(view: View) -> list[Finding]:
    """Holes in the recording that are marked."""
    mask = view.demonstrations.endings == Ending.GAP
    if not mask.any():
        return []
    return [view.finding(Severity.NOTE, About.GAPS, mask)]


def _pauses(view: View) -> list[Finding]:
    """Steps of time that are much longer than the others, or none at all."""
    demos = view.demonstrations
    goes_on = demos.endings[:-1] == Ending.CONTINUES
    if demos.time is None or not goes_on.any():
        return []
    step = np.diff(demos.time)
    usual = float(np.median(step[goes_on]))
    whole = bool((step[goes_on] == np.floor(step[goes_on])).all()) and usual == 1
    # Where many steps are longer, a row is a visit that lasted, and none is missing after it.
    counted = whole and float((step[goes_on] > 1).mean()) < _VISITS
    long = np.append(goes_on & (step > (1 if counted else 10 * usual)), False)
    still = np.append(goes_on & (step == 0), False)
    findings = []
    if usual > 0 and long.any():
        severity = Severity.WARNING if counted else Severity.NOTE
        limit = 1.5 if counted else _limit(step[goes_on], usual)
        told = {
            "usual": usual,
            "longest": float(step[long[:-1]].max()),
            "limit": limit,
            "cut": int((step[goes_on] > limit).sum()),
            "steps": int(goes_on.sum()),
        }
        findings.append(view.finding(severity, About.PAUSES, long, **told))
    if still.any():
        most = still.sum() > goes_on.sum() / 2
        severity = Severity.WARNING if most else Severity.NOTE
        findings.append(view.finding(severity, About.EQUAL_TIMES, still, most=int(most)))
    return findings


def _limit(steps: Float[np.ndarray, " M"], usual: float) -> float:
    """A time in the widest gap above the usual step, with few beyond; 0 where there is none."""
    times, counts = np.unique(steps[steps >= usual], return_counts=True)
    beyond = counts[::-1].cumsum()[::-1][1:] / steps.size
    wider = np.where(beyond <= _FEW_LONG, times[1:] / times[:-1], 0.0)
    if wider.max(initial=0.0) < _CLEAR:
        return 0.0
    place = int(np.argmax(wider))
    return float(np.sqrt(times[place] * times[place + 1]))


def _missing(view: View) -> list[Finding]:
    """Rows whose action is not known."""
    mask = ~view.demonstrations.acted
    if not mask.any():
        return []
    severity = Severity.WARNING if mask.mean() > 0.2 else Severity.NOTE
    return [view.finding(severity, About.MISSING, mask, rows=mask.size)]


def _self_loops(view: View) -> list[Finding]:
    """Decisions that lead to the state in which they were made."""
    known = view.decided & (view.next_states >= 0)
    mask = known & (view.states == view.next_states)
    if not mask.any():
        return []
    of = int(known.sum())
    severity = Severity.WARNING if mask.sum() / of > _MOSTLY else Severity.NOTE
    return [view.finding(severity, About.SELF_LOOPS, mask, transitions=of)]


def _few(view: View) -> list[Finding]:
    """Too few trajectories or subjects to hold some out."""
    demos, findings = view.demonstrations, []
    if demos.num_trajectories < _FEW_TRAJECTORIES:
        about = About.ONE_TRAJECTORY if demos.num_trajectories == 1 else About.FEW_TRAJECTORIES
        findings.append(Finding(Severity.WARNING, about, demos.num_trajectories))
    if whole := parts_of(CUT_FROM, demos, "trajectory"):
        told = {"whole": whole}
        findings.append(
            Finding(Severity.WARNING, About.PIECES, demos.num_trajectories, values=told)
        )
    if "subject" in demos.trajectories and np.unique(demos.units("subject")).size == 1:
        findings.append(Finding(Severity.NOTE, About.ONE_SUBJECT, 1))
    return findings
