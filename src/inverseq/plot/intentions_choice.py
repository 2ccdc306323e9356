"""How many intentions, and whether the model behaves like the animal."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float, Num
from matplotlib.axes import Axes

from inverseq._core.errors import InputError
from inverseq.plot.style import BLUE, GREY, VERMILION, own_axes, styled

_FARTHEST = 6.0


@styled
def choice_points(
    labels: Sequence[str],
    values: Num[np.ndarray, " M"],
    *,
    errors: Num[np.ndarray, " M"] | None = None,
    chosen: int | None = None,
    references: Sequence[tuple[str, float]] = (),
    better: Literal["higher", "lower"] = "higher",
    limits: tuple[float, float] | None = None,
    name: str = "",
    unit: str = "",
    ax: Axes | None = None,
) -> Axes:
    """One point per alternative with its error, the chosen one ringed, the best one filled.

    Args:
        labels: Names of the M alternatives, in order.
        values: `[M]`; NaN leaves a gap.
        errors: `[M]` standard errors; bars reach one to either side.
        chosen: The alternative to be ringed, or None.
        references: Names and values of horizontal lines.
        better: Which end is good; said in the label of the axis.
        limits: Ends of the axis; those of the values where left out.
        name: Label of the alternatives.
        unit: Label of the values.
        ax: Where to draw; axes of its own where left out.

    Raises:
        InputError: `better` is something else.
    """
    if better not in ("higher", "lower"):
        raise InputError(f'better must be "higher" or "lower"; got {better!r}')
    ax = own_axes(ax)
    x = np.arange(len(labels))
    known = np.isfinite(values)
    ax.plot(x[known], values[known], color=BLUE, lw=1.0, alpha=0.6, zorder=1)
    bars = np.zeros(len(labels)) if errors is None else np.nan_to_num(errors)
    ax.errorbar(
        x[known], values[known], yerr=bars[known], fmt="o", ms=5.5, mfc="white", color=BLUE, lw=1.2,
        capsize=2.5,
    )  # fmt: skip
    if known.any():
        best = int(np.nanargmax(values) if better == "higher" else np.nanargmin(values))
        ax.plot(x[best], values[best], "o", ms=5.5, color=BLUE, zorder=4)
    if chosen is not None and known[chosen]:
        ax.plot(x[chosen], values[chosen], "o", ms=12, mfc="none", mec=VERMILION, mew=1.5, zorder=5)
    # Neighbouring lines are named at opposite ends, so that names do not overlap.
    for number, (text, height) in enumerate(sorted(references, key=lambda line: line[1])):
        ax.axhline(height, color=GREY, lw=0.9, ls="--", zorder=0)
        side = number % 2
        ax.annotate(
            text,
            (1.0 - side, height),
            xycoords=("axes fraction", "data"),
            xytext=(2 if side else -2, 2),
            textcoords="offset points",
            ha="left" if side else "right",
            fontsize=6.5,
            color=GREY,
            # An outline would turn the letters of an SVG into shapes.
            bbox={"pad": 0.5, "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )
    ax.set_xticks(x, labels=list(labels))
    ax.set_xlim(-0.4, len(labels) - 0.6)
    ax.margins(y=0.12)
    if limits is not None:
        ax.set_ylim(*limits)
    ax.grid(axis="y", color="#E6E6E6", lw=0.6)
    ax.set_xlabel(name)
    ax.set_ylabel(f"{unit}\n({better} is better)")
    return ax


@styled
def predictive_checks(
    names: Sequence[str],
    observed: Num[np.ndarray, " C"],
    simulated: Float[np.ndarray, "C R"],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Real behaviour among simulated behaviour, one line per statistic, first on top.

    Each line is scaled by its simulations: 0 is their mean and 1 their standard deviation. The pale
    bar holds 95 % of them, the dark one half; a dot outside of the pale bar is filled red. Dots far
    out are arrows at the edge. The numbers at the right are the real and the mean simulated value.

    Args:
        names: Of the C statistics.
        observed: `[C]` real values; NaN where there is none.
        simulated: `[C, R]` values of R simulations.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    count = len(names)
    for index in range(count):
        place = count - 1 - index
        drawn = simulated[index][np.isfinite(simulated[index])]
        if not drawn.size:
            continue
        mean, spread = drawn.mean(), drawn.std() or 1.0
        scaled = (drawn - mean) / spread
        for share, colour, width in ((95, "#C9DCEB", 7), (50, "#7FB0D3", 7)):
            low, high = np.percentile(scaled, [50 - share / 2, 50 + share / 2])
            ax.plot([low, high], [place] * 2, color=colour, lw=width, solid_capstyle="butt")
        low, high = np.percentile(scaled, [2.5, 97.5])
        real = float((observed[index] - mean) / spread)
        if np.isfinite(real):
            inside = low <= real <= high
            marker = "o" if abs(real) <= _FARTHEST else "<" if real < 0 else ">"
            at = float(np.clip(real, -_FARTHEST, _FARTHEST))
            fill = "white" if inside else VERMILION
            ax.plot(at, place, marker, ms=6, mfc=fill, mec="black", mew=1.0, zorder=4)
        text = f"{observed[index]:.3g} | {mean:.3g}".replace("-", "−")
        ax.text(1.02, place, text, transform=ax.get_yaxis_transform(), va="center", fontsize=7)
    ax.text(1.02, count - 0.35, "real | simulated", transform=ax.get_yaxis_transform(), fontsize=7)
    ax.axvline(0, color=GREY, lw=0.8, zorder=0)
    ax.set_yticks(range(count), labels=list(names)[::-1])
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(-_FARTHEST - 0.5, _FARTHEST + 0.5)
    ax.set_ylim(-0.6, count - 0.4)
    ax.grid(axis="x", color="#E6E6E6", lw=0.6)
    ax.set_xlabel("standard deviations of the simulations from their mean")
    return ax
