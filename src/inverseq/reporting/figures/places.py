"""The figures of a report, from what a solution says about each place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Num
from matplotlib.axes import Axes

from inverseq.analysis.places import Places, likely_moves
from inverseq.mdp import MDP
from inverseq.plot import (
    canvas,
    grid_map,
    labyrinth_map,
    occupancy,
    state_action_map,
    to_png,
    to_svg,
)
from inverseq.plot.style import COLUMN_WIDTH, Scale
from inverseq.reporting.document import Picture
from inverseq.reporting.words import line, text
from inverseq.worlds import World

_MOST_ROWS = 24
_MOST_WORLDS = 4


@dataclass(frozen=True, eq=False)
class Scene:
    """Where to draw the places of one world.

    Attributes:
        name: Name of the world, or empty where there is only one.
        mdp: The world without history.
        first: Number of its first state among the places.
        world: Its drawing, or None.
    """

    name: str
    mdp: MDP
    first: int
    world: World | None


def scenes(
    given: MDP | Mapping[str, MDP], worlds: Mapping[str, World], visits: Float[np.ndarray, " P"]
) -> list[Scene]:
    """The worlds that can be drawn; of many, those with the most decisions."""
    if isinstance(given, MDP):
        drawn = next(iter(worlds.values()), None)
        return [Scene("", given, 0, drawn)]
    first = np.cumsum([0, *(mdp.num_states for mdp in given.values())])
    found = [
        Scene(name, mdp, int(start), worlds.get(name))
        for (name, mdp), start in zip(given.items(), first, strict=False)
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
                _extremes("Number of decisions", visits, visits, scene),
                line("figures.j2", "visits", **told),
            )
        )
    return pictures


def _drawings(shown: Places, scene: Scene, model: str) -> list[Picture]:
    """Two maps of one world."""
    part = slice(scene.first, scene.first + scene.mdp.num_states)
    visits, policy = shown.visits[part], shown.policy[part]
    file, told = _file(scene), _told(scene, visits) | {"model": model}
    return [
        picture(
            f"reward_map{file}",
            lambda ax: _map(
                ax, scene, shown.reward[part], None, visits, "signed", "reward (temperature units)"
            ),
            _extremes("Reward", shown.reward[part], visits, scene),
            line("figures.j2", "reward_map", **told),
        ),
        picture(
            f"value_map{file}",
            lambda ax: _map(
                ax, scene, shown.value[part], policy, visits, "plain", "value (temperature units)"
            ),
            _extremes("Value", shown.value[part], visits, scene),
            line("figures.j2", "value_map", **told),
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
) -> None:
    """One map, as a maze where the world is one, else on a grid."""
    mdp, world = scene.mdp, scene.world
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
        return
    walls = None if drawing is None else np.argwhere(drawing.blocked)[:, ::-1]
    wins = [] if drawing is None else [s for n in ("goal", "+1") for s in drawing.marks.get(n, ())]
    grid_map(
        coordinates,
        values,
        ax=ax,
        policy=policy,
        directions=None if policy is None else _directions(mdp, world),
        walls=walls,
        wins=wins,
        visits=visits,
        scale=scale,
        label=label,
    )


def _visits(ax: Axes, scene: Scene, visits: Float[np.ndarray, " P"]) -> None:
    """The map of visits."""
    if scene.world is not None and scene.world.drawing.parents is not None:
        _map(ax, scene, visits, None, visits, "log", "decisions")
        return
    walls = None if scene.world is None else np.argwhere(scene.world.drawing.blocked)[:, ::-1]
    occupancy(np.asarray(scene.mdp.coordinates), visits, ax=ax, walls=walls)


def _directions(mdp: MDP, world: World | None) -> Num[np.ndarray, "A 2"]:
    """Where each action points: as the world says, else where it leads on average."""
    if world is not None and world.drawing.directions is not None:
        return world.drawing.directions
    coordinates = np.asarray(mdp.coordinates)
    step = mdp.expected(coordinates) - coordinates[:, None]
    step = step[~mdp.terminal].mean(0)
    length = np.linalg.norm(step, axis=1, keepdims=True)
    return np.where(length > 1e-9, step / np.maximum(length, 1e-9), 0.0)


def _tables(shown: Places, scene: Scene, model: str) -> list[Picture]:
    """Rewards and policy of the most visited states as tables of states and actions."""
    mdp = scene.mdp
    part = slice(scene.first, scene.first + mdp.num_states)
    visits = shown.visits[part]
    rows = np.sort(np.argsort(-visits, kind="stable")[:_MOST_ROWS])
    states = [mdp.state_names[i] if mdp.state_names else str(i) for i in rows]
    actions = list(mdp.action_names) or [str(a) for a in range(mdp.num_actions)]
    file = _file(scene)
    told = {"model": model, "shown": rows.size, "cut": rows.size < visits.size}
    unseen = (visits[rows] == 0)[:, None]
    policy = np.where(mdp.allowed, shown.policy[part], np.nan)
    height = 0.9 + 0.27 * rows.size
    reward = np.where(unseen, np.nan, shown.rewards[part][rows])
    choice = np.where(unseen, np.nan, policy[rows])
    return [
        picture(
            f"reward_map{file}",
            lambda ax: state_action_map(
                reward, states, actions, ax=ax, label="reward (temperature)"
            ),
            text("figures.j2", "table_alt", what="Reward"),
            line("figures.j2", "reward_table", **told),
            height=height,
        ),
        picture(
            f"policy_map{file}",
            lambda ax: state_action_map(
                choice, states, actions, ax=ax, scale="plain", label="probability"
            ),
            text("figures.j2", "table_alt", what="Probability"),
            line("figures.j2", "policy_table", **told),
            height=height,
        ),
    ]


def picture(
    name: str,
    draw: Callable[[Axes], object],
    alt: str,
    caption: str,
    *,
    width: float = COLUMN_WIDTH,
    height: float = 2.6,
    wide: bool = False,
) -> Picture:
    """A figure with one axis, drawn by `draw`, in the two formats of a report."""

    def drawn() -> tuple[str, bytes]:
        figure, (ax,) = canvas(width, height)
        draw(ax)
        return to_svg(figure), to_png(figure)

    return Picture(name, alt, caption, drawn, wide)


def _extremes(
    what: str, values: Float[np.ndarray, " P"], visits: Float[np.ndarray, " P"], scene: Scene
) -> str:
    """In words what a map shows: the largest and the smallest visited places."""
    seen = np.flatnonzero(visits > 0)
    order = seen[np.argsort(values[seen], kind="stable")]
    names = scene.mdp.state_names
    tell = lambda places: [(names[s] if names else str(s), values[s]) for s in places]  # noqa: E731
    ends = {"tops": tell(order[::-1][:3]), "bottoms": tell(order[:3])}
    return text("figures.j2", "extremes", what=what, name=scene.name, **ends)
