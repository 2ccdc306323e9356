"""The differences of rewards that are worth an interval, and what settles each of them."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq.analysis.behaviour import Parts
from inverseq.analysis.findings import Contrast, Contrasts, Difference
from inverseq.analysis.models import Menu
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.identifiability import Identification, identify
from inverseq.evaluate.intervals import interval
from inverseq.inverse.problem import Progress
from inverseq.inverse.values.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.rewards.gauges import Gauge
from inverseq.worlds import World

_MOST = 10

Weights = Float[np.ndarray, "S A"]
Named = dict[tuple[Difference, tuple[str, ...]], Weights]
"""What is compared -> weights of the rewards in the difference."""


def contrasts_of(
    parts: Parts, worlds: Mapping[str, World], menu: Menu, replicates: int, progress: Progress
) -> Contrasts | None:
    """Bootstrap intervals of IAVI's reward; None where nothing can be resampled or compared.

    In a maze without loops, places are compared under a reward of states alone, and ways into one
    side and straight back with ways into the other: the latter begin and end alike, so that
    behaviour itself settles them. Elsewhere the actions of the most visited states are compared.
    """
    mdp, by = parts.mdp, menu.plan.by
    world = next(iter(worlds.values()), None) if len(worlds) == 1 else None
    parents = None if world is None else world.drawing.parents
    if mdp is None or replicates < 1 or menu.units < 2:
        return None
    if world is not None and parents is not None:
        named = _places(mdp, world) | _ways(mdp, world, parents)
        gauge, anchor = Gauge("state-only"), None
    else:
        named = _actions(mdp, parts.train)
        gauge, anchor = Gauge(menu.gauge, menu.anchor), menu.anchor
    if not named:
        return None
    smoothing = menu.plan.smoothing
    solver = IAVI(smoothing=smoothing, backup="soft", gauge=gauge.name, anchor=anchor)
    weights = dict(zip(map(str, range(len(named))), named.values(), strict=True))
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
    visits = made.estimate.intentions[0].visits
    found, error = _identified(mdp, gauge, visits, weights)
    verdicts = [None] * len(named) if found is None else found.verdicts
    rows = []
    for (kind, names), key, verdict in zip(named, weights, verdicts, strict=True):
        ends = interval(made, key)
        numbers = float(ends.estimate), float(ends.low), float(ends.high)
        rows.append(Contrast(kind, names, *numbers, verdict))
    return Contrasts(tuple(rows), replicates, menu.units, gauge.name, found, error)


def _identified(
    mdp: MDP, gauge: Gauge, visits: Float[np.ndarray, " S"] | None, weights: Mapping[str, Weights]
) -> tuple[Identification | None, InputError | None]:
    """What settles each contrast, or what prevented that."""
    try:
        return identify(mdp, gauge=gauge, visits=visits, contrasts=weights), None
    except InputError as error:
        return None, error


def _places(mdp: MDP, world: World) -> Named:
    """Named places against each other and against everywhere else, actions averaged."""
    share = mdp.allowed / mdp.allowed.sum(1, keepdims=True)
    marks = {name: states for name, states in world.drawing.marks.items() if states}
    special = [s for states in marks.values() for s in states]
    others = np.setdiff1d(np.arange(mdp.num_states), special)

    def at(states: Int[np.ndarray, " n"] | tuple[int, ...]) -> Weights:
        made = np.zeros(mdp.allowed.shape)
        made[list(states)] = share[list(states)] / len(states)
        return made

    # Water before home: what is looked for first, what is left behind last.
    names = sorted(marks, reverse=True)
    made: Named = {(Difference.ELSEWHERE, (name,)): at(marks[name]) - at(others) for name in names}
    for i, name in enumerate(names):
        for other in names[i + 1 :]:
            made[Difference.PLACES, (name, other)] = at(marks[name]) - at(marks[other])
    return made


def _ways(mdp: MDP, world: World, parents: Int[np.ndarray, " S"]) -> Named:
    """At each branching on the way to the marked end: a step towards it and back, against a step
    to the other side and back.
    """
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
