"""A binary maze drawn as the maze it is: corridors where the animal walked."""

import numpy as np
from jaxtyping import Float, Int, Num
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection, PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.patches import Rectangle

from inverseq.plot.style import (
    BLUE,
    UNVISITED,
    VERMILION,
    WALL,
    Scale,
    bare,
    colour_bar,
    colours,
    name_place,
    own_axes,
    seen_states,
    styled,
)

_CORRIDOR = 0.74
"""Width of a corridor where the maze's own grid has spacing 1."""


@styled
def labyrinth_map(
    coordinates: Num[np.ndarray, "S 2"],
    parents: Int[np.ndarray, " S"],
    values: Num[np.ndarray, " S"],
    *,
    moves: Int[np.ndarray, "M 2"] | None = None,
    probabilities: Float[np.ndarray, " M"] | None = None,
    home: int | None = None,
    water: int | None = None,
    visits: Num[np.ndarray, " S"] | None = None,
    scale: Scale = "plain",
    label: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The maze, each node painted together with the corridor that leads to it from its parent.

    Args:
        coordinates: `[S, 2]` places of the nodes; a node and its parent share x or y.
        parents: `[S]` parent of each node, -1 for the root.
        values: `[S]` what to show; NaN leaves a node unpainted.
        moves: `[M, 2]` pairs (from, to) of neighbouring nodes to draw as arrows, or None.
        probabilities: `[M]` how probable each move is: the arrow's thickness.
        home: The node by the home cage, or None.
        water: The node with the water port, or None.
        visits: `[S]` decisions seen; nodes with 0 are hatched grey instead of painted.
        scale: How numbers become colours.
        label: What the colours mean, with the unit.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    places = np.asarray(coordinates, dtype=float)
    painted = seen_states(values, visits)
    shades = colours(values[painted], scale)
    faces = np.tile(to_rgba(UNVISITED), (len(values), 1))
    faces[painted] = shades.to_rgba(np.asarray(values, dtype=float)[painted])
    boxes = _corridors(places, parents, _CORRIDOR)
    _draw_walls(ax, places, parents)
    for chosen, hatch in ((painted, ""), (~painted, "////")):
        shown = [box for box, keep in zip(boxes, chosen, strict=True) if keep]
        edge = "none" if not hatch else "#9A9A9A"
        ax.add_collection(
            PatchCollection(
                shown, facecolors=faces[chosen], edgecolors=edge, lw=0.0, hatch=hatch, zorder=2
            )
        )
    if moves is not None and probabilities is not None:
        _draw_moves(ax, places, moves, probabilities)
    _name_and_frame(ax, places, home, water)
    if label:
        colour_bar(ax, shades, label)
    return ax


@styled
def labyrinth_floor(
    coordinates: Num[np.ndarray, "S 2"],
    parents: Int[np.ndarray, " S"],
    *,
    home: int | None = None,
    water: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The empty maze, for something to be drawn on; arguments as of `labyrinth_map`."""
    ax = own_axes(ax)
    places = np.asarray(coordinates, dtype=float)
    _draw_walls(ax, places, parents)
    boxes = _corridors(places, parents, _CORRIDOR)
    ax.add_collection(PatchCollection(boxes, facecolor="white", edgecolor="none", zorder=2))
    _name_and_frame(ax, places, home, water)
    return ax


def _draw_walls(ax: Axes, places: np.ndarray, parents: Int[np.ndarray, " S"]) -> None:
    """Dark edges around all corridors."""
    walls = _corridors(places, parents, _CORRIDOR + 0.16)
    ax.add_collection(PatchCollection(walls, facecolor=WALL, edgecolor=WALL, lw=0.2, zorder=1))


def _name_and_frame(ax: Axes, places: np.ndarray, home: int | None, water: int | None) -> None:
    """The names of the two places, and limits around everything."""
    for node, name, colour in ((home, "home", VERMILION), (water, "water", BLUE)):
        if node is not None:
            name_place(ax, places[node], name, colour)
    low, high = places.min(0) - 0.75, places.max(0) + 0.75
    edge = [n for n in (home, water) if n is not None and places[n, 0] > high[0] - 2]
    ax.set_xlim(low[0], high[0] + (2.6 if edge else 0.0))
    ax.set_ylim(high[1], low[1])  # the maze's own plan counts y downwards
    bare(ax)


def _corridors(places: np.ndarray, parents: Int[np.ndarray, " S"], width: float) -> list[Rectangle]:
    """The floor of every node."""
    return [_corridor(places, parents, node, width) for node in range(len(places))]


def _corridor(places: np.ndarray, parents: np.ndarray, node: int, width: float) -> Rectangle:
    """The floor that belongs to `node`: from just outside its parent's square to its own."""
    end = places[node]
    parent = int(parents[node])
    start = end if parent < 0 else places[parent] + np.sign(end - places[parent])
    low, high = np.minimum(start, end), np.maximum(start, end)
    reach = np.full(2, width / 2)
    if parent >= 0:  # along the corridor the floor closes up with the parent's
        along = int(np.argmax(np.abs(end - places[parent])))
        toward = np.sign(places[parent] - end)[along]
        low, high = low - reach, high + reach
        gap = 1 - width
        if toward < 0:
            low[along] -= gap
        else:
            high[along] += gap
        return Rectangle((low[0], low[1]), *(high - low))
    return Rectangle(tuple(low - reach), *(high - low + width))


def _draw_moves(
    ax: Axes,
    places: np.ndarray,
    moves: Int[np.ndarray, "M 2"],
    probabilities: Float[np.ndarray, " M"],
) -> None:
    """Wedges out of each node towards its neighbours, as wide as the move is probable."""
    start, end = places[moves[:, 0]], places[moves[:, 1]]
    step = end - start
    distance = np.linalg.norm(step, axis=1)
    go = (distance > 0) & (probabilities > 0)
    ahead = step[go] / distance[go, None]
    across = np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)
    width = 0.30 * probabilities[go, None]
    base = start[go] + 0.16 * ahead
    tip = start[go] + 0.62 * ahead
    wedges = np.stack([base + width * across, tip, base - width * across], axis=1)
    ax.add_collection(
        PolyCollection(wedges, facecolors="white", edgecolors="black", lw=0.35, zorder=4)  # pyright: ignore[reportArgumentType]
    )
