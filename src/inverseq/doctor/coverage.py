"""Whether there are enough decisions for the reward asked for."""

from typing import Literal

import numpy as np

from inverseq.doctor.record import About, Finding, Severity
from inverseq.doctor.view import MOST_NAMES, View

RewardOn = Literal["state_action", "state", "features"]

PER_CHOICE = 10
"""Decisions that a free number of the reward should rest on: with 10, a choice made half the time
has a standard error of 0.16, a log-odds of 0.63."""


def check_coverage(view: View, reward: RewardOn) -> list[Finding]:
    """States never visited, actions never taken, pairs never tried, and too few decisions."""
    findings = _unvisited(view) + untaken_actions(view) + _untried_pairs(view)
    return findings + _one_sided(view) + _too_few(view, reward)


def _unvisited(view: View) -> list[Finding]:
    """States of the world in which nobody ever was."""
    mask = view.visits == 0
    if not mask.any():
        return []
    severity = Severity.WARNING if mask.mean() > 0.2 else Severity.NOTE
    told = {"size": view.num_states, "states": view.state_names(mask)}
    return [Finding(severity, About.UNVISITED, int(mask.sum()), values=told)]


def untaken_actions(view: View) -> list[Finding]:
    """Actions that exist but that nobody ever took."""
    mask = view.allowed.any(0) & (view.pairs.sum(0) == 0)
    if not mask.any():
        return []
    names = tuple(view.action_name(int(a)) for a in np.flatnonzero(mask)[:MOST_NAMES])
    told = {"size": mask.size, "actions": names}
    return [Finding(Severity.WARNING, About.UNTAKEN, int(mask.sum()), values=told)]


def _untried_pairs(view: View) -> list[Finding]:
    """Actions that exist at a visited state and were never taken there."""
    acted = (view.pairs.sum(1) > 0)[:, None]
    possible = view.allowed & acted & ~view.terminal[:, None]
    mask = possible & (view.pairs == 0)
    if not mask.any():
        return []
    count, of = int(mask.sum()), int(possible.sum())
    severity = Severity.WARNING if count / of > 0.2 else Severity.NOTE
    told = {"possible": of, "known": int(view.mdp is not None)}
    return [Finding(severity, About.UNTRIED, count, values=told)]


def _one_sided(view: View) -> list[Finding]:
    """States where there is a choice and it is always the same."""
    total = view.pairs.sum(1)
    choice = view.allowed.sum(1) > 1
    mask = choice & (total >= PER_CHOICE) & (view.pairs.max(1) == total)
    if not mask.any():
        return []
    told = {"least": PER_CHOICE, "states": view.state_names(mask)}
    return [Finding(Severity.NOTE, About.ONE_SIDED, int(mask.sum()), values=told)]


def _too_few(view: View, reward: RewardOn) -> list[Finding]:
    """Fewer decisions than the reward has free numbers to settle."""
    choices = np.maximum(view.allowed.sum(1) - 1, 0) * ~view.terminal
    decisions = view.pairs.sum(1)
    if reward == "state_action":
        mask = (decisions > 0) & (decisions < PER_CHOICE * choices)
        concerned = (decisions > 0) & (choices > 0)
        if not mask.any():
            return []
        count, of = int(mask.sum()), int(concerned.sum())
        severity = Severity.WARNING if count / of > 0.1 else Severity.NOTE
        told = {
            "choices": of,
            "least": PER_CHOICE,
            "median": float(np.median(decisions[mask])),
            "states": view.state_names(mask),
        }
        return [Finding(severity, About.FEW_PER_STATE, count, values=told)]
    features = None if view.mdp is None or reward == "state" else view.mdp.features
    numbers = view.num_states if features is None else features.shape[2]
    free = int((view.pairs * (choices > 0)[:, None]).sum())
    if free >= PER_CHOICE * numbers:
        return []
    each = "state" if features is None else "feature"
    told = {"numbers": numbers, "each": each, "least": PER_CHOICE}
    return [Finding(Severity.WARNING, About.FEW_DECISIONS, free, values=told)]
