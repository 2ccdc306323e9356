"""Numbers over two components of observations, and probabilities beside what happened."""

from typing import Any

import numpy as np
from jaxtyping import Float, Num
from matplotlib.axes import Axes

from inverseq.plot.style import BLUE, GREY, Scale, colour_bar, colours, own_axes, styled


@styled
def component_map(
    values: Num[np.ndarray, "Y X"],
    edges: tuple[Float[np.ndarray, " X1"], Float[np.ndarray, " Y1"]],
    names: tuple[str, str],
    *,
    scale: Scale = "plain",
    limits: tuple[float, float] | None = None,
    label: str = "",
    ax: Axes | None = None,
) -> Axes:
    """One coloured cell per interval of two components; cells with NaN stay blank.

    Args:
        values: `[Y, X]` what to show.
        edges: Of the cells to the right `[X + 1]` and upwards `[Y + 1]`.
        names: Of the two components.
        scale: How numbers become colours.
        limits: Lowest and highest number of the scale, for maps that share one; of `values` where
            left out.
        label: What the colours mean, with the unit.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    shades = colours(values.ravel() if limits is None else np.array(limits), scale)
    shown = np.ma.masked_invalid(values)
    look: Any = {"cmap": shades.cmap, "norm": shades.norm}
    ax.pcolormesh(*edges, shown, rasterized=True, **look)
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    if label:
        colour_bar(ax, shades, label)
    return ax


@styled
def reliability(
    expected: Num[np.ndarray, " B"],
    taken: Num[np.ndarray, " B"],
    low: Num[np.ndarray, " B"],
    high: Num[np.ndarray, " B"],
    *,
    ax: Axes | None = None,
) -> Axes:
    """How often actions were taken against how often that was expected, with intervals, in B bins.

    Args:
        expected: `[B]` mean predicted probability.
        taken: `[B]` share that was taken.
        low: `[B]` lower end of its interval.
        high: `[B]` upper end.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    ax.plot([0, 1], [0, 1], color=GREY, lw=0.9, ls="--", zorder=0)
    bars = np.maximum(np.stack([taken - low, high - taken]), 0.0)
    ax.errorbar(expected, taken, yerr=bars, fmt="o-", color=BLUE, ms=4, lw=1.2, capsize=2)
    reach = min(1.0, 1.08 * float(max(expected.max(), high.max())))
    ax.set_xlim(0, reach)
    ax.set_ylim(0, reach)
    ax.set_aspect("equal")
    ax.grid(color="#E6E6E6", lw=0.6)
    ax.set_xlabel("predicted probability of an action")
    ax.set_ylabel("share taken")
    return ax
