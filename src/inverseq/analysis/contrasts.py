"""The differences of rewards that are worth an interval, and what settles each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import FitError, InputError
from inverseq.analysis.behaviour import Parts
from inverseq.analysis.findings import Contrast, Contrasts, Difference, Intervals, Otherwise
from inverseq.analysis.models import Entry, Menu
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.identifiability import Identification, Verdict, identify
from inverseq.evaluate.intervals import MOST_OF_PRIOR, Sandwich, interval
from inverseq.evaluate.sandwich import sandwich
from inverseq.inverse.problem import Comparable, HasPrior, Progress, Refits, Responds, Solver
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.rewards.gauges import Gauge, GaugeName
from inverseq.worlds import World

FEWEST_RESAMPLED = 6
"""Units below which nothing is resampled: five that agree do so by chance once in 16 times."""

_MOST = 10

Weights = Float[np.ndarray, "S A"]
Named = dict[tuple[Difference, tuple[str, ...]], Weights]
"""What is compared -> weights of the rewards in the difference."""
Others = Sequence[tuple[Entry, Solution]]
"""Models that were fitted to the same decisions."""


def contrasts_of(
    parts: Parts,
    worlds: Mapping[str, World],
    menu: Menu,
    entry: Entry,
    solution: Solution,
    replicates: int,
    progress: Progress,
    others: Others = (),
) -> Contrasts | None:
    """Differences of a model's reward with intervals, which few units do not have; None where they
    were not asked for, nothing can be compared, or only refits could tell how sure they are.

    In a maze without loops places are compared; without a memory also ways into one side and
    straight back with ways into the other: these begin and end alike, so that behaviour itself
    settles them. Elsewhere actions of the most visited states are compared, or these states with
    all others where all actions earn the same. Rewards that depend on the past are averaged over it
    by visits.
    """
    mdp, by, solver = solution.mdp, menu.plan.by, entry.candidate.solver
    if mdp is None or parts.mdp is None or solution.visits is None or replicates < 1:
        return None
    responds = isinstance(solver, Responds)
    if not isinstance(solver, Comparable) or not (responds or isinstance(solver, Refits)):
        return None
    named = named_contrasts(parts.mdp, parts.train, worlds, solution)
    if not named:
        return None
    weights = {str(i): over_pasts(each, solution) for i, each in enumerate(named.values())}
    unknown, how, leans = float("nan"), Intervals.NONE, [False] * len(named)
    numbers = [
        (float((np.asarray(solution.reward) * each).sum()), unknown, unknown)
        for each in weights.values()
    ]
    if menu.units >= FEWEST_RESAMPLED:
        made = _curved(parts, solver, mdp, by, solution) if responds else None
        how = Intervals.BOOTSTRAP if made is None else Intervals.SANDWICH
        if made is None:
            made = bootstrap(
                parts.train,
                solver,
                mdp,
                seed=menu.plan.seed,
                by=by,
                replicates=replicates,
                contrasts=weights,
                progress=progress,
                keep=menu.plan.keep,
            )
        by_curvature = isinstance(made, Sandwich)
        ends = [interval(made, weights[key] if by_curvature else key) for key in weights]
        numbers = [(float(e.estimate), float(e.low), float(e.high)) for e in ends]
        leans = [bool(e.prior_share > MOST_OF_PRIOR) for e in ends]
    found, error = identified(mdp, solver.picks, count(parts.train, mdp).state_action, weights)
    if found is not None:
        sized = tuple(_sized(*each) for each in zip(found.verdicts, leans, strict=True))
        found = replace(found, verdicts=sized)
    verdicts = [None] * len(named) if found is None else found.verdicts
    rows = [
        Contrast(kind, names, *three, verdict)
        for (kind, names), three, verdict in zip(named, numbers, verdicts, strict=True)
    ]
    return Contrasts(
        rows=tuple(rows),
        how=how,
        replicates=replicates,
        units=menu.units,
        gauge="" if isinstance(solver, HasPrior) else solver.picks.name,
        identification=found,
        model=entry.model,
        otherwise=_otherwise(named, solution, others),
        unexamined=error,
    )


def _sized(verdict: Verdict, leans: bool) -> Verdict:
    """What settles a difference, once its interval is known to hang on what was never done."""
    rests = verdict in (Verdict.SETTLED, Verdict.CONVENTION)
    return Verdict.SMOOTHED if leans and rests else verdict


def named_contrasts(
    mdp: MDP, decided: Demonstrations, worlds: Mapping[str, World], solution: Solution
) -> Named:
    """The differences that `contrasts_of` looks at, in the world without a memory."""
    world = _tree(worlds)
    if world is None:
        return (_states if _of_states(solution) else _actions)(mdp, decided)
    remembers = solution.mdp is not None and solution.mdp.history is not None
    return _places(mdp, world) | ({} if remembers else _ways(mdp, world))


def _curved(
    parts: Parts, solver: Solver[Solution], mdp: MDP, by: str, solution: Solution
) -> Sandwich | None:
    """Intervals by curvature; None where a fit of few decisions is flat in some direction."""
    try:
        return sandwich(parts.train, solver, mdp, by=by, estimate=solution)
    except FitError:
        return None


def over_pasts(weights: Weights, solution: Solution) -> Float[np.ndarray, "H A"]:
    """Weights of the rewards of places as weights of those of places and pasts, by visits."""
    mdp, visits = solution.mdp, solution.visits
    assert mdp is not None  # as `contrasts_of` has seen
    assert visits is not None
    if mdp.history is None:
        return weights
    base = mdp.history.base
    total, pasts = np.bincount(base, visits), np.bincount(base)
    share = np.where(total[base] > 0, visits / np.maximum(total[base], 1e-300), 1 / pasts[base])
    return weights[base] * share[:, None]


def _otherwise(named: Named, solution: Solution, others: Others) -> tuple[Otherwise, ...]:
    """The differences under other rewards of the same memory; NaN where a reward is the same for
    all actions and actions are compared.
    """
    made = []
    for entry, other in others:
        if other is solution or other.mdp is None or other.reward is None:
            continue
        if _memory(other) != _memory(solution):
            continue
        blind = _of_states(other)
        reward = np.asarray(other.reward)
        estimates = [
            float("nan")
            if blind and kind is Difference.ACTIONS
            else float((reward * over_pasts(weights, other)).sum())
            for (kind, _), weights in named.items()
        ]
        made.append(Otherwise(entry.model, tuple(estimates)))
    return tuple(made)


def _memory(solution: Solution) -> int:
    """States of the world that a solution was fitted in."""
    return 0 if solution.mdp is None else solution.mdp.num_states


def identified(
    mdp: MDP, gauge: Gauge, taken: Weights, weights: Mapping[str, Weights]
) -> tuple[Identification | None, InputError | None]:
    """What settles each contrast, or what prevented that."""
    try:
        return identify(mdp, gauge=gauge, visits=taken, contrasts=weights), None
    except InputError as error:
        return None, error


def usual_gauge(worlds: Mapping[str, World]) -> GaugeName:
    """The gauge of one reward where none was asked for: in a maze without loops, a reward of states
    alone, so that places can be compared.
    """
    return "zero-mean" if _tree(worlds) is None else "state-only"


def _tree(worlds: Mapping[str, World]) -> World | None:
    """The world, where it is a single maze without loops."""
    world = next(iter(worlds.values()), None) if len(worlds) == 1 else None
    return None if world is None or world.drawing.parents is None else world


def _places(mdp: MDP, world: World) -> Named:
    """Named places against each other and against everywhere else, actions averaged."""
    marks = {name: states for name, states in world.drawing.marks.items() if states}
    special = [s for states in marks.values() for s in states]
    others = np.setdiff1d(np.arange(mdp.num_states), special)

    # Water before home: what is looked for first, what is left behind last.
    names = sorted(marks, reverse=True)
    at = {name: mean_of(mdp, marks[name]) for name in names}
    made: Named = {(Difference.ELSEWHERE, (n,)): at[n] - mean_of(mdp, others) for n in names}
    for i, name in enumerate(names):
        for other in names[i + 1 :]:
            made[Difference.PLACES, (name, other)] = at[name] - at[other]
    return made


def mean_of(mdp: MDP, states: Int[np.ndarray, " n"] | tuple[int, ...]) -> Weights:
    """Weights of the mean reward of some states, over them and their actions."""
    share = mdp.allowed / mdp.allowed.sum(1, keepdims=True)
    made = np.zeros(mdp.allowed.shape)
    made[list(states)] = share[list(states)] / len(states)
    return made


def _ways(mdp: MDP, world: World) -> Named:
    """At each branching on the way to the marked end: a step towards it and back, against a step
    to the other side and back.
    """
    parents = world.drawing.parents
    assert parents is not None  # it is a tree
    name, target = next(
        ((n, s[0]) for n, s in world.drawing.marks.items() if s and parents[s[0]] >= 0), ("", -1)
    )
    path = [target]
    while path[-1] >= 0 and parents[path[-1]] >= 0:
        path.append(int(parents[path[-1]]))
    made: Named = {}
    for towards, branching in zip(path[-2::-1], path[:0:-1], strict=True):
        for other in np.flatnonzero(parents == branching):
            if other == towards:
                continue
            ways = [_there_and_back(mdp, branching, int(side)) for side in (towards, other)]
            if ways[0] is not None and ways[1] is not None:
                made[Difference.WAYS, (str(branching), name)] = ways[0] - ways[1]
    return made


def _there_and_back(mdp: MDP, start: int, side: int) -> Weights | None:
    """Weights of the discounted reward of a step to a neighbour and back; None without such."""
    made = np.zeros(mdp.allowed.shape)
    for here, there, weight in ((start, side, 1.0), (side, start, mdp.discount)):
        leads = mdp.allowed[here] & (mdp.successors[here, :, 0] == there)
        if not leads.any():
            return None
        made[here, int(np.argmax(leads))] = weight
    return made


def _of_states(solution: Solution) -> bool:
    """Whether all actions of a state earn the same."""
    assert solution.mdp is not None  # as `contrasts_of` has seen
    allowed, reward = solution.mdp.allowed, np.asarray(solution.reward)
    high, low = (np.where(allowed, reward, end).T for end in (-np.inf, np.inf))
    return bool((high.max(axis=0) - low.min(axis=0) < 1e-9).all())


def _states(mdp: MDP, train: Demonstrations) -> Named:
    """The most visited states against all others."""
    if mdp.worlds is not None or mdp.num_states < 2:
        return {}
    visits = np.bincount(train.states[train.acted], minlength=mdp.num_states)
    everything = np.arange(mdp.num_states)
    most = [int(s) for s in np.argsort(-visits, kind="stable")[:_MOST] if visits[s]]
    name = mdp.state_names or tuple(f"state {s}" for s in everything)
    return {
        (Difference.ELSEWHERE, (name[s],)): mean_of(mdp, (s,))
        - mean_of(mdp, np.delete(everything, s))
        for s in most
    }


def _actions(mdp: MDP, train: Demonstrations) -> Named:
    """Each action but the first against the first, in the most visited states with a choice."""
    if mdp.worlds is not None:
        return {}
    visits = np.bincount(train.states[train.acted], minlength=mdp.num_states)
    states = [int(s) for s in np.argsort(-visits, kind="stable") if mdp.allowed[s].sum() > 1]
    name = lambda names, i: names[i] if names else str(i)  # noqa: E731
    made: Named = {}
    for s in states:
        first, *rest = np.flatnonzero(mdp.allowed[s])
        for a in rest:
            weights = np.zeros(mdp.allowed.shape)
            weights[s, [a, first]] = 1.0, -1.0
            names = (
                name(mdp.state_names, s),
                name(mdp.action_names, int(a)),
                name(mdp.action_names, int(first)),
            )
            made[Difference.ACTIONS, names] = weights
            if len(made) == _MOST:
                return made
    return made
