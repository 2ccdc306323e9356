"""Whether there are enough decisions for the reward asked for."""

from typing import Literal

import numpy as np

from inverseq._core.errors import InputError
from inverseq.doctor.record import Finding, Severity
from inverseq.doctor.view import View

RewardOn = Literal["state_action", "state", "features"]

PER_CHOICE = 10
"""Decisions that a free number of the reward should rest on: with 10, a choice made half the time
has a standard error of 0.16, a log-odds of 0.63."""


def check_coverage(view: View, reward: RewardOn) -> list[Finding]:
    """States never visited, actions never taken, pairs never tried, and too few decisions.

    Raises:
        InputError: `reward` is not one of the three.
    """
    if reward not in ("state_action", "state", "features"):
        raise InputError(f'reward must be "state_action", "state" or "features"; got {reward!r}')
    findings = _unvisited(view) + _untaken_actions(view) + _untried_pairs(view)
    return findings + _one_sided(view) + _too_few(view, reward)


def _unvisited(view: View) -> list[Finding]:
    """States of the world in which nobody ever was."""
    mask = view.visits == 0
    if not mask.any():
        return []
    share = mask.mean()
    return [
        Finding(
            Severity.WARNING if share > 0.2 else Severity.NOTE,
            "states never visited",
            f"{int(mask.sum())} of {view.num_states} states are never visited "
            f"({view.state_names(mask)}): no decision there says what they are worth",
            "Their reward follows from the choice among equivalent rewards and from smoothing "
            "alone; read it as unknown. A reward on features, or smooth over the world's graph, "
            "carries over from other states.",
            int(mask.sum()),
        )
    ]


def _untaken_actions(view: View) -> list[Finding]:
    """Actions that exist but that nobody ever took."""
    mask = view.allowed.any(0) & (view.pairs.sum(0) == 0)
    if not mask.any():
        return []
    names = ", ".join(view.action_name(int(a)) for a in np.flatnonzero(mask)[:8])
    return [
        Finding(
            Severity.WARNING,
            "actions never taken",
            f"{int(mask.sum())} of {mask.size} actions are never taken: {names}",
            "If they could not be taken, mark them as not allowed in the world; else their reward "
            "is only known to be low.",
            int(mask.sum()),
        )
    ]


def _untried_pairs(view: View) -> list[Finding]:
    """Actions that exist at a visited state and were never taken there."""
    acted = (view.pairs.sum(1) > 0)[:, None]
    possible = view.allowed & acted & ~view.terminal[:, None]
    mask = possible & (view.pairs == 0)
    if not mask.any():
        return []
    share = mask.sum() / possible.sum()
    return [
        Finding(
            Severity.WARNING if share > 0.2 else Severity.NOTE,
            "actions never tried at a state",
            f"{int(mask.sum()):,} of {int(possible.sum()):,} state-action pairs at visited states "
            f"({share:.0%}) are never taken",
            "A count of zero is a log-probability of minus infinity: how bad these actions look is "
            "set by the smoothing. If they cannot be taken there, mark them as not allowed.",
            int(mask.sum()),
        )
    ]


def _one_sided(view: View) -> list[Finding]:
    """States where there is a choice and it is always the same."""
    total = view.pairs.sum(1)
    choice = view.allowed.sum(1) > 1
    mask = choice & (total >= PER_CHOICE) & (view.pairs.max(1) == total)
    if not mask.any():
        return []
    return [
        Finding(
            Severity.NOTE,
            "states with one action only",
            f"at {int(mask.sum())} states with {PER_CHOICE} or more decisions the same action is "
            f"always taken ({view.state_names(mask)}): the reward knows the direction of the "
            "preference, not its size",
            "",
            int(mask.sum()),
        )
    ]


def _too_few(view: View, reward: RewardOn) -> list[Finding]:
    """Fewer decisions than the reward has free numbers to settle."""
    choices = np.maximum(view.allowed.sum(1) - 1, 0) * ~view.terminal
    decisions = view.pairs.sum(1)
    if reward == "state_action":
        mask = (decisions > 0) & (decisions < PER_CHOICE * choices)
        concerned = (decisions > 0) & (choices > 0)
        if not mask.any():
            return []
        share = mask.sum() / concerned.sum()
        return [
            Finding(
                Severity.WARNING if share > 0.1 else Severity.NOTE,
                "too few decisions per state",
                f"{int(mask.sum())} of {int(concerned.sum())} visited states with a choice "
                f"({share:.0%}) have fewer than {PER_CHOICE} decisions per action beyond the first "
                f"(median {np.median(decisions[mask]):.0f} decisions there): "
                f"{view.state_names(mask)}",
                f"A reward on state-actions has one free number per action beyond the first; the "
                f"rule asks for {PER_CHOICE} decisions each. Ask for a reward on states or "
                "features, merge states, smooth, or record more.",
                int(mask.sum()),
            )
        ]
    features = None if view.mdp is None else view.mdp.features
    numbers = view.num_states if reward == "state" or features is None else features.shape[2]
    what = "state" if reward == "state" or features is None else "feature"
    free = int((view.pairs * (choices > 0)[:, None]).sum())
    if free >= PER_CHOICE * numbers:
        return []
    return [
        Finding(
            Severity.WARNING,
            "too few decisions",
            f"{free:,} decisions with a choice for a reward of {numbers} numbers, one per {what}",
            f"The rule asks for {PER_CHOICE} decisions each. Ask for fewer numbers, use a prior "
            "(smoothness over the world's graph), or record more.",
            free,
        )
    ]
