"""Trials that one act ends: who foretells it, what silencing would do, trials as points."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool

from inverseq._core.errors import InputError, argument
from inverseq.analysis.findings import Findings
from inverseq.analysis.neural_findings import Foretold, Silenced
from inverseq.analysis.neural_plan import ANY, NeuralPlan
from inverseq.demonstrations import Demonstrations, Recording
from inverseq.inverse.problem import Progress
from inverseq.mdp import MDP
from inverseq.neural.activity import Window, decision_times, sampled_at
from inverseq.neural.embedding import embed
from inverseq.neural.foretell import NeuRL
from inverseq.neural.matching import Match, Paired, choose_reading, paired
from inverseq.neural.readout import Readout
from inverseq.neural.searching import Found, search
from inverseq.neural.silencing import foretold_distribution, silenced
from inverseq.neural.trials import Waiting, waiting

_OURS = "NeuRL"
_PIECES = 3
_FEWEST = 4
"""Trials of a fold, at least: settings are chosen inside the others."""
_SHORTEST = 3
"""Decisions of a trial, in the middle, that is a wait."""
_SILENCED = NeuRL(readout=Readout(100.0), own=0.99)
_POINTS = NeuRL(readout=Readout(30.0, 3), own=0.9)


def foretell(
    findings: Findings,
    demos: Demonstrations,
    recording: Recording,
    areas: tuple[str, ...],
    recorded: Bool[np.ndarray, " N"],
    progress: Progress,
) -> tuple[Foretold | None, InputError | None]:
    """Who foretells the act, and where nobody named it, why that could not be asked.

    Trials in which something was not recorded are left out.

    Raises:
        InputError: The act that was named ends no trials, or cannot be foretold.
    """
    plan, asked = findings.plan, findings.plan.neural
    assert asked is not None
    if asked.foretell is None:
        return None, None
    try:
        event = ending_act(demos, findings.given, asked)
        if event is None:
            return None, None
        assert isinstance(findings.given, MDP)
        window = Window(-_PIECES * asked.bin_width, 0.0, _PIECES)
        whole = _whole(demos, recording, recorded, window)
        kept = demos if whole.all() else demos.take(np.flatnonzero(whole))
        require_trials(kept, event, plan.folds)
        data = waiting(kept, recording, findings.given, event, window)
        made = _foretold(data, event, findings, areas, progress)
        return replace(made, left_out=int((~whole).sum())), None
    except InputError as error:
        if asked.foretell == ANY:  # nobody relied on it
            return None, error
        raise


def _whole(
    demos: Demonstrations,
    recording: Recording,
    recorded: Bool[np.ndarray, " N"],
    window: Window,
) -> Bool[np.ndarray, " T"]:
    """Trials in which all was recorded at every step, up to the end of the longest."""
    first = demos.starts[:-1]
    whole = np.logical_and.reduceat(recorded, first)
    time = decision_times(demos)
    step = float(np.median(np.diff(time)[np.diff(demos.trajectory_of) == 0]))
    steps = time[first, None] + step * np.arange(np.diff(demos.starts).max())
    for signal in recording.signals.values():
        whole &= sampled_at(signal, steps.ravel(), window).reshape(steps.shape).all(axis=1)
    return whole


def require_trials(demos: Demonstrations, event: str, folds: int) -> None:
    """Raise an `InputError` where there are fewer trials than folds need."""
    most = demos.num_trajectories // _FEWEST
    if most < folds:
        raise InputError(
            f"{demos.num_trajectories} trials are too few to foretell {event!r} in {folds} folds "
            f"of {_FEWEST} or more; "
            + (f"ask for {argument('folds', most)}" if most > 1 else "record more")
        )


def ending_act(demos: Demonstrations, given: object, asked: NeuralPlan) -> str | None:
    """The one of two actions that ends trials of several decisions and is taken nowhere else; None
    where there is none and none was named.

    Raises:
        InputError: The one that was named is none.
    """
    named = asked.foretell != ANY
    names = demos.action_names or tuple(map(str, range(demos.num_actions)))
    if not isinstance(given, MDP) or given.num_actions != 2:
        if not named:
            return None
        raise InputError(
            f"to foretell {asked.foretell!r}, decisions must be to wait or to act in one world: "
            f"two actions; here are {', '.join(names)}. Leave {argument('foretell')} out"
        )
    if named and asked.foretell not in names:
        raise InputError(
            f"there is no action {asked.foretell!r}; there are {', '.join(names)}: give "
            f"{argument('foretell', names[-1])}, or leave it out"
        )
    lengths, last = np.diff(demos.starts), demos.starts[1:] - 1
    inside = np.ones(demos.num_decisions, dtype=bool)
    inside[last] = False
    for number, name in enumerate(names):
        if named and name != asked.foretell:
            continue
        taken = demos.actions == number
        often = taken[last].mean() >= 0.5 and np.median(lengths) >= _SHORTEST
        if often and not taken[inside].any() and demos.num_trajectories > 1:
            return name
    if not named:
        return None
    taken = demos.actions == names.index(str(asked.foretell))
    raise InputError(
        f"{asked.foretell!r} is taken in {int(taken[inside].sum())} decisions that end no trial, "
        f"and ends {int(taken[last].sum())} of {demos.num_trajectories}: it does not end a wait. "
        f"Name the column of trials with {argument('trajectory')}, or leave "
        f"{argument('foretell')} out"
    )


def _foretold(
    data: Waiting,
    event: str,
    findings: Findings,
    areas: tuple[str, ...],
    progress: Progress,
) -> Foretold:
    """All methods, silencing, and trials as points."""
    plan, asked = findings.plan, findings.plan.neural
    assert asked is not None
    found = search(
        data,
        configurations=asked.configurations,
        folds=plan.folds,
        seed=plan.seed,
        keep=plan.keep,
        progress=progress,
    )
    learn, check = (data.take(np.arange(len(data.happened))[n::2]) for n in range(2))
    fitted = _SILENCED.prepare(learn)
    reading = choose_reading(fitted.foretell(check), check)
    chances = foretold_distribution(fitted, reading, check)
    bins = len(chances) - 1
    time = np.arange(bins + 1) * data.step
    held = []
    where = np.array([areas[unit] if unit >= 0 else "" for unit in data.units])
    for area in dict.fromkeys(areas):
        for dose in asked.doses:
            less = silenced(check, where == area, dose)
            made = foretold_distribution(fitted, reading, less)
            shift = float((made - chances) @ time)
            held.append(Silenced(area, int((where == area).sum()), dose, made, shift))
    # Points tell of activity before the act, so trials that ended early have none.
    ends = data.happened[data.happened < bins]
    until = int(max(np.quantile(ends, 0.25), 1)) if ends.size else bins
    later = data.take(np.flatnonzero(data.happened >= until))
    several = len(data.units) > 1  # one series alone is no plane of points
    return Foretold(
        event=event,
        step=data.step,
        trials=len(data.happened),
        found=found,
        ahead=_ahead(found),
        chances=chances,
        seen=np.bincount(check.happened, minlength=bins + 1) / len(check.happened),
        silenced=tuple(held),
        embeddings=tuple(
            embed(later, 0.0, until * data.step, fitted=fitted)
            for fitted in ((None, _POINTS.prepare(data)) if several else ())
        ),
        times=later.happened * data.step,
        until=until * data.step,
    )


def _ahead(found: Found) -> dict[str, dict[str, Paired]]:
    """By how much NeuRL is ahead of each other method."""
    return {
        method: {
            score: paired(found.of(_OURS, score), found.of(method, score))
            for score in Match._fields
        }
        for method in found.methods
        if method != _OURS
    }
