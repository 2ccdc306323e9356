"""Intentions over time: what is believed about each decision, and where it was made."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int, Num
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from inverseq.plot.maps import hatched
from inverseq.plot.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    VERMILION,
    bare,
    own_axes,
    styled,
)

HUES = (BLUE, ORANGE, GREEN, "#CC79A7", "#56B4E9", VERMILION, "#000000", GREY)
"""Colours of intentions, in order; the first two differ in lightness as well."""

HATCHES = ("", "", "////", "....", "\\\\\\\\", "xxxx", "", "++")
"""Their hatching, so that grey print tells them apart."""

_LANES = 0.5
"""Width that the lanes of all intentions share, where places are one unit apart."""


def hue(intention: int) -> str:
    """Colour of an intention, from 0."""
    return HUES[intention % len(HUES)]


def hatch(intention: int) -> str:
    """Hatching of an intention, from 0."""
    return HATCHES[intention % len(HATCHES)]


@styled
def intention_bands(
    probabilities: Float[np.ndarray, "N K"],
    *,
    times: Num[np.ndarray, " N"] | None = None,
    names: Sequence[str] = (),
    events: Mapping[str, Num[np.ndarray, " E"]] | None = None,
    time_name: str = "decision",
    ax: Axes | None = None,
) -> Axes:
    """The probability of each intention over time as stacked bands that fill the height.

    Args:
        probabilities: `[N, K]` rows that sum to one.
        times: `[N]` rising; 0, 1, 2, ... where left out.
        names: Of the K intentions; numbers from 1 where left out.
        events: Name -> times `[E]` that are ticked above the bands, one line per name.
        time_name: Label of the time.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    size, count = probabilities.shape
    x = np.arange(size) if times is None else np.asarray(times)
    edges = np.concatenate([np.zeros((size, 1)), np.cumsum(probabilities, axis=1)], axis=1)
    for k in range(count):
        low, high = edges[:, k], edges[:, k + 1]
        look = {"facecolor": hue(k), "edgecolor": "white", "linewidth": 0.0, "hatch": hatch(k)}
        ax.fill_between(x, low, high, step="mid", **look)
    top = 1.0
    for number, (name, when) in enumerate((events or {}).items()):
        low = 1.04 + 0.11 * number
        ax.vlines(when, low, low + 0.07, color="black", lw=0.8)
        ax.text(1.01, low + 0.035, name, transform=ax.get_yaxis_transform(), va="center")
        top = low + 0.09
    ax.set_xlim(x[0], x[-1] if size > 1 else x[0] + 1)
    ax.set_ylim(0.0, top)
    ax.set_yticks([0, 0.5, 1])
    ax.spines["left"].set_bounds(0.0, 1.0)
    ax.set_xlabel(time_name)
    ax.set_ylabel("probability")
    _legend(ax, names or [str(k + 1) for k in range(count)])
    return ax


@styled
def intention_path(
    places: Num[np.ndarray, "N 2"],
    intentions: Int[np.ndarray, " N"],
    *,
    count: int,
    floor: Num[np.ndarray, "S 2"] | None = None,
    walls: Num[np.ndarray, "W 2"] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The way that was gone, in the colour of the intention, each intention in a lane of its own.

    Args:
        places: `[N, 2]` where each decision was made, one unit apart, y from the top.
        intentions: `[N]` intention of each decision, from 0.
        count: K, how many intentions there are.
        floor: `[S, 2]` centres of the squares to draw below; none where a map is there.
        walls: `[W, 2]` centres of the walls, likewise.
        ax: Where to draw; a map that is there already stays below. Axes of its own where left
            out.
    """
    ax = own_axes(ax)
    places = np.asarray(places, dtype=float)
    if floor is not None:
        _draw_floor(ax, np.asarray(floor, dtype=float), walls)
    lane = (np.arange(count) - (count - 1) / 2) * (_LANES / max(count, 2))
    steps = np.stack([places[:-1], places[1:]], axis=1)
    for k in range(count):
        mine = steps[intentions[:-1] == k] + lane[k]
        ax.add_collection(LineCollection(list(mine), colors=hue(k), lw=1.1, alpha=0.65, zorder=5))
    first = places[0] + lane[intentions[0]]
    ax.plot(*first, marker="o", ms=4.5, mfc="white", mec="black", mew=1.0, zorder=8)
    return ax


@styled
def occupancy_bars(
    shares: Float[np.ndarray, "P K"],
    *,
    parts: Sequence[str] = ("",),
    errors: Float[np.ndarray, "P K"] | None = None,
    names: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Share of the decisions that each intention explains, in one or several parts of the data.

    Args:
        shares: `[P, K]` one row per part; rows sum to one.
        parts: Names of the parts; the first is drawn full, the others pale.
        errors: `[P, K]` standard errors; bars reach one to either side.
        names: Of the intentions; numbers from 1 where left out.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    several, count = shares.shape
    width = 0.8 / several
    for p in range(several):
        for k in range(count):
            look = {"color": hue(k), "hatch": hatch(k), "edgecolor": "white", "lw": 0.0}
            height, place = float(shares[p, k]), k - 0.4 + width * (p + 0.5)
            ax.bar(place, height, width * 0.92, alpha=1.0 if p == 0 else 0.45, **look)
            error = 0.0 if errors is None else float(errors[p, k])
            if np.isfinite(error) and error > 0:
                ax.errorbar(place, height, yerr=error, color="black", capsize=2, lw=1.0)
            ax.text(place, height + error + 0.015, f"{height:.0%}", ha="center", fontsize=7)
    ax.set_xticks(range(count), labels=list(names) or [str(k + 1) for k in range(count)])
    ax.tick_params(axis="x", length=0)
    ax.set_ylim(0, min(1.15, float(shares.max()) * 1.2 + 0.06))
    ax.set_ylabel("share of decisions")
    ax.set_xlabel("intention")
    if several > 1:
        shades = [Patch(fc=GREY, alpha=1.0 if p == 0 else 0.45) for p in range(several)]
        ax.legend(shades, list(parts), loc="upper right")
    return ax


def _legend(ax: Axes, names: Sequence[str]) -> None:
    """Names of the intentions below the axis, in one line."""
    patches = [
        Patch(facecolor=hue(k), edgecolor="white", hatch=hatch(k), lw=0.0)
        for k in range(len(names))
    ]
    ax.legend(
        patches,
        list(names),
        loc="upper center",
        bbox_to_anchor=(0.5, -0.2),
        ncol=min(len(names), 6),
        handlelength=1.4,
        columnspacing=1.0,
    )


def _draw_floor(
    ax: Axes, floor: Float[np.ndarray, "S 2"], walls: Num[np.ndarray, "W 2"] | None
) -> None:
    """Squares to walk on, and walls."""
    ax.scatter(*floor.T, s=4, color="#C8C8C8", zorder=1)
    everything = floor
    if walls is not None and len(walls):
        hatched(ax, np.asarray(walls, dtype=float))
        everything = np.concatenate([floor, walls])
    low, high = everything.min(0) - 0.5, everything.max(0) + 0.5
    box = np.array([[low[0], low[1]], [high[0], low[1]], [high[0], high[1]], [low[0], high[1]]])
    ax.add_line(Line2D(*box[[0, 1, 2, 3, 0]].T, color=GREY, lw=0.8))
    ax.set_xlim(low[0] - 0.05, high[0] + 0.05)
    ax.set_ylim(high[1] + 0.05, low[1] - 0.05)  # worlds count y from the top
    bare(ax)
