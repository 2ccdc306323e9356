"""Values, rewards, policies and visits on a grid, and as a table of states and actions."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Num
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgba
from matplotlib.lines import Line2D

from inverseq._core.errors import InputError
from inverseq._core.words import number
from inverseq.plot.style import (
    GREY,
    UNVISITED,
    VERMILION,
    WALL,
    Scale,
    bare,
    colour_bar,
    colours,
    ink_on,
    own_axes,
    seen_states,
    shortened,
    styled,
)

Ticks = tuple[str, Mapping[float, str]]
"""What an axis is called, and what stands at which place of it."""
_LEAST_SHOWN = 0.05
"""Actions less probable than this get no arrow."""

IN_A_CELL: Any = {"in_layout": False}
"""Of numbers in squares: nothing makes room for them, and measuring them is most of a layout."""

_LONGEST = 24
"""Letters of the name of a state or an action in a table."""


@styled
def grid_map(
    coordinates: Num[np.ndarray, "S 2"],
    values: Num[np.ndarray, " S"],
    *,
    policy: Float[np.ndarray, "S A"] | None = None,
    directions: Num[np.ndarray, "A 2"] | None = None,
    walls: Num[np.ndarray, "W 2"] | None = None,
    wins: Sequence[int] | Int[np.ndarray, " G"] = (),
    visits: Num[np.ndarray, " S"] | None = None,
    scale: Scale = "plain",
    limits: tuple[float, float] | None = None,
    label: str = "",
    digits: int | None = None,
    ticks: tuple[Ticks, Ticks] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One coloured square per state, with arrows as long as their action is probable.

    Args:
        coordinates: `[S, 2]` centres of the squares, one unit apart, y from the top.
        values: `[S]` what to show; NaN leaves a square unpainted.
        policy: `[S, A]` action probabilities, or none. Needs `directions`.
        directions: `[A, 2]` where each action points, y downwards; (0, 0) draws a dot (staying).
        walls: `[W, 2]` centres of squares without a state.
        wins: States framed and starred.
        visits: `[S]` decisions seen; states with 0 are hatched grey instead of painted.
        scale: How numbers become colours.
        limits: Lowest and highest number of the scale, for maps that share one; of `values` where
            left out.
        label: What the colours mean, with the unit.
        digits: Write each value with so many decimals, or None.
        ticks: Of x and of y, where places are measured; none where left out.
        ax: Where to draw; axes of its own where left out.

    Raises:
        InputError: A policy without directions.
    """
    ax = own_axes(ax)
    coordinates = np.asarray(coordinates, dtype=float)
    painted = seen_states(values, visits)
    shades = colours(values[painted] if limits is None else np.array(limits), scale)
    faces = np.tile(to_rgba(UNVISITED), (len(values), 1))
    faces[painted] = shades.to_rgba(np.asarray(values, dtype=float)[painted])
    _squares(ax, coordinates[painted], facecolors=faces[painted], edgecolors="white", lw=0.4)
    if not painted.all():
        hatched(ax, coordinates[~painted])
    if walls is not None and len(walls):
        _squares(ax, np.asarray(walls, dtype=float), facecolors=WALL, edgecolors=WALL, lw=0.4)
    if policy is not None:
        if directions is None:
            raise InputError("arrows need directions, where each action points [A, 2]")
        _arrows(ax, coordinates, policy, np.asarray(directions, dtype=float), faces, painted)
    _mark_wins(ax, coordinates, faces, np.asarray(wins, dtype=int))
    if digits is not None:
        low = 0.0 if policy is None else 0.3
        for state in np.flatnonzero(painted):
            x, y = coordinates[state] + (0, low)
            text = number(values[state], f".{digits}f")
            ink = ink_on(faces[state])
            ax.text(x, y, text, ha="center", va="center", fontsize=6.5, color=ink, **IN_A_CELL)
    everything = coordinates if walls is None else np.concatenate([coordinates, walls])
    _frame(ax, everything)
    if ticks is not None:
        for axis, (name, places) in zip((ax.xaxis, ax.yaxis), ticks, strict=True):
            axis.set_ticks([*places], [*places.values()])
            axis.set_label_text(name)
    if label:
        colour_bar(ax, shades, label)
    return ax


@styled
def occupancy(
    coordinates: Num[np.ndarray, "S 2"],
    visits: Num[np.ndarray, " S"],
    *,
    walls: Num[np.ndarray, "W 2"] | None = None,
    label: str = "decisions",
    ticks: tuple[Ticks, Ticks] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Where the decisions were made, in powers of ten; states never visited are hatched."""
    look = {"walls": walls, "visits": visits, "label": label, "ticks": ticks, "ax": ax}
    return grid_map(coordinates, visits, scale="log", **look)


@styled
def state_action_map(
    values: Float[np.ndarray, "S A"],
    states: Sequence[str],
    actions: Sequence[str],
    *,
    scale: Scale = "signed",
    label: str = "",
    digits: int = 2,
    ax: Axes | None = None,
) -> Axes:
    """A table of states (rows) and actions (columns), coloured and with its numbers.

    NaN marks what does not exist or was never seen: hatched grey.
    """
    ax = own_axes(ax)
    rows, columns = values.shape
    y, x = np.divmod(np.arange(values.size), columns)
    centres = np.stack([x, rows - 1 - y], axis=1).astype(float)
    flat = values.ravel()
    painted = np.isfinite(flat)
    shades = colours(flat[painted], scale)
    faces = shades.to_rgba(flat[painted])
    _squares(ax, centres[painted], facecolors=faces, edgecolors="white", lw=0.8)
    if not painted.all():
        hatched(ax, centres[~painted])
    middle: Any = {"ha": "center", "va": "center", **IN_A_CELL}
    for (cx, cy), value, face in zip(centres[painted], flat[painted], faces, strict=True):
        ink = ink_on(face)
        ax.text(cx, cy, number(value, f".{digits}f"), color=ink, fontsize=7.5, **middle)
    ax.set_xlim(-0.5, columns - 0.5)
    ax.set_ylim(-0.5, rows - 0.5)
    states, actions = ([shortened(name, _LONGEST) for name in names] for names in (states, actions))
    turned = max(map(len, actions), default=0) > 8
    angle = {"rotation": 35, "ha": "right", "rotation_mode": "anchor"} if turned else {}
    ax.set_xticks(range(columns), labels=actions, **angle)
    ax.set_yticks(range(rows), labels=states[::-1])
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    if label:
        colour_bar(ax, shades, label)
    return ax


def hatched(ax: Axes, centres: Num[np.ndarray, "S 2"], size: float = 1.0) -> None:
    """Squares where nothing was seen."""
    _squares(ax, centres, size, facecolors=UNVISITED, edgecolors="#9A9A9A", lw=0.4, hatch="////")


def _squares(ax: Axes, centres: Num[np.ndarray, "S 2"], size: float = 1.0, **look: object) -> None:
    """Squares of width `size` in one collection."""
    corner = 0.5 * size * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    ax.add_collection(PolyCollection(centres[:, None, :] + corner, **look))  # pyright: ignore[reportArgumentType]


def _arrows(
    ax: Axes,
    coordinates: Float[np.ndarray, "S 2"],
    policy: Float[np.ndarray, "S A"],
    directions: Float[np.ndarray, "A 2"],
    faces: Float[np.ndarray, "S 4"],
    painted: np.ndarray,
) -> None:
    """Arrows from the middle of each painted square, as long as their action is probable."""
    state, action = np.nonzero((policy >= _LEAST_SHOWN) & painted[:, None])
    length = 0.42 * policy[state, action]
    step = directions[action] * length[:, None]
    still = (directions[action] == 0).all(1)
    ink = np.array([ink_on(faces[s]) for s in state])
    x, y = coordinates[state].T
    look = {"angles": "xy", "scale_units": "xy", "scale": 1, "units": "xy", "width": 0.045}
    look |= {"headwidth": 3.2, "headlength": 3.2, "headaxislength": 2.8, "minlength": 0.5}
    go = ~still
    if go.any():
        ax.quiver(x[go], y[go], *step[go].T, color=ink[go], zorder=3, **look)
    if still.any():
        ax.scatter(x[still], y[still], s=30 * length[still], color=ink[still], zorder=3)


def _mark_wins(
    ax: Axes, coordinates: np.ndarray, faces: np.ndarray, wins: Int[np.ndarray, " G"]
) -> None:
    """A frame and a star where the world ends well."""
    if not wins.size:
        return
    _squares(ax, coordinates[wins], 0.92, facecolors="none", edgecolors=VERMILION, lw=1.8, zorder=4)
    for state in wins:
        x, y = coordinates[state] + (0.3, -0.3)
        ax.add_line(
            Line2D([x], [y], marker="*", ms=6, mec=ink_on(faces[state]), mfc=VERMILION, mew=0.4)
        )


def _frame(ax: Axes, coordinates: np.ndarray) -> None:
    """Limits one half square around everything, with a thin border."""
    low, high = coordinates.min(0) - 0.5, coordinates.max(0) + 0.5
    ax.plot(
        [low[0], high[0], high[0], low[0], low[0]],
        [low[1], low[1], high[1], high[1], low[1]],
        color=GREY,
        lw=0.8,
        zorder=5,
    )
    ax.set_xlim(low[0] - 0.05, high[0] + 0.05)
    ax.set_ylim(high[1] + 0.05, low[1] - 0.05)  # worlds count y from the top
    bare(ax)
