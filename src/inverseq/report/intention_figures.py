"""The figures of several intentions."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes

from inverseq.alignment import align
from inverseq.evaluate.choice import Choice
from inverseq.plot import (
    canvas,
    choice_points,
    dwell_histogram,
    intention_bands,
    intention_path,
    labyrinth_floor,
    occupancy_bars,
    predictive_checks,
    to_png,
    to_svg,
    transition_matrix,
)
from inverseq.report.document import Picture
from inverseq.report.figures import Scene, maps, picture
from inverseq.report.intention_records import IntentionResults, Part
from inverseq.report.places import places

_SESSIONS = 2
_MOST_DECISIONS = 600
_MOST_ACTIONS = 3
_LARGE = 10_000


def reward_maps(results: IntentionResults, where: Sequence[Scene]) -> list[Picture]:
    """Reward and value of each intention, in the first of the worlds."""
    made = []
    for k, part in enumerate(results.solution.intentions, 1):
        drawn = maps(places(part), where[:1], f"intention {k} ({results.solver})")
        made += [replace(each, name=f"{each.name}_intention_{k}") for each in drawn]
    return made


def occupancy_figure(results: IntentionResults) -> Picture:
    """How much each intention explains."""
    shares = np.stack([_occupancy(results.train), _occupancy(results.test)])
    made, errors = results.intervals, None
    if made is not None:
        half = (made.occupancy.high - made.occupancy.low) / (2 * 1.96)
        errors = np.stack([half, np.zeros(half.size)])
    told = ", ".join(f"{k}: {share:.0%}" for k, share in enumerate(shares[0], 1))
    bars = "" if made is None else " Bars reach one standard error to either side."
    return picture(
        "intention_occupancy",
        lambda ax: occupancy_bars(ax, shares, parts=("fitted", "held out"), errors=errors),
        f"Share of the decisions that each intention explains: {told}.",
        f"*Occupancy*: share of the decisions of each intention, smoothed.{bars}",
    )


def transition_figure(results: IntentionResults) -> list[Picture]:
    """What follows what; nothing for a law without changes."""
    made, chances = results.intervals, results.changes
    if chances is None:
        return []
    low, high = (None, None) if made is None else (made.transition.low, made.transition.high)
    stays = ", ".join(f"{k}: {p:.3f}" for k, p in enumerate(np.diag(chances), 1))
    interval = "" if made is None else " Below each number is its 95 % interval."
    return [
        picture(
            "transitions",
            lambda ax: transition_matrix(ax, chances, low=low, high=high),
            f"Probability of keeping each intention for another decision: {stays}.",
            "*What follows what*: probability that the intention of a row is followed by that of a "
            f"column at the next decision, expected given the training decisions.{interval}",
        )
    ]


def dwell_figures(results: IntentionResults) -> list[Picture]:
    """How long each intention lasts."""
    return [
        picture(
            f"dwell_intention_{k + 1}",
            lambda ax, k=k, dwell=dwell: dwell_histogram(
                ax, dwell.lengths, dwell.law_mean, expected=dwell.expected, intention=k
            ),
            f"Intention {k + 1} {_lasts(dwell.mean)} on the most likely path; the law says "
            f"{dwell.law_mean:.1f}.",
            f"*How long intention {k + 1} lasts*: stays on the most likely path of the training "
            "part, against the geometric law. The path leaves out stays too short to be seen; the "
            "dotted line is simulated from the fit and read in the same way.",
        )
        for k, dwell in enumerate(results.dwells)
        if dwell.lengths.size
    ]


def _lasts(mean: float) -> str:
    """A mean length, infinite where no stay was seen to end."""
    return f"lasts {mean:.1f} decisions on average" if np.isfinite(mean) else "is never left"


def session_figures(results: IntentionResults, where: Sequence[Scene]) -> list[Picture]:
    """Beliefs over some held-out sessions, beside the way that was gone."""
    return [
        _session(results, where, int(trajectory), number)
        for number, trajectory in enumerate(_typical(results.test), 1)
    ]


def checks_figure(results: IntentionResults) -> list[Picture]:
    """Real behaviour among simulated behaviour; nothing where none was simulated."""
    checks = [] if results.checks is None else list(results.checks.checks)
    if not checks:
        return []
    names = [check.name for check in checks]
    return [
        picture(
            "predictive_checks",
            lambda ax: predictive_checks(
                ax,
                names,
                np.array([check.observed for check in checks]),
                np.stack([check.simulated for check in checks]),
            ),
            results.checks.sentence if results.checks is not None else "",
            f"*Real behaviour among simulated behaviour* ({checks[0].simulated.size} simulations "
            "of the held-out sessions). Pale bars hold 95 % of the simulations, dark ones half; "
            "dots are the real values, filled where outside of 95 %, arrows where far out.",
            width=7.0,
            height=0.9 + 0.24 * len(names),
            wide=True,
        )
    ]


def choice_figure(choice: Choice, references: Sequence[tuple[str, float]]) -> Picture:
    """Score, penalised likelihood and agreement of each number of intentions."""
    figure, axes = canvas(7.4, 2.6, columns=3)
    names = [one.name.removeprefix("k=") for one in choice.alternatives]
    chosen = [one.name for one in choice.alternatives].index(choice.chosen)
    rows = choice.rows
    of = lambda key: np.array([row[key] for row in rows], dtype=float)  # noqa: E731
    same = {"chosen": chosen, "name": "number of intentions"}
    choice_points(
        axes[0], names, of("nats"), errors=of("error"), references=references,
        unit="held-out score, nats per decision", **same,
    )  # fmt: skip
    large = np.nanmax(np.append(np.abs(of("bic")), 0.0)) >= _LARGE
    bic, unit = (of("bic") / 1000, "BIC, thousands") if large else (of("bic"), "BIC")
    choice_points(axes[1], names, bic, unit=unit, better="lower", **same)
    agree = np.where([one.k > 1 for one in choice.alternatives], of("fold_agreement"), np.nan)
    choice_points(axes[2], names, agree, unit="agreement of folds", limits=(0.0, 1.05), **same)
    return Picture(
        "choice",
        f"Scores, BIC and agreement of {', '.join(names)} intentions; chosen: {choice.chosen}.",
        "*How many intentions.* Left: prediction of held-out decisions with one standard error; "
        "dashed: tables that only count. Middle: BIC of the fit to all. Right: share of decisions "
        "at which fits to different folds find the same intention. Filled: the best of each. The "
        "ring marks the chosen one: the simplest within one standard error of the best prediction.",
        to_svg(figure),
        to_png(figure),
        wide=True,
    )


def _occupancy(part: Part) -> np.ndarray:
    """`[K]` share of the decisions, smoothed."""
    return part.posterior.smoothed[part.demonstrations.actions >= 0].mean(axis=0)


def _typical(part: Part) -> Int[np.ndarray, " n"]:
    """Trajectories that are long and whose shares of intentions are like those of all."""
    data, smoothed = part.demonstrations, part.posterior.smoothed
    length = np.diff(data.starts)
    sums = np.add.reduceat(smoothed, data.starts[:-1], axis=0)
    distance = np.abs(sums / length[:, None] - smoothed.mean(axis=0)).sum(axis=1)
    return np.argsort(distance + 9.0 * (length < np.median(length)), kind="stable")[:_SESSIONS]


def _session(
    results: IntentionResults, where: Sequence[Scene], trajectory: int, number: int
) -> Picture:
    """One session: bands, and the way on the map where there is one."""
    data, beliefs, mdp = results.test.demonstrations, results.test.posterior, results.solution.mdp
    assert mdp is not None  # every fit of the command line has a world
    begin, end = data.starts[trajectory], data.starts[trajectory + 1]
    rows = slice(int(begin), int(min(end, begin + _MOST_DECISIONS)))
    state = align(data, mdp)[rows]
    place = state if mdp.history is None else mdp.history.base[state]
    scene = _scene_of(where, int(place[0]))
    drawable = scene is not None and scene.mdp.coordinates is not None
    figure, axes = canvas(7.4, 2.9 if drawable else 2.3, columns=2 if drawable else 1)
    smoothed, path = beliefs.smoothed[rows], beliefs.path[rows]
    intention_bands(axes[0], smoothed, events=_events(results, scene, place, data.actions[rows]))
    if drawable and scene is not None:
        _draw_way(axes[1], scene, place - scene.first, path, results.solution.num_intentions)
    label = _label(results.test, trajectory)
    cut = f" The first {_MOST_DECISIONS} decisions." if end - begin > _MOST_DECISIONS else ""
    beside = (
        " Right: the way that was gone, in the colour of the most likely path of intentions, each "
        "in a lane of its own; it begins at the ring."
        if drawable
        else ""
    )
    changes = int((np.diff(path) != 0).sum())
    return Picture(
        f"session_{number}",
        f"Probability of each intention over {label}; the most likely path changes {changes} "
        "times.",
        f"*Beliefs over a held-out session* ({label}): probability of each intention at each "
        f"decision, given all decisions of the session.{cut}{beside}",
        to_svg(figure),
        to_png(figure),
        wide=True,
    )


def _scene_of(where: Sequence[Scene], place: int) -> Scene | None:
    """The world that a place lies in, if it is among those that are drawn."""
    inside = (s for s in where if s.first <= place < s.first + s.mdp.num_states)
    return next(inside, None)


def _events(
    results: IntentionResults, scene: Scene | None, place: np.ndarray, actions: np.ndarray
) -> dict[str, np.ndarray]:
    """When marked places were visited; without any, when the rarer actions were taken."""
    marks = {} if scene is None or scene.world is None else scene.world.drawing.marks
    if scene is not None and marks:
        found = {n: np.flatnonzero(np.isin(place - scene.first, s)) for n, s in marks.items()}
        return {name: when for name, when in found.items() if when.size}
    data = results.test.demonstrations
    if data.num_actions > _MOST_ACTIONS:
        return {}
    names = data.action_names or tuple(f"action {a}" for a in range(data.num_actions))
    return {name: np.flatnonzero(actions == a) for a, name in enumerate(names)}


def _draw_way(ax: Axes, scene: Scene, place: np.ndarray, path: np.ndarray, count: int) -> None:
    """The way on its map."""
    coordinates = np.asarray(scene.mdp.coordinates, dtype=float)
    drawing = None if scene.world is None else scene.world.drawing
    if drawing is not None and drawing.parents is not None:
        at = {name: states[0] for name, states in drawing.marks.items() if states}
        labyrinth_floor(
            ax, coordinates, drawing.parents, home=at.get("home"), water=at.get("water")
        )
        intention_path(ax, coordinates[place], path, count=count)
        return
    walls = None if drawing is None else np.argwhere(drawing.blocked)[:, ::-1]
    intention_path(ax, coordinates[place], path, count=count, floor=coordinates, walls=walls)


def _label(part: Part, trajectory: int) -> str:
    """Who and when, as far as the table says."""
    columns = part.demonstrations.trajectories
    known = [
        f"{name} {columns[name][trajectory]}"
        for name in ("subject", "session", "trajectory")
        if name in columns
    ]
    return ", ".join(known) or f"trajectory {trajectory + 1}"
