"""What contradicts the world, and what the world leaves no choice about."""

import numpy as np
from jaxtyping import Bool

from inverseq.doctor.record import Finding, Severity
from inverseq.doctor.view import View


def check_world(view: View) -> list[Finding]:
    """Actions that do not exist, steps that cannot happen, decisions after an end, forced ones."""
    if view.mdp is None:
        return []
    exists = view.decided & view.allowed[view.states, view.actions]
    findings = _absent_actions(view, view.decided & ~exists)
    findings += _impossible(view, exists)
    findings += _after_the_end(view)
    findings += _ends_elsewhere(view)
    return findings + _forced(view)


def _absent_actions(view: View, mask: Bool[np.ndarray, " N"]) -> list[Finding]:
    """Actions taken where they do not exist."""
    if not mask.any():
        return []
    row = int(np.argmax(mask))
    return [
        Finding(
            Severity.ERROR,
            "actions that do not exist",
            f"{int(mask.sum()):,} rows take an action that the world does not have at that state, "
            f"such as {view.action_name(int(view.actions[row]))} at "
            f"{view.state_names(np.arange(view.num_states) == view.states[row])}",
            "Correct these rows, or allow the action in the world.",
            int(mask.sum()),
            view.rows(mask),
        )
    ]


def _impossible(view: View, exists: Bool[np.ndarray, " N"]) -> list[Finding]:
    """Steps to which the world gives probability zero."""
    mdp = view.mdp
    if mdp is None:
        return []
    asked = np.flatnonzero(exists & (view.next_states >= 0) & ~view.terminal[view.states])
    s, a, n = view.states[asked], view.actions[asked], view.next_states[asked]
    reached = (mdp.successors[s, a] == n[:, None]) & (mdp.probabilities[s, a] > 0)
    mask = np.zeros(exists.size, dtype=bool)
    mask[asked[~reached.any(1)]] = True
    if not mask.any():
        return []
    row = int(np.argmax(mask))
    same = np.arange(view.num_states)
    estimated = "estimated" in mdp.notes
    return [
        Finding(
            Severity.WARNING if estimated else Severity.ERROR,
            "impossible transitions",
            f"{int(mask.sum()):,} of {asked.size:,} transitions cannot happen in this world, such "
            f"as from {view.state_names(same == view.states[row])} by "
            f"{view.action_name(int(view.actions[row]))} to "
            f"{view.state_names(same == view.next_states[row])}",
            "The world was estimated from other rows; estimate it with smoothing or from more."
            if estimated
            else "If rows are missing in between, mark the gap (a next_state column, or "
            "longest_step); else correct the rows or the world.",
            int(mask.sum()),
            view.rows(mask),
        )
    ]


def _after_the_end(view: View) -> list[Finding]:
    """Decisions at states after which nothing follows."""
    mask = view.decided & view.terminal[view.states]
    if not mask.any():
        return []
    return [
        Finding(
            Severity.WARNING,
            "decisions after the end",
            f"{int(mask.sum()):,} decisions are made at terminal states "
            f"({view.state_names(view.terminal & (view.pairs.sum(1) > 0))}), where the world says "
            "that it has ended",
            "Leave these rows out, or do not mark these states as terminal.",
            int(mask.sum()),
            view.rows(mask),
        )
    ]


def _ends_elsewhere(view: View) -> list[Finding]:
    """Trajectories that the table says ended where the world goes on."""
    ended = view.demonstrations.terminated & (view.next_states >= 0)
    mask = ended & ~view.terminal[view.next_states]
    if not mask.any():
        return []
    return [
        Finding(
            Severity.WARNING,
            "ends that the world does not know",
            f"{int(mask.sum()):,} trajectories are marked as terminated at states that are not "
            "terminal in the world",
            "Mark these states as terminal in the MDP if being there ends the task.",
            int(mask.sum()),
            view.rows(mask),
        )
    ]


def _forced(view: View) -> list[Finding]:
    """Decisions without a choice."""
    single = view.allowed.sum(1) == 1
    mask = view.decided & single[view.states]
    if not mask.any():
        return []
    share = mask.sum() / max(view.decided.sum(), 1)
    return [
        Finding(
            Severity.NOTE,
            "forced decisions",
            f"{share:.1%} of the decisions are made at {int(single.sum())} states where only one "
            "action exists; they say nothing about what is wanted, and scores count them apart",
            "",
            int(mask.sum()),
            view.rows(mask),
        )
    ]
