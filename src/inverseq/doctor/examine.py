"""The examination: every check, worst findings first."""

from collections.abc import Mapping
from dataclasses import replace
from typing import get_args

import numpy as np
from jaxtyping import Bool

from inverseq._core.errors import InputError
from inverseq.demonstrations import Box, Demonstrations, Ending
from inverseq.doctor.columns import check_columns
from inverseq.doctor.coverage import RewardOn, check_coverage, untaken_actions
from inverseq.doctor.features import check_features, numbered_alike
from inverseq.doctor.record import Diagnosis, Finding, Severity
from inverseq.doctor.repeats import check_repeats
from inverseq.doctor.shape import check_shape
from inverseq.doctor.trials import check_trials
from inverseq.doctor.view import View, look
from inverseq.doctor.world import check_world
from inverseq.mdp import MDP


def diagnose(
    demonstrations: Demonstrations,
    mdp: MDP | Mapping[str, MDP] | None = None,
    *,
    train: Demonstrations | None = None,
    reward: RewardOn = "state_action",
    goal: str | None = None,
    allowed: Bool[np.ndarray, "S A"] | None = None,
) -> Diagnosis:
    """What will hurt a fit to these demonstrations, in plain words.

    Args:
        demonstrations: With integer states, or with features.
        mdp: The world without history, or name -> world; None to look at the table alone, as is
            all that can be done with features.
        train: Training demonstrations, if `demonstrations` are the test part. Otherwise the
            trajectory column "split" (train, test) tells the parts apart, if there is one.
        reward: What the reward shall be a function of; decides how many decisions are enough.
        goal: Column per trajectory with the state at which it is to end, which is then no surprise.
        allowed: `[S, A]` actions that exist where no world is given; None where all do.

    Returns:
        The findings, errors first.

    Raises:
        InputError: States are features and a world is given, actions are continuous, the world has
            a history, or `reward` is unknown.
    """
    if reward not in get_args(RewardOn):
        raise InputError(f'reward must be "state_action", "state" or "features"; got {reward!r}')
    if isinstance(demonstrations.state_space, Box) and mdp is None:
        return _of_features(demonstrations, train)
    view, findings = look(demonstrations, mdp, allowed)
    findings += check_world(view, goal)
    findings += check_shape(view)
    findings += check_columns(view)
    findings += check_trials(view)
    findings += check_coverage(view, reward)
    findings += check_repeats(demonstrations, train)
    return Diagnosis(_worst_first(findings), _facts(view), demonstrations.source)


def _of_features(demonstrations: Demonstrations, train: Demonstrations | None) -> Diagnosis:
    """The same of features: all that needs neither a world nor counts per state."""
    parts = [demonstrations] if train is None else [demonstrations, train]
    (data, allowed), *rest = numbered_alike(parts)
    view = View(
        data, None, data.states, data.next_states, data.actions, len(allowed), allowed, True
    )
    findings = check_features(demonstrations, view) + check_shape(view) + check_columns(view)
    findings += check_trials(view) + untaken_actions(view)
    findings += check_repeats(data, rest[0][0] if rest else None)
    # The words of some findings are others where there are no states.
    findings = [replace(each, values={**each.values, "features": 1}) for each in findings]
    facts = _facts(view)
    for name in ("states", "states_visited", "pairs", "pairs_taken"):
        del facts[name]
    facts |= {
        "actions_taken": int((view.pairs.sum(0) > 0).sum()),
        "features": int(np.prod(demonstrations.states.shape[1:])),
        "observations": int((view.visits > 0).sum()),
    }
    return Diagnosis(_worst_first(findings), facts, demonstrations.source)


def _worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """Errors first."""
    order = list(Severity)
    return tuple(sorted(findings, key=lambda finding: order.index(finding.severity)))


def _facts(view: View) -> dict[str, float]:
    """Numbers that describe the table."""
    demos = view.demonstrations
    lengths = np.diff(demos.starts)
    possible = view.allowed & ~view.terminal[:, None]
    facts: dict[str, float] = {
        "decisions": demos.num_decisions,
        "missing_actions": int((~demos.acted).sum()),
        "trajectories": demos.num_trajectories,
        "shortest": int(lengths.min()),
        "median_length": float(np.median(lengths)),
        "mean_length": float(lengths.mean()),
        "longest": int(lengths.max()),
        "terminated": int(demos.terminated.sum()),
        "gaps": int((demos.endings == Ending.GAP).sum()),
        "states": view.num_states,
        "states_visited": int((view.visits > 0).sum()),
        "actions": view.allowed.shape[1],
        "pairs": int(possible.sum()),
        "pairs_taken": int((possible & (view.pairs > 0)).sum()),
    }
    for unit in ("subject", "session"):
        if unit in demos.trajectories:
            facts[f"{unit}s"] = int(np.unique(demos.units(unit)).size)
    return facts
