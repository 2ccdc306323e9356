"""Scores with their yardsticks, bootstrap intervals, learning curves, rewards against rewards."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Num
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from scipy.special import stdtrit

from inverseq.plot.style import (
    BLUE,
    GREY,
    MARKERS,
    SERIES,
    VERMILION,
    own_axes,
    styled,
)

_NARROW, _LONG = 4.5, 16
"""Inches of a figure, and letters of a name, from which on names do not stand beside the axis."""


@styled
def scores(
    labels: Sequence[str],
    means: Num[np.ndarray, " M"],
    errors: Num[np.ndarray, " M"],
    *,
    yardsticks: Bool[np.ndarray, " M"] | None = None,
    chance: float | None = None,
    chosen: int | None = None,
    unit: str = "held-out score, nats per decision",
    ax: Axes | None = None,
) -> Axes:
    """A dot and a bar per model, best on top; yardsticks hollow and grey, models filled and blue.

    Args:
        labels: Names of the M models.
        means: `[M]` scores.
        errors: `[M]` standard errors; bars reach one to either side.
        yardsticks: `[M]` which of them are plain counting; none where left out.
        chance: Score of choosing at random, drawn as a dashed line.
        chosen: The model to be marked with a ring, or None.
        unit: Label of the axis.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    plain = np.zeros(len(means), dtype=bool) if yardsticks is None else yardsticks
    order = np.argsort(means, kind="stable")
    for place, index in enumerate(order):
        hue = GREY if plain[index] else BLUE
        inside = "white" if plain[index] else hue
        look = {"fmt": "o", "ms": 5.5, "mfc": inside, "mec": hue, "ecolor": hue, "mew": 1.2}
        ax.errorbar(means[index], place, xerr=errors[index], capsize=2.5, lw=1.2, **look)
        if index == chosen:
            ax.plot(means[index], place, "o", ms=11, mfc="none", mec=VERMILION, mew=1.4)
    if chance is not None:
        ax.axvline(chance, color=GREY, ls="--", lw=1.0, zorder=0)
        at = {"transform": ax.get_xaxis_transform(), "va": "bottom"}
        ax.text(chance, 1.0, " chance", color=GREY, fontsize=7, **at)
    _name_rows(ax, [labels[int(i)] for i in order], unit)
    return ax


@styled
def intervals(
    labels: Sequence[str],
    low: Num[np.ndarray, " M"],
    middle: Num[np.ndarray, " M"],
    high: Num[np.ndarray, " M"],
    *,
    unit: str = "reward (units of the policy's temperature)",
    ax: Axes | None = None,
) -> Axes:
    """A dot and its interval per quantity, first on top; filled where zero is left out."""
    ax = own_axes(ax)
    count = len(labels)
    for index in range(count):
        place = count - 1 - index
        clear = low[index] > 0 or high[index] < 0
        ax.plot([low[index], high[index]], [place, place], color=BLUE, lw=1.6)
        inside = BLUE if clear else "white"
        ax.plot(middle[index], place, "o", ms=5.5, mfc=inside, mec=BLUE, mew=1.2)
    ax.axvline(0.0, color=GREY, lw=1.0, ls="--", zorder=0)
    _name_rows(ax, list(labels)[::-1], unit)
    return ax


@styled
def animals(
    labels: Sequence[str],
    groups: Mapping[str, Float[np.ndarray, "n M"]],
    *,
    unit: str = "reward (units of the policy's temperature)",
    ax: Axes | None = None,
) -> Axes:
    """A small mark per animal, and the mean of each group with its 95 % t interval, first quantity
    on top.

    Args:
        labels: Names of the M quantities.
        groups: Name of each group -> `[n, M]` its animals; NaN where one has no such number.
        unit: Label of the axis.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    count = len(labels)
    for number, (name, values) in enumerate(groups.items()):
        hue, marker = SERIES[number % len(SERIES)], MARKERS[number % len(MARKERS)]
        for index in range(count):
            place = count - 1 - index + 0.3 * (0.5 - (number + 0.5) / len(groups)) * 2
            known = values[np.isfinite(values[:, index]), index]
            ax.plot(known, np.full(known.size, place), marker, ms=3.5, color=hue, alpha=0.45, mew=0)
            if known.size > 1:
                reach = stdtrit(known.size - 1, 0.975) * known.std(ddof=1) / np.sqrt(known.size)
                ends = known.mean() - reach, known.mean() + reach
                ax.plot(ends, [place, place], color=hue, lw=1.6)
            if known.size:
                ax.plot(known.mean(), place, marker, ms=6.5, mfc="white", mec=hue, mew=1.4)
        ax.plot([], [], marker, color=hue, label=name)
    ax.axvline(0.0, color=GREY, lw=1.0, ls="--", zorder=0)
    _name_rows(ax, list(labels)[::-1], unit, highest=0.3 * (1 - 1 / len(groups)))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(len(groups), 4))
    return ax


def _name_rows(ax: Axes, names: Sequence[str], unit: str, highest: float = 0.0) -> None:
    """One line of the axis per name, the first at the bottom, and a scale below; in a narrow figure
    long names stand above what they name, whose marks reach `highest` above the line, where they
    take no room from it.
    """
    narrow = ax.figure.get_figwidth() < _NARROW and max(map(len, names), default=0) > _LONG  # pyright: ignore[reportAttributeAccessIssue]
    ax.set_yticks(range(len(names)), labels=[""] * len(names) if narrow else names)
    # Above the marks, whose size is in points too, and behind them; in front of lines of the scale.
    over: Any = {"fontsize": 7.5, "bbox": {"pad": 0.5, "facecolor": "white", "edgecolor": "none"}}
    over |= {"xytext": (0, 5.5), "textcoords": "offset points", "zorder": 1.5}
    for place, name in enumerate(names if narrow else ()):
        ax.annotate(name, (0, place + highest), xycoords=ax.get_yaxis_transform(), **over)
    unit = unit.replace(" (", "\n(") if narrow else unit
    ax.set_ylim(-0.6, len(names) - (0.2 if narrow else 0.4) + highest / 2)
    ax.grid(axis="x", color="#DDDDDD", lw=0.6)
    ax.tick_params(axis="y", length=0)
    ax.xaxis.set_major_locator(MaxNLocator(5 if narrow else 6))
    ax.set_xlabel(unit)


@styled
def learning_curve(
    steps: Num[np.ndarray, " P"],
    curves: Float[np.ndarray, "R P"],
    *,
    target: float | None = None,
    target_name: str = "exact",
    name: str = "mean of the runs",
    steps_name: str = "steps",
    unit: str = "",
    ax: Axes | None = None,
) -> Axes:
    """R runs as thin lines, their mean as a thick one, and the value they should reach."""
    ax = own_axes(ax)
    for curve in curves:
        ax.plot(steps, curve, color=BLUE, lw=0.6, alpha=0.35)
    ax.plot(steps, curves.mean(0), color=BLUE, lw=1.8, label=name)
    if target is not None:
        ax.axhline(target, color=VERMILION, lw=1.2, ls="--", label=target_name)
    ax.grid(color="#E6E6E6", lw=0.6)
    ax.set_xlabel(steps_name)
    ax.set_ylabel(unit)
    ax.legend(loc="best")
    return ax


@styled
def curves(
    x: Num[np.ndarray, " P"],
    means: Float[np.ndarray, "M P"],
    errors: Float[np.ndarray, "M P"],
    labels: Sequence[str],
    *,
    published: Mapping[str, Mapping[int, float]] | None = None,
    x_name: str = "",
    unit: str = "",
    logarithmic: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """One curve per model with bars of one standard error, over a logarithmic axis.

    Args:
        x: `[P]` above 0.
        means: `[M, P]`; NaN leaves a gap.
        errors: `[M, P]`.
        labels: Names of the M models.
        published: Values of others by model and x: hollow and dashed, in the model's colour.
        x_name: Label of the x axis.
        unit: Label of the y axis.
        logarithmic: Whether the y axis is, too.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    for index, label in enumerate(labels):
        hue, marker = SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)]
        look = {"color": hue, "marker": marker, "ms": 4, "lw": 1.3}
        ax.errorbar(x, means[index], yerr=errors[index], capsize=2, label=label, **look)
        others = (published or {}).get(label, {})
        if others:
            look |= {"mfc": "white", "ls": "--", "lw": 0.9, "ms": 5}
            ax.plot(
                list(others), list(others.values()), zorder=4, label=f"{label} (published)", **look
            )
    ax.set_xscale("log", base=2)
    ax.set_xticks(x, labels=[f"{value:g}" for value in x])
    ax.minorticks_off()
    if logarithmic:
        ax.set_yscale("log")
    ax.grid(color="#E6E6E6", lw=0.6)
    ax.set_xlabel(x_name)
    ax.set_ylabel(unit)
    return ax


@styled
def reward_scatter(
    first: Num[np.ndarray, " M"],
    second: Num[np.ndarray, " M"],
    *,
    names: tuple[str, str] = ("first reward", "second reward"),
    ax: Axes | None = None,
) -> Axes:
    """One reward against another on equal axes, with the line of equality."""
    ax = own_axes(ax)
    both = np.concatenate([first, second])
    low, high = float(both.min()), float(both.max())
    margin = 0.05 * (high - low or 1.0)
    limits = (low - margin, high + margin)
    ax.plot(limits, limits, color=GREY, lw=0.9, ls="--", zorder=0)
    ax.scatter(first, second, s=10, color=BLUE, alpha=0.6, lw=0)
    ax.set_xlim(limits)
    ax.set_ylim(limits)
    ax.set_aspect("equal")
    ax.set_xlabel(names[0])
    ax.set_ylabel(names[1])
    return ax
