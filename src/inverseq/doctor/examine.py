"""The examination: every check, worst findings first."""

from collections.abc import Mapping

import numpy as np

from inverseq.demonstrations import Demonstrations, Ending
from inverseq.doctor.columns import check_columns
from inverseq.doctor.coverage import RewardOn, check_coverage
from inverseq.doctor.record import Diagnosis, Severity
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
) -> Diagnosis:
    """What will hurt a fit to these demonstrations, in plain words.

    Args:
        demonstrations: With integer states.
        mdp: The world without history, or name -> world; None to look at the table alone.
        train: Training demonstrations, if `demonstrations` are the test part. Otherwise the
            trajectory column "split" (train, test) tells the parts apart, if there is one.
        reward: What the reward shall be a function of; decides how many decisions are enough.
        goal: Column per trajectory with the state at which it is to end, which is then no surprise.

    Returns:
        The findings, errors first.

    Raises:
        InputError: States are features, the world has a history, or `reward` is unknown.
    """
    view, findings = look(demonstrations, mdp)
    findings += check_world(view, goal)
    findings += check_shape(view)
    findings += check_columns(view)
    findings += check_trials(view)
    findings += check_coverage(view, reward)
    findings += check_repeats(demonstrations, train)
    order = list(Severity)
    findings.sort(key=lambda finding: order.index(finding.severity))
    return Diagnosis(tuple(findings), _facts(view), demonstrations.source)


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
