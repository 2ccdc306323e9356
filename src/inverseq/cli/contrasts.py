"""The differences of rewards that are worth an interval, and what settles each of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.bootstrap import bootstrap
from inverseq.evaluate.identifiability import identify
from inverseq.evaluate.intervals import interval
from inverseq.inverse.iavi import IAVI
from inverseq.mdp import MDP
from inverseq.report.records import ContrastRow, Contrasts
from inverseq.rewards.gauges import Gauge
from inverseq.worlds import World

_MOST = 10

Progress = Callable[[str, int, int], None]
Weights = Float[np.ndarray, "S A"]


@dataclass(frozen=True)
class Resampling:
    """How intervals are made.

    Attributes:
        replicates: R.
        by: What is resampled.
        seed: Which random choice.
        smoothing: Decisions added to each action's count.
        gauge: Which of the equivalent rewards, where places are not compared.
        anchor: Action of known reward, for the gauge "anchor".
    """

    replicates: int
    by: str
    seed: int
    smoothing: float
    gauge: str = "zero-mean"
    anchor: int | None = None


def contrast_rows(
    train: Demonstrations,
    mdp: MDP,
    worlds: Mapping[str, World],
    how: Resampling,
    progress: Progress,
) -> Contrasts | None:
    """Bootstrap intervals of IAVI's reward; None where nothing can be resampled or compared.

    In a maze without loops, places are compared under a reward of states alone, and ways into one
    side and straight back with ways into the other: the latter begin and end alike, so that
    behaviour itself settles them. Elsewhere the actions of the most visited states are compared.
    """
    units = int(train.units(how.by).max()) + 1
    world = next(iter(worlds.values()), None) if len(worlds) == 1 else None
    parents = None if world is None else world.drawing.parents
    if how.replicates < 1 or units < 2:
        return None
    if world is not None and parents is not None:
        named = _places(mdp, world) | _ways(mdp, world, parents)
        gauge = "state-only"
    else:
        named = _actions(mdp, train, units)
        gauge = how.gauge
    if not named:
        return None
    anchor = how.anchor if gauge == "anchor" else None
    solver = IAVI(smoothing=how.smoothing, backup="soft", gauge=gauge, anchor=anchor)
    made = bootstrap(
        train,
        solver,
        mdp,
        seed=how.seed,
        by=how.by,
        replicates=how.replicates,
        contrasts=named,
        progress=progress,
    )
    verdicts, lines = _identified(
        mdp, Gauge(gauge, anchor), made.estimate.intentions[0].visits, named
    )
    rows = []
    for name in named:
        found = interval(made, name)
        rows.append(
            ContrastRow(
                name,
                float(found.estimate),
                float(found.low),
                float(found.high),
                verdicts.get(name, "not examined"),
            )
        )
    method = (
        f"Intervals are percentile intervals (95 %) of {how.replicates:,} rewards by IAVI, soft "
        f"backup, smoothing {how.smoothing:g} and the gauge {gauge!r}, each from {units} units "
        f"({how.by}) drawn with replacement, all of them right-hand sides of one factorisation."
    )
    caption = (
        f"*Differences of IAVI's rewards* with 95 % bootstrap intervals over {units} units "
        f"({how.by}); filled where the interval leaves out zero. The table says which of "
        "them behaviour settles and which rest on a convention."
    )
    return Contrasts(tuple(rows), lines, method, caption)


def _identified(
    mdp: MDP, gauge: Gauge, visits: Float[np.ndarray, " S"] | None, named: Mapping[str, Weights]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """What settles each contrast, and the same in words."""
    try:
        found = identify(mdp, gauge=gauge, visits=visits, contrasts=named)
    except InputError as error:
        return {}, (f"What behaviour settles was not examined: {error}",)
    verdicts = {name: str(v) for name, v in zip(found.names, found.verdicts, strict=True)}
    return verdicts, tuple(found.text.splitlines())


def _places(mdp: MDP, world: World) -> dict[str, Weights]:
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
    made = {f"{name} − elsewhere": at(marks[name]) - at(others) for name in names}
    for i, name in enumerate(names):
        made |= {
            f"{name} − {other}": at(marks[name]) - at(marks[other]) for other in names[i + 1 :]
        }
    return made


def _ways(mdp: MDP, world: World, parents: Int[np.ndarray, " S"]) -> dict[str, Weights]:
    """At each branching on the way to the marked end: a step towards it and back, against a step
    to the other side and back.
    """
    name, target = next(
        ((n, s[0]) for n, s in world.drawing.marks.items() if s and parents[s[0]] >= 0), ("", -1)
    )
    path = [target]
    while path[-1] >= 0 and parents[path[-1]] >= 0:
        path.append(int(parents[path[-1]]))
    made = {}
    for towards, branching in zip(path[-2::-1], path[:0:-1], strict=True):
        for other in np.flatnonzero(parents == branching):
            if other == towards:
                continue
            ways = [_there_and_back(mdp, branching, int(side)) for side in (towards, other)]
            if ways[0] is not None and ways[1] is not None:
                label = f"node {branching}: to the {name}'s side and back − to the other"
                made[label] = ways[0] - ways[1]
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


def _actions(mdp: MDP, train: Demonstrations, units: int) -> dict[str, Weights]:
    """Each action but the first against the first, in the most visited states with a choice."""
    if mdp.worlds is not None:
        return {}
    visits = np.bincount(train.states[train.actions >= 0], minlength=mdp.num_states)
    states = [int(s) for s in np.argsort(-visits, kind="stable") if mdp.allowed[s].sum() > 1]
    name = lambda names, i: names[i] if names else str(i)  # noqa: E731
    made: dict[str, Weights] = {}
    for s in states:
        first, *rest = np.flatnonzero(mdp.allowed[s])
        for a in rest:
            weights = np.zeros(mdp.allowed.shape)
            weights[s, [a, first]] = 1.0, -1.0
            here, a_name = name(mdp.state_names, s), name(mdp.action_names, int(a))
            first_name = name(mdp.action_names, int(first))
            made[f"state {here}: action {a_name} − {first_name}"] = weights
            if len(made) == _MOST:
                return made
    return made
