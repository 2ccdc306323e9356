"""The figures of several intentions."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inverseq.analysis.intention_findings import IntentionFindings, Part
from inverseq.decisions.alignment import align
from inverseq.evaluate.choice import Alternative, Choice
from inverseq.evaluate.predictive_checks import PredictiveChecks
from inverseq.plot import (
    choice_points,
    dwell_histogram,
    intention_bands,
    intention_path,
    labyrinth_floor,
    occupancy_bars,
    predictive_checks,
    transition_matrix,
)
from inverseq.reporting.document import Picture
from inverseq.reporting.figures.places import Scene, picture, row_of
from inverseq.reporting.words import line, text

_SESSIONS = 2
_MOST_DECISIONS = 600
_MOST_ACTIONS = 3
_LARGE = 10_000


def occupancy_figure(found: IntentionFindings) -> Picture:
    """How much each intention explains."""
    shares = np.stack([found.train.shares, found.test.shares])
    made, errors = found.intervals, None
    if made is not None:
        half = (made.occupancy.high - made.occupancy.low) / (2 * 1.96)
        errors = np.stack([half, np.zeros(half.size)])
    return picture(
        "intention_occupancy",
        lambda ax: occupancy_bars(shares, ax=ax, parts=("fitted", "held out"), errors=errors),
        text("figures.j2", "occupancy_alt", shares=shares[0]),
        line("figures.j2", "occupancy", bars=made is not None),
    )


def transition_figure(found: IntentionFindings) -> list[Picture]:
    """What follows what; nothing for a law without changes."""
    made, chances = found.intervals, found.changes
    if chances is None:
        return []
    low, high = (None, None) if made is None else (made.transition.low, made.transition.high)
    return [
        picture(
            "transitions",
            lambda ax: transition_matrix(chances, ax=ax, low=low, high=high),
            text("figures.j2", "transitions_alt", stays=np.diag(chances)),
            line("figures.j2", "transitions", interval=made is not None),
        )
    ]


def dwell_figures(found: IntentionFindings) -> list[Picture]:
    """How long each intention lasts."""
    return [
        picture(
            f"dwell_intention_{k + 1}",
            lambda ax, k=k, dwell=dwell: dwell_histogram(
                dwell.lengths, dwell.law_mean, ax=ax, expected=dwell.expected, intention=k
            ),
            text(
                "figures.j2",
                "dwell_alt",
                k=k + 1,
                finite=np.isfinite(dwell.mean),
                mean=dwell.mean,
                law=dwell.law_mean,
            ),
            line("figures.j2", "dwell", k=k + 1),
        )
        for k, dwell in enumerate(found.dwells)
        if dwell.lengths.size
    ]


def session_figures(found: IntentionFindings, where: Sequence[Scene]) -> list[Picture]:
    """Beliefs over some held-out sessions, beside the way that was gone."""
    return [
        _session(found, where, int(trajectory), number)
        for number, trajectory in enumerate(_typical(found.test), 1)
    ]


def checks_figure(found: PredictiveChecks, alt: str) -> list[Picture]:
    """Real behaviour among simulated behaviour; nothing without statistics."""
    checks = found.checks
    if not checks:
        return []
    names = [check.name for check in checks]
    return [
        picture(
            "predictive_checks",
            lambda ax: predictive_checks(
                names,
                np.array([check.observed for check in checks]),
                np.stack([check.simulated for check in checks]),
                ax=ax,
            ),
            alt,
            line("figures.j2", "checks", repeats=checks[0].simulated.size),
            height=0.9 + 0.24 * len(names),
            wide=True,
        )
    ]


def choice_figure(choice: Choice, references: Sequence[tuple[str, float]]) -> Picture:
    """Score, penalised likelihood and agreement of each number of intentions."""
    names = [_tick(one, choice) for one in choice.alternatives]
    return Picture(
        "choice",
        text("choice.j2", "alt", names=names, chosen=choice.chosen),
        line("choice.j2", "caption"),
        lambda width: _draw_choice(choice, references, names, width),
        wide=True,
    )


def _draw_choice(
    choice: Choice, references: Sequence[tuple[str, float]], names: list[str], width: float
) -> Figure:
    """Three axes beside each other, or below each other where that is too narrow."""
    figure, axes = row_of(3, width, 2.6)
    chosen = [one.name for one in choice.alternatives].index(choice.chosen)
    rows = choice.rows
    of = lambda key: np.array([row[key] for row in rows], dtype=float)  # noqa: E731
    same = {"chosen": chosen, "name": "number of intentions"}
    choice_points(
        names, of("nats"), ax=axes[0], errors=of("error"), references=references,
        unit="held-out score, nats per decision", **same,
    )  # fmt: skip
    large = np.nanmax(np.append(np.abs(of("bic")), 0.0)) >= _LARGE
    bic, unit = (of("bic") / 1000, "BIC, thousands") if large else (of("bic"), "BIC")
    choice_points(names, bic, ax=axes[1], unit=unit, better="lower", **same)
    agree = np.where([one.k > 1 for one in choice.alternatives], of("fold_agreement"), np.nan)
    choice_points(names, agree, ax=axes[2], unit="agreement of folds", limits=(0.0, 1.05), **same)
    return figure


def _tick(one: Alternative, choice: Choice) -> str:
    """A number of intentions, with all of its name where law or history vary."""
    alike = {(each.law, each.history) for each in choice.alternatives}
    return str(one.k) if len(alike) == 1 else one.name


def _typical(part: Part) -> Int[np.ndarray, " n"]:
    """Trajectories that are long and whose shares of intentions are like those of all."""
    data, smoothed = part.demonstrations, part.posterior.smoothed
    length = np.diff(data.starts)
    sums = np.add.reduceat(smoothed, data.starts[:-1], axis=0)
    distance = np.abs(sums / length[:, None] - smoothed.mean(axis=0)).sum(axis=1)
    return np.argsort(distance + 9.0 * (length < np.median(length)), kind="stable")[:_SESSIONS]


def _session(
    found: IntentionFindings,
    where: Sequence[Scene],
    trajectory: int,
    number: int,
) -> Picture:
    """One session: bands, and the way on the map where there is one."""
    data, beliefs = found.test.demonstrations, found.test.posterior
    begin, end = data.starts[trajectory], data.starts[trajectory + 1]
    rows = slice(int(begin), int(min(end, begin + _MOST_DECISIONS)))
    place = _places_of(found)[rows]
    scene = _scene_of(where, int(place[0]))
    drawable = scene is not None and scene.mdp.coordinates is not None
    smoothed, path = beliefs.smoothed[rows], beliefs.path[rows]
    events = _events(found, scene, place, data.actions[rows])

    def drawn(width: float) -> Figure:
        figure, axes = row_of(2 if drawable else 1, width, 2.9 if drawable else 2.3)
        intention_bands(smoothed, ax=axes[0], events=events)
        if drawable and scene is not None:
            _draw_way(axes[1], scene, place - scene.first, path, found.solution.num_intentions)
        return figure

    label = _label(found.test, trajectory)
    told = {"cut": end - begin > _MOST_DECISIONS, "drawable": drawable}
    changes = int((np.diff(path) != 0).sum())
    return Picture(
        f"session_{number}",
        text("figures.j2", "session_alt", label=label, changes=changes),
        line("figures.j2", "session", label=label, most=_MOST_DECISIONS, **told),
        drawn,
        wide=True,
    )


def _places_of(found: IntentionFindings) -> Int[np.ndarray, " N"]:
    """The place of each held-out decision; -1 where states are features."""
    data, mdp = found.test.demonstrations, found.solution.mdp
    if mdp is None:
        return np.full(data.num_decisions, -1)
    state = align(data, mdp)
    return state if mdp.history is None else mdp.history.base[state]


def _scene_of(where: Sequence[Scene], place: int) -> Scene | None:
    """The world that a place lies in, if it is among those that are drawn."""
    inside = (s for s in where if s.first <= place < s.first + s.mdp.num_states)
    return next(inside, None)


def _events(
    found: IntentionFindings, scene: Scene | None, place: np.ndarray, actions: np.ndarray
) -> dict[str, np.ndarray]:
    """When marked places were visited; without any, when the rarer actions were taken."""
    marks = {} if scene is None or scene.world is None else scene.world.drawing.marks
    if scene is not None and marks:
        times = {n: np.flatnonzero(np.isin(place - scene.first, s)) for n, s in marks.items()}
        return {name: when for name, when in times.items() if when.size}
    data = found.test.demonstrations
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
            coordinates, drawing.parents, ax=ax, home=at.get("home"), water=at.get("water")
        )
        intention_path(coordinates[place], path, ax=ax, count=count)
        return
    walls = None if drawing is None else np.argwhere(drawing.blocked)[:, ::-1]
    intention_path(coordinates[place], path, ax=ax, count=count, floor=coordinates, walls=walls)


def _label(part: Part, trajectory: int) -> str:
    """Who and when, as far as the table says."""
    columns = part.demonstrations.trajectories
    known = [
        f"{name} {columns[name][trajectory]}"
        for name in ("subject", "session", "trajectory")
        if name in columns
    ]
    return ", ".join(known) or f"trajectory {trajectory + 1}"
