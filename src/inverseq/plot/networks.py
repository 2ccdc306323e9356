"""Networks of places, and routes through them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int, Num
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from inverseq.plot.style import GREY, bare, colour_bar, colours, name_place, own_axes, styled


@styled
def network_map(
    coordinates: Num[np.ndarray, "S 2"],
    segments: Float[np.ndarray, "E 2 2"],
    *,
    values: Num[np.ndarray, " E"] | None = None,
    places: Sequence[int] | Int[np.ndarray, " P"] = (),
    names: Sequence[str] = (),
    upwards: bool = False,
    label: str = "",
    limits: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Ways between places as lines, coloured and as thick as their values say.

    Args:
        coordinates: `[S, 2]` where each state lies.
        segments: `[E, 2, 2]` ends of each way.
        values: `[E]` what to show of each way, 0 or more; grey lines where left out.
        places: States to be ringed.
        names: What these are called.
        upwards: Whether y counts upwards.
        label: What the colours mean, with the unit.
        limits: Lowest and highest number of the scale, for maps that share one.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    at = np.asarray(coordinates, dtype=float)
    ax.add_collection(LineCollection([*segments], colors=GREY, linewidths=0.6, zorder=1))
    if values is not None:
        shades = colours(values if limits is None else np.array(limits), "plain")
        used = np.asarray(values) > 0
        top = float(np.max(values, initial=0)) if limits is None else limits[1]
        widths = 0.8 + 3.2 * np.asarray(values)[used] / max(top, 1e-300)
        lines = LineCollection(
            [*segments[used]], colors=shades.to_rgba(values[used]), linewidths=widths, zorder=2
        )
        lines.set_capstyle("round")
        ax.add_collection(lines)
        if label:
            colour_bar(ax, shades, label)
    ax.plot(at[:, 0], at[:, 1], ".", color=GREY, ms=1.6, zorder=1)
    for place, name in zip(places, [*names, *[""] * len(places)], strict=False):
        name_place(ax, at[place], name)
    span = np.maximum(np.ptp(at, axis=0), 1e-9)
    low, high = at.min(0) - 0.05 * span, at.max(0) + 0.05 * span
    ax.set_xlim(low[0], high[0])
    ax.set_ylim(*((low[1], high[1]) if upwards else (high[1], low[1])))
    bare(ax)
    return ax
