"""What contradicts the world, and what the world leaves no choice about."""

import numpy as np
from jaxtyping import Bool

from inverseq.decisions.goals import require_goals
from inverseq.doctor.record import About, Finding, Severity
from inverseq.doctor.view import View


def check_world(view: View, goal: str | None = None) -> list[Finding]:
    """Actions that do not exist, steps that cannot happen, decisions after an end, forced ones."""
    if view.mdp is None:
        return []
    exists = view.decided & view.allowed[view.states, view.actions]
    findings = _absent_actions(view, view.decided & ~exists)
    findings += _impossible(view, exists)
    findings += _after_the_end(view)
    findings += _ends_elsewhere(view, goal)
    return findings + _forced(view)


def _absent_actions(view: View, mask: Bool[np.ndarray, " N"]) -> list[Finding]:
    """Actions taken where they do not exist."""
    if not mask.any():
        return []
    row = int(np.argmax(mask))
    told = {
        "action": view.action_name(int(view.actions[row])),
        "state": view.state_name(int(view.states[row])),
    }
    return [view.finding(Severity.ERROR, About.ABSENT_ACTIONS, mask, **told)]


def _impossible(view: View, exists: Bool[np.ndarray, " N"]) -> list[Finding]:
    """Steps to which the world gives probability zero."""
    mdp = view.mdp
    if mdp is None:
        return []
    asked = np.flatnonzero(exists & (view.next_states >= 0) & ~view.terminal[view.states])
    s, a, n = view.states[asked], view.actions[asked], view.next_states[asked]
    possible = mdp.transition_matrix.tocoo()
    keys = np.unique(possible.row.astype(np.int64) * mdp.num_states + possible.col)
    wanted = (s * mdp.num_actions + a) * mdp.num_states + n
    place = np.minimum(np.searchsorted(keys, wanted), max(keys.size - 1, 0))
    mask = np.zeros(exists.size, dtype=bool)
    mask[asked] = keys[place] != wanted if keys.size else True
    if not mask.any():
        return []
    row = int(np.argmax(mask))
    told = {
        "transitions": asked.size,
        "state": view.state_name(int(view.states[row])),
        "action": view.action_name(int(view.actions[row])),
        "next_state": view.state_name(int(view.next_states[row])),
    }
    severity = Severity.WARNING if "estimated" in mdp.notes else Severity.ERROR
    return [view.finding(severity, About.IMPOSSIBLE, mask, **told)]


def _after_the_end(view: View) -> list[Finding]:
    """Decisions at states after which nothing follows."""
    mask = view.decided & view.terminal[view.states]
    if not mask.any():
        return []
    places = view.terminal & (view.pairs.sum(1) > 0)
    told = {"size": int(places.sum()), "states": view.state_names(places)}
    return [view.finding(Severity.WARNING, About.AFTER_THE_END, mask, **told)]


def _ends_elsewhere(view: View, goal: str | None) -> list[Finding]:
    """Trajectories that the table says ended where the world goes on."""
    ended = view.demonstrations.terminated & (view.next_states >= 0)
    mask = ended & ~view.terminal[view.next_states]
    if goal is not None:
        require_goals(view.demonstrations, goal)
        rows = np.flatnonzero(mask)
        wanted = view.demonstrations.trajectories[goal][view.demonstrations.trajectory_of[rows]]
        there = map(view.state_name, view.next_states[rows].tolist())
        mask[rows] = [str(w) != t for w, t in zip(wanted, there, strict=True)]
    if not mask.any():
        return []
    told = {"goal": _goal(view, mask)}
    return [view.finding(Severity.WARNING, About.ENDS_ELSEWHERE, mask, **told)]


def _goal(view: View, ended: Bool[np.ndarray, " N"]) -> str:
    """A column per trajectory that names the state in which each of them ended, or nothing."""
    demos = view.demonstrations
    own, last = demos.trajectory_of[ended], view.next_states[ended].tolist()
    reached = [view.state_name(state) for state in last]
    for name, values in demos.trajectories.items():
        if len({*reached}) > 1 and [str(value) for value in values[own]] == reached:
            return name
    return ""


def _forced(view: View) -> list[Finding]:
    """Decisions without a choice."""
    single = view.allowed.sum(1) == 1
    mask = view.decided & single[view.states]
    if not mask.any():
        return []
    share = float(mask.sum() / max(view.decided.sum(), 1))
    told = {"share": share, "states": int(single.sum())}
    return [view.finding(Severity.NOTE, About.FORCED, mask, **told)]
