"""Trajectories: lengths, ends, gaps, pauses, self-loops, missing actions, who made them."""

import numpy as np

from inverseq.demonstrations import Ending
from inverseq.doctor.record import Finding, Severity
from inverseq.doctor.view import View

_FEW_TRAJECTORIES = 10
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
    return [
        Finding(
            Severity.NOTE,
            "trajectories of very different lengths",
            f"from {lengths.min()} to {lengths.max()} decisions (mean {lengths.mean():.1f}, "
            f"standard deviation {lengths.std():.1f}); the longest {half} of {lengths.size} "
            "trajectories hold half of the decisions",
            "Nothing needs padding or cutting here: solvers take any lengths, and intervals and "
            "folds go by trajectory. (Methods with one fixed horizon would compare visits over "
            "that horizon with trajectories that are mostly shorter.)",
            int(lengths.size),
        )
    ]


def _one_step(view: View) -> list[Finding]:
    """Trajectories of a single decision."""
    demos = view.demonstrations
    single = np.diff(demos.starts) == 1
    if not single.any():
        return []
    rows = np.zeros(demos.num_decisions, dtype=bool)
    rows[demos.starts[:-1][single]] = True
    blind = int((rows & (demos.next_states < 0)).sum())
    untold = f", and of {blind} nothing says what it led to" if blind else ""
    return [
        Finding(
            Severity.WARNING if single.mean() > 0.2 else Severity.NOTE,
            "one-step trajectories",
            f"{int(single.sum())} of {single.size} trajectories ({single.mean():.0%}) have a "
            f"single decision{untold}",
            "They count as decisions but teach nothing about what follows what. If they are "
            "pieces of longer trajectories, join these (one trajectory label, time in order).",
            int(single.sum()),
            view.rows(rows),
        )
    ]


def _endings(view: View) -> list[Finding]:
    """Whether the table says why trajectories end."""
    demos = view.demonstrations
    last = demos.endings[demos.starts[1:] - 1]
    ended = int((last == Ending.TERMINATED).sum())
    if ended == last.size or demos.num_trajectories == 1:
        return []
    terminal = view.mdp is not None and bool(view.terminal.any())
    if ended == 0 and not terminal:
        text = (
            f"none of the {last.size} trajectories is marked as ended by the world, so each counts "
            "as cut off by the recording: behaviour is taken to go on after it"
        )
        remedy = (
            "Right for windows of a long recording. If a trial was over (food reached, time up by "
            "rule), say so in a column terminated=1 on its last row and mark the state as terminal."
        )
    elif ended:
        text = f"{ended} of {last.size} trajectories are ended by the world, the others cut off"
        remedy = ""
    else:
        return []
    return [Finding(Severity.NOTE, "why trajectories end", text, remedy, last.size - ended)]


def _gaps(view: View) -> list[Finding]:
    """Holes in the recording that are marked."""
    mask = view.demonstrations.endings == Ending.GAP
    if not mask.any():
        return []
    return [
        Finding(
            Severity.NOTE,
            "gaps",
            f"after {int(mask.sum()):,} rows the recording does not go on with the next row",
            "Nothing is carried across them: no transition, no history.",
            int(mask.sum()),
            view.rows(mask),
        )
    ]


def _pauses(view: View) -> list[Finding]:
    """Steps of time that are much longer than the others, or none at all."""
    demos = view.demonstrations
    goes_on = demos.endings[:-1] == Ending.CONTINUES
    if demos.time is None or not goes_on.any():
        return []
    step = np.diff(demos.time)
    usual = float(np.median(step[goes_on]))
    counted = bool((step[goes_on] == np.floor(step[goes_on])).all()) and usual == 1
    long = np.append(goes_on & (step > (1 if counted else 10 * usual)), False)
    still = np.append(goes_on & (step == 0), False)
    findings = []
    if usual > 0 and long.any():
        findings.append(
            Finding(
                Severity.WARNING if counted else Severity.NOTE,
                "pauses",
                f"after {int(long.sum()):,} rows more time passes than "
                + ("the usual step of 1" if counted else f"ten times the usual {usual:.3g}")
                + f" (up to {step[long[:-1]].max():.4g})",
                f"If rows are missing there, read the table with longest_step={usual * 1.5:.3g}, "
                "which makes them gaps.",
                int(long.sum()),
                view.rows(long),
            )
        )
    if still.any():
        findings.append(
            Finding(
                Severity.NOTE,
                "equal times",
                f"{int(still.sum()):,} rows have the same time as the next; the order of the table "
                "was kept",
                "",
                int(still.sum()),
                view.rows(still),
            )
        )
    return findings


def _missing(view: View) -> list[Finding]:
    """Rows whose action is not known."""
    mask = view.demonstrations.actions < 0
    if not mask.any():
        return []
    share = mask.mean()
    return [
        Finding(
            Severity.WARNING if share > 0.2 else Severity.NOTE,
            "missing actions",
            f"{int(mask.sum()):,} of {mask.size:,} rows ({share:.1%}) have no action",
            "They are kept in place and neither fitted nor scored. If they cluster (a tired "
            "animal, a broken sensor), the rest is not a fair sample.",
            int(mask.sum()),
            view.rows(mask),
        )
    ]


def _self_loops(view: View) -> list[Finding]:
    """Decisions that lead to the state in which they were made."""
    known = view.decided & (view.next_states >= 0)
    mask = known & (view.states == view.next_states)
    if not mask.any():
        return []
    share = mask.sum() / known.sum()
    return [
        Finding(
            Severity.WARNING if share > _MOSTLY else Severity.NOTE,
            "self-loops",
            f"{int(mask.sum()):,} of {int(known.sum()):,} transitions ({share:.1%}) stay in the "
            "same state",
            "If rows are samples at fixed times rather than decisions, keep only those where "
            "something was decided: rewards and discount count rows."
            if share > _MOSTLY
            else "",
            int(mask.sum()),
            view.rows(mask),
        )
    ]


def _few(view: View) -> list[Finding]:
    """Too few trajectories or subjects to hold some out."""
    demos = view.demonstrations
    findings = []
    if demos.num_trajectories < _FEW_TRAJECTORIES:
        single = demos.num_trajectories == 1
        findings.append(
            Finding(
                Severity.WARNING,
                "single trajectory" if single else "few trajectories",
                "there is only one trajectory: nothing can be held out, and no interval can be "
                "drawn from trajectories"
                if single
                else f"there are {demos.num_trajectories} trajectories: held-out scores and "
                "intervals rest on these few",
                "Cut a long recording where it may be cut (bouts, trials), and name the column "
                'with trajectory="...".',
                demos.num_trajectories,
            )
        )
    if "subject" in demos.trajectories and np.unique(demos.units("subject")).size == 1:
        findings.append(
            Finding(
                Severity.NOTE,
                "single subject",
                "all trajectories are of one subject: nothing can be said about others",
                "",
                1,
            )
        )
    return findings
