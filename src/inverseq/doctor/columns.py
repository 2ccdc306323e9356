"""Columns that play no role and look as if they should, and names that look alike."""

import re
import unicodedata

import numpy as np

from inverseq.demonstrations.grouping import idle_units
from inverseq.doctor.record import About, Finding, Severity
from inverseq.doctor.view import MOST_NAMES, View
from inverseq.readers.roles import LABELS, plain_name

_SITTINGS = ("date", "day", "block", "run", "file", "recording", "sess")
"""Names of columns that rather number sessions than subjects, as `plain_name` has them."""
_TIMES = re.compile("time|onset|stamp|frame|clock|trial")
_ENDS = {
    *("done", "dones", "terminal", "terminals", "termination", "terminations", "isterminal"),
    *("finished", "ended", "gameover", "episodeend", "episodeended", "endofepisode"),
}
_NOTHING = {
    *("none", "null", "nil", "missing", "miss", "missed", "omission", "omitted", "nochoice"),
    *("noresponse", "noaction", "timeout", "invalid", "aborted", "unknown", "undefined"),
}
"""Names of actions, without marks, that may say that there was none."""
_IDENTIFIER = re.compile(r"([_\W]id|ID|Id)$")


def check_columns(view: View) -> list[Finding]:
    """Columns that may be subjects, sessions, times, ends, worlds; who never acts; alike names."""
    found = [*_labels(view), *_times(view), *_ends(view), *_worlds(view), *_idle(view)]
    return found + _signed(view) + _no_action(view) + _alike(view)


def _labels(view: View) -> list[Finding]:
    """Columns that change within trajectories and seem to say whose or which these are."""
    demos = view.demonstrations
    free = [role for role in LABELS if role not in demos.trajectories]
    findings = []
    for name, values in demos.decisions.items():
        kinds, number = np.unique(values, return_inverse=True)
        if not free or not 2 <= kinds.size <= values.size / 2 or _follows(view, number):
            continue
        called = plain_name(name) in _SITTINGS or _IDENTIFIER.search(name) is not None
        in_pieces = int((np.diff(number) != 0).sum()) == kinds.size - 1
        if called or (in_pieces and values.dtype.kind != "f"):
            sitting = plain_name(name) in _SITTINGS and "session" in free
            told = {"column": name, "role": "session" if sitting else free[0]}
            severity = Severity.WARNING if called else Severity.NOTE
            findings.append(Finding(severity, About.UNUSED_LABEL, kinds.size, values=told))
    return findings


def _follows(view: View, number: np.ndarray) -> bool:
    """Whether a column is a part of the state, or of the action: the same wherever these are."""
    parts = (view.demonstrations.states, view.demonstrations.actions)
    size = int(number.max()) + 1
    return any(
        np.unique(part.astype(np.int64) * size + number).size == np.unique(part).size
        for part in parts
    )


def _times(view: View) -> list[Finding]:
    """Columns that seem to say when a decision was made, where no column does."""
    demos = view.demonstrations
    if demos.time is not None:
        return []
    within = demos.trajectory_of[1:] == demos.trajectory_of[:-1]
    for name, values in demos.decisions.items():
        if values.dtype.kind not in "if" or not _TIMES.search(plain_name(name)):
            continue
        back = int((np.diff(values)[within] < 0).sum())
        severity = Severity.WARNING if back else Severity.NOTE
        return [Finding(severity, About.UNUSED_TIME, back, values={"column": name})]
    return []


def _ends(view: View) -> list[Finding]:
    """Columns that seem to say that the world ended a trajectory, where no column does."""
    demos = view.demonstrations
    if demos.terminated.any():
        return []
    for name, values in {**demos.decisions, **demos.trajectories}.items():
        if plain_name(name) in _ENDS and np.isin(values, (0, 1)).all():
            told = {"column": name}
            return [Finding(Severity.WARNING, About.UNUSED_END, int(values.sum()), values=told)]
    return []


def _worlds(view: View) -> list[Finding]:
    """Several worlds that are taken for one, as no world is given."""
    names = np.unique(view.demonstrations.trajectories.get("world", ()))
    if view.mdp is not None or names.size < 2:
        return []
    told = {"worlds": tuple(map(str, names[:MOST_NAMES]))}
    return [Finding(Severity.WARNING, About.ONE_WORLD, names.size, values=told)]


def _idle(view: View) -> list[Finding]:
    """Subjects, or else trajectories, in which nothing was ever done."""
    demos = view.demonstrations
    for by in ("subject", "trajectory"):
        if (by == "trajectory" or by in demos.trajectories) and (names := idle_units(demos, by)):
            told = {"by": by, "names": names[:MOST_NAMES]}
            return [Finding(Severity.WARNING, About.IDLE, len(names), values=told)]
    return []


def _signed(view: View) -> list[Finding]:
    """Actions -1 and 1, of which the first may mean that nothing was done."""
    if view.demonstrations.action_names != ("-1", "1"):
        return []
    return [Finding(Severity.NOTE, About.SIGNED, int((view.demonstrations.actions == 0).sum()))]


def _no_action(view: View) -> list[Finding]:
    """An action whose name says that nothing was done."""
    demos = view.demonstrations
    for number, name in enumerate(demos.action_names):
        if re.sub(r"[\W_]", "", name).casefold() in _NOTHING and len(demos.action_names) > 1:
            count = int((demos.actions == number).sum())
            told = {"name": name, "share": count / max(demos.num_decisions, 1)}
            return [Finding(Severity.NOTE, About.NO_ACTION, count, values=told)]
    return []


def _alike(view: View) -> list[Finding]:
    """Names that differ only by letter case, spaces or the form of their Unicode."""
    findings = []
    for what in ("state", "action"):
        groups: dict[str, list[str]] = {}
        for name in getattr(view.demonstrations, f"{what}_names"):
            plain = unicodedata.normalize("NFKC", name).casefold()
            groups.setdefault(" ".join(plain.split()), []).append(name)
        twins = [tuple(group) for group in groups.values() if len(group) > 1]
        if twins:
            told = {"what": what, "names": twins[0]}
            findings.append(Finding(Severity.WARNING, About.ALIKE, len(twins), values=told))
    return findings
