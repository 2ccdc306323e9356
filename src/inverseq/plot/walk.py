"""Numbers that walk over time, beside what happened."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Num
from matplotlib.axes import Axes

from inverseq.plot.style import GREY, SERIES, own_axes, styled

_LANE = 0.07
"""Share of the height for each kind of event."""


@styled
def walk(
    times: Num[np.ndarray, " M"],
    weights: Num[np.ndarray, "M F"],
    spread: Float[np.ndarray, "M F"],
    *,
    names: Sequence[str] = (),
    events: Mapping[str, Num[np.ndarray, " _"]] | None = None,
    label: str = "weight, nats",
    when: str = "time",
    ax: Axes | None = None,
) -> Axes:
    """A line per number with its 95 % band over time, and a lane of ticks per kind of event below.

    Args:
        times: `[M]` when.
        weights: `[M, F]` the numbers at each time.
        spread: `[M, F]` their standard deviations; bands reach 1.96 to either side.
        names: Names of the F numbers.
        events: Name of each kind of event -> when it happened.
        label: What the numbers are, with the unit.
        when: Label of the axis of time.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    for number, (line, unsure) in enumerate(zip(weights.T, spread.T, strict=True)):
        hue = SERIES[number % len(SERIES)]
        ax.fill_between(
            times, line - 1.96 * unsure, line + 1.96 * unsure, color=hue, alpha=0.2, lw=0
        )
        ax.plot(times, line, color=hue, lw=1.6, label=names[number] if len(names) else None)
    ax.axhline(0.0, color=GREY, lw=1.0, ls="--", zorder=0)
    kinds = events or {}
    if kinds:
        low, high = ax.get_ylim()
        lane = _LANE * (high - low)
        ax.set_ylim(low - lane * len(kinds), high)
        for number, (name, at) in enumerate(kinds.items()):
            bottom = low - lane * (number + 1)
            ax.vlines(at, bottom + 0.15 * lane, bottom + 0.85 * lane, color=GREY, lw=0.9)
            ax.annotate(
                name,
                (1.0, bottom + lane / 2),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
            )
    ax.set_xlabel(when)
    ax.set_ylabel(label)
    if len(names):
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(len(names), 3))
    return ax
