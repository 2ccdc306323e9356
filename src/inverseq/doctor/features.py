"""What can be said of states that are features: no world, but rows and components."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from inverseq.demonstrations import Box, Demonstrations
from inverseq.demonstrations.following import finite_rows
from inverseq.doctor.record import About, Finding, Severity
from inverseq.doctor.view import MOST_NAMES, View

_TURNS = (360.0, 2 * np.pi)
_FULL = 0.9  # share of a turn that an angle spans
_APART = 1000.0  # ratio of spreads from which components are said to differ in scale


def numbered_alike(
    parts: Sequence[Demonstrations],
) -> list[tuple[Demonstrations, Bool[np.ndarray, "S A"]]]:
    """Each with observations numbered, equal ones alike over all parts, and the actions that exist.

    Raises:
        InputError: Actions are continuous.
    """
    rows = [array for d in parts for array in (d.states, d.next_states[d.next_known])]
    size = rows[0][0].size  # there is a decision
    keys = [np.ascontiguousarray(each).reshape(len(each), size) for each in rows]
    together = np.concatenate(keys)
    whole = together.view(np.dtype((np.void, together.dtype.itemsize * together.shape[1])))
    kinds, number = np.unique(whole.ravel(), return_inverse=True)
    pieces = iter(np.split(number.ravel(), np.cumsum([len(each) for each in rows])[:-1]))
    made = []
    for d in parts:
        states, following = next(pieces), np.full(d.num_decisions, -1)
        following[d.next_known] = next(pieces)
        allowed = np.full((kinds.size, max(d.num_actions, 1)), d.allowed is None)
        if d.allowed is not None:
            np.logical_or.at(allowed, states, d.allowed)
        fresh = {"states": states, "next_states": following, "following": None}
        made.append((replace(d, **fresh, feature_names=(), allowed=None), allowed))
    return made


def check_features(demonstrations: Demonstrations, view: View) -> list[Finding]:
    """Numbers that are none, components that never change, angles, and scales far apart.

    Args:
        demonstrations: With states as features.
        view: The same, numbered.
    """
    findings, states = [], demonstrations.states
    wrong = ~finite_rows(states)
    if wrong.any():
        findings.append(view.finding(Severity.ERROR, About.NOT_FINITE, wrong))
    space = demonstrations.state_space
    if states.ndim != 2 or wrong.all() or not isinstance(space, Box):
        return findings  # the pixels of an image have no names, and many never change
    names = space.names or tuple(f"feature {d}" for d in range(states.shape[1]))
    columns = states[~wrong].astype(np.float64)
    constant = columns.min(axis=0) == columns.max(axis=0)
    if constant.any():
        told = {"names": tuple(np.array(names)[constant][:MOST_NAMES].tolist()), "of": len(names)}
        findings.append(Finding(Severity.WARNING, About.CONSTANT, int(constant.sum()), values=told))
    for d, name in enumerate(names):
        findings += _angle(view, states[:, d].astype(np.float64), name)
    spreads = columns.std(axis=0)
    wide, narrow = int(spreads.argmax()), int(np.where(constant, np.inf, spreads).argmin())
    if spreads[wide] > _APART * spreads[narrow] and not constant.all():
        told = {
            "wide": names[wide],
            "narrow": names[narrow],
            "spreads": (f"{spreads[wide]:.3g}", f"{spreads[narrow]:.3g}"),
        }
        findings.append(Finding(Severity.NOTE, About.SCALES, len(names), values=told))
    return findings


def _angle(view: View, values: np.ndarray, name: str) -> list[Finding]:
    """A component that spans a turn and jumps from one end of it to the other."""
    span = float(np.nanmax(values) - np.nanmin(values))
    turn = next((t for t in _TURNS if _FULL * t <= span <= t * (1 + 1e-6)), None)
    if turn is None:
        return []
    goes_on = view.demonstrations.continues[1:]
    jumps = np.append(goes_on & (np.abs(np.diff(values)) > _FULL * turn), False)
    if not jumps.any():
        return []
    return [view.finding(Severity.WARNING, About.ANGLE, jumps, name=name)]
