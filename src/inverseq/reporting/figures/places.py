"""The figures of a report, from what a solution says about each place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Bool, Float, Int, Num
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from inverseq._core.words import number
from inverseq.analysis.places import Places, likely_moves
from inverseq.mdp import MDP
from inverseq.plot import (
    canvas,
    grid_map,
    labyrinth_map,
    occupancy,
    state_action_map,
)
from inverseq.plot.maps import Ticks
from inverseq.plot.style import COLUMN_WIDTH, Scale, name_place
from inverseq.readers.measured import two_intervals
from inverseq.reporting.document import Picture
from inverseq.reporting.words import line, text
from inverseq.worlds import World

_MOST_ROWS = 24
_MOST_WORLDS = 4
_MOST_TICKS = 8


@dataclass(frozen=True, eq=False)
class Scene:
    """Where to draw the places of one world.

    Attributes:
        name: Name of the world, or empty where there is only one.
        mdp: The world without history.
        first: Number of its first state among the places.
        names: Of its states.
        world: Its drawing, or None.
    """

    name: str
    mdp: MDP
    first: int
    names: tuple[str, ...]
    world: World | None


def place_names(given: MDP | Mapping[str, MDP], worlds: Mapping[str, World]) -> list[str]:
    """A name for each place: a mark of the drawing, its own name, or its number."""
    found: list[str] = []
    mdps = {"": given} if isinstance(given, MDP) else dict(given)
    for name, mdp in mdps.items():
        # One world may be drawn under another name than its own.
        world = worlds.get(name) or (
            next(iter(worlds.values()), None) if isinstance(given, MDP) else None
        )
        names = list(mdp.state_names) or [f"place {s}" for s in range(mdp.num_states)]
        for mark, states in (world.drawing.marks if world else {}).items():
            for state in states:
                names[state] = mark
        found += [f"{each} in {name}" if name else each for each in names]
    return found


def scenes(
    given: MDP | Mapping[str, MDP], worlds: Mapping[str, World], visits: Float[np.ndarray, " P"]
) -> list[Scene]:
    """The worlds that can be drawn; of many, those with the most decisions."""
    names = tuple(place_names(given, worlds))
    if isinstance(given, MDP):
        drawn = next(iter(worlds.values()), None)
        return [Scene("", given, 0, names, drawn)]
    first = np.cumsum([0, *(mdp.num_states for mdp in given.values())])
    found = [
        Scene(name, mdp, start, names[start : start + mdp.num_states], worlds.get(name))
        for (name, mdp), start in zip(given.items(), map(int, first), strict=False)
    ]
    found.sort(key=lambda s: -visits[s.first : s.first + s.mdp.num_states].sum())
    return found[:_MOST_WORLDS]


def maps(shown: Places, where: Sequence[Scene], model: str) -> list[Picture]:
    """Rewards, and values with the policy: as maps where the world has places, else as tables of
    states and actions.
    """
    pictures = []
    for scene in where:
        if scene.mdp.coordinates is None:
            pictures += _tables(shown, scene, model)
        else:
            pictures += _drawings(shown, scene, model)
    return pictures


def difference_maps(
    gaps: Float[np.ndarray, " P"],
    shown: Bool[np.ndarray, " P"],
    clear: Bool[np.ndarray, " P"],
    where: Sequence[Scene],
    **told: Any,
) -> list[Picture]:
    """What each place is worth more to one group than to another, in worlds that have places.

    Args:
        gaps: Differences between the groups.
        shown: Places that are painted: animals of both groups know them, and something settles
            them; the others are hatched.
        clear: Places with a ring: they differ after correction.
        where: The worlds.
        told: What the caption says besides.
    """
    pictures = []
    for scene in where:
        part = slice(scene.first, scene.first + scene.mdp.num_states)
        painted, ringed = shown[part], np.flatnonzero(clear[part]).tolist()
        words = told | {"name": scene.name, "hatched": int((~painted).sum())}
        words |= {"clear": len(ringed), "size": painted.size}
        pictures.append(
            picture(
                f"difference_map{_file(scene)}",
                lambda ax, scene=scene, part=part, painted=painted, ringed=ringed: _map(
                    ax, scene, np.where(shown, gaps, np.nan)[part], None, painted.astype(float),
                    "signed", "difference (temperature units)", ringed,
                ),
                _extremes("Difference", gaps[part], np.flatnonzero(painted), scene),
                line("figures.j2", "difference_map", **words),
                grows=True,
            )
        )  # fmt: skip
    return pictures


def visit_maps(everywhere: Float[np.ndarray, " P"], where: Sequence[Scene]) -> list[Picture]:
    """Where decisions were made, in worlds that have places."""
    pictures = []
    for scene in where:
        if scene.mdp.coordinates is None:
            continue
        visits = everywhere[scene.first : scene.first + scene.mdp.num_states]
        told = _told(scene, visits) | {
            "total": visits.sum(),
            "seen": int((visits > 0).sum()),
            "size": visits.size,
        }
        pictures.append(
            picture(
                f"occupancy{_file(scene)}",
                lambda ax, scene=scene, visits=visits: _visits(ax, scene, visits),
                _extremes("Number of decisions", visits, np.flatnonzero(visits), scene),
                line("figures.j2", "visits", **told),
                grows=True,
            )
        )
    return pictures


def _drawings(shown: Places, scene: Scene, model: str) -> list[Picture]:
    """Two maps of one world."""
    part = slice(scene.first, scene.first + scene.mdp.num_states)
    visits, policy = shown.visits[part], shown.policy[part]
    file, told = _file(scene), _told(scene, visits) | {"model": model}
    mine = [at[(at >= part.start) & (at < part.stop)] for at in (shown.often, shown.wanted)]
    often, wanted = mine[0] - scene.first, (mine[1] - scene.first).tolist()
    reward, value = shown.reward[part], shown.value[part]
    return [
        picture(
            f"reward_map{file}",
            lambda ax: _map(
                ax, scene, reward, None, visits, "signed", "reward (temperature units)", wanted
            ),
            _extremes("Reward", reward, often, scene),
            line("figures.j2", "reward_map", **told),
            grows=True,
        ),
        picture(
            f"value_map{file}",
            lambda ax: _map(ax, scene, value, policy, visits, "plain", "value (temperature units)"),
            _extremes("Value", value, often, scene),
            line("figures.j2", "value_map", **told),
            grows=True,
        ),
    ]


def _file(scene: Scene) -> str:
    """The world's name at the end of a file's name."""
    return f"_{scene.name}" if scene.name else ""


def _told(scene: Scene, visits: Float[np.ndarray, " P"]) -> dict[str, Any]:
    """What captions of maps say of the world."""
    return {"name": scene.name, "unseen": int((visits == 0).sum())}


def _map(
    ax: Axes,
    scene: Scene,
    values: Float[np.ndarray, " P"],
    policy: Float[np.ndarray, "P A"] | None,
    visits: Float[np.ndarray, " P"],
    scale: Scale,
    label: str,
    named: Sequence[int] = (),
) -> None:
    """One map, as a maze where the world is one, else on a grid, with some places named."""
    mdp, world = scene.mdp, scene.world
    if policy is not None:
        # An arrow says what was chosen, so there is none where nothing can be.
        policy = np.where(mdp.allowed.sum(axis=1, keepdims=True) > 1, policy, 0.0)
    drawing = None if world is None else world.drawing
    coordinates = np.asarray(mdp.coordinates)
    if drawing is not None and drawing.parents is not None:
        moves = probabilities = None
        if policy is not None:
            moves, probabilities = likely_moves(mdp, policy)
        places = {name: states[0] for name, states in drawing.marks.items() if states}
        labyrinth_map(
            coordinates,
            drawing.parents,
            values,
            ax=ax,
            moves=moves,
            probabilities=probabilities,
            home=places.get("home"),
            water=places.get("water"),
            visits=visits,
            scale=scale,
            label=label,
        )
        _name(ax, scene, [s for s in named if scene.names[s] not in drawing.marks])
        return
    walls = None if drawing is None else np.argwhere(drawing.blocked)[:, ::-1]
    wins = [] if drawing is None else [s for n in ("goal", "+1") for s in drawing.marks.get(n, ())]
    grid_map(
        coordinates,
        values,
        ax=ax,
        policy=policy,
        directions=None if policy is None else directions_of(mdp, world),
        walls=walls,
        wins=wins,
        visits=visits,
        scale=scale,
        label=label,
        ticks=_ticks(scene),
    )
    _name(ax, scene, [s for s in named if s not in wins])


def _name(ax: Axes, scene: Scene, states: Sequence[int]) -> None:
    """Rings around some places of a map, with their names where no axes say where they are."""
    named = _ticks(scene) is None
    for state in states:
        at = np.asarray(scene.mdp.coordinates, dtype=float)[state]
        name_place(ax, at, scene.names[state] if named else "")


def _visits(ax: Axes, scene: Scene, visits: Float[np.ndarray, " P"]) -> None:
    """The map of visits."""
    if scene.world is not None and scene.world.drawing.parents is not None:
        _map(ax, scene, visits, None, visits, "log", "decisions")
        return
    walls = None if scene.world is None else np.argwhere(scene.world.drawing.blocked)[:, ::-1]
    occupancy(np.asarray(scene.mdp.coordinates), visits, ax=ax, walls=walls, ticks=_ticks(scene))


def _ticks(scene: Scene) -> tuple[Ticks, Ticks] | None:
    """Edges of the bins of two measured columns, as many as can be read; None of other places."""
    measured = two_intervals(scene.mdp.state_names)
    if measured is None or scene.world is not None:
        return None
    made = []
    for axis, name in enumerate(measured[0]):
        at, ends = np.asarray(scene.mdp.coordinates, dtype=float)[:, axis], measured[1][:, axis]
        along = 0.5 if at @ (ends[:, 0] - ends[:, 0].mean()) >= 0 else -0.5  # y may count upwards
        edges = dict(zip(at - along, ends[:, 0], strict=True)) | dict(
            zip(at + along, ends[:, 1], strict=True)
        )
        places = sorted(edges)[:: 1 + len(edges) // _MOST_TICKS]
        made.append((name, {float(place): number(edges[place], "g") for place in places}))
    return made[0], made[1]


def directions_of(mdp: MDP, world: World | None) -> Num[np.ndarray, "A 2"]:
    """Where each action points: as the world says, else where it mostly leads."""
    if world is not None and world.drawing.directions is not None:
        return world.drawing.directions
    coordinates = np.asarray(mdp.coordinates)
    # The likeliest outcome: in an estimated world the others are mixed from other actions.
    likeliest = mdp.probabilities.argmax(axis=2)[:, :, None]
    leads = np.take_along_axis(mdp.successors, likeliest, axis=2)[:, :, 0]
    exists = (mdp.allowed & ~mdp.terminal[:, None])[:, :, None]
    step = np.where(exists, coordinates[leads] - coordinates[:, None], 0.0).sum(axis=0)
    length = np.linalg.norm(step, axis=1, keepdims=True)
    return np.where(length > 1e-9, step / np.maximum(length, 1e-9), 0.0)


def _tables(shown: Places, scene: Scene, model: str) -> list[Picture]:
    """Rewards and policy of the most visited states as tables of states and actions."""
    part = slice(scene.first, scene.first + scene.mdp.num_states)
    visits = shown.visits[part]
    return [
        _table("reward", shown.rewards[part], visits, scene, model),
        policy_table(shown.policy[part], visits, scene, model),
    ]


def policy_table(
    policy: Float[np.ndarray, "P A"], visits: Float[np.ndarray, " P"], scene: Scene, model: str
) -> Picture:
    """What is done in the most visited states of a world, as a table of states and actions."""
    return _table("policy", np.where(scene.mdp.allowed, policy, np.nan), visits, scene, model)


def _table(
    what: Literal["reward", "policy"],
    values: Float[np.ndarray, "P A"],
    visits: Float[np.ndarray, " P"],
    scene: Scene,
    model: str,
) -> Picture:
    """One of the tables."""
    mdp = scene.mdp
    rows = np.sort(np.argsort(-visits, kind="stable")[:_MOST_ROWS])
    states = [scene.names[i] for i in rows]
    actions = list(mdp.action_names) or [str(a) for a in range(mdp.num_actions)]
    cells = np.where((visits[rows] == 0)[:, None], np.nan, values[rows])
    look: dict[str, Any] = {
        "reward": {"label": "reward (temperature)"},
        "policy": {"label": "probability", "scale": "plain"},
    }[what]
    cut = rows.size < visits.size
    return picture(
        f"{what}_map{_file(scene)}",
        lambda ax: state_action_map(cells, states, actions, ax=ax, **look),
        text("figures.j2", "table_alt", what="Reward" if what == "reward" else "Probability"),
        line("figures.j2", f"{what}_table", model=model, shown=rows.size, cut=cut),
        height=0.9 + 0.27 * rows.size + 0.036 * min(max(map(len, actions)), 25),
    )


def row_of(number: int, width: float, height: float) -> tuple[Figure, list[Axes]]:
    """Axes beside each other on a page, below each other in a column."""
    if width > COLUMN_WIDTH:
        return canvas(width, height, columns=number)
    return canvas(width, number * height, rows=number)


def picture(
    name: str,
    draw: Callable[[Axes], object],
    alt: str,
    caption: str,
    *,
    height: float = 2.6,
    wide: bool = False,
    grows: bool = False,
) -> Picture:
    """A figure with one axis, drawn by `draw`; one that `grows` is higher where it is wider."""

    def drawn(width: float) -> Figure:
        figure, (ax,) = canvas(width, height * (width / COLUMN_WIDTH if grows else 1))
        draw(ax)
        return figure

    return Picture(name, alt, caption, drawn, wide)


def _extremes(
    what: str, values: Float[np.ndarray, " P"], among: Int[np.ndarray, " n"], scene: Scene
) -> str:
    """In words what a map shows: the largest and the smallest of the places visited often."""
    order = among[np.argsort(values[among], kind="stable")]
    tell = lambda places: [(scene.names[s], values[s]) for s in places]  # noqa: E731
    ends = {"tops": tell(order[::-1][:3]), "bottoms": tell(order[:3])}
    return text("figures.j2", "extremes", what=what, name=scene.name, **ends)
