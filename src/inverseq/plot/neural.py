"""Neurons and what they foretell: rasters, relations, embeddings, times of an act."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Num
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from inverseq.plot.style import BLUE, GREY, MARKERS, SERIES, VERMILION, own_axes, styled

_ROOM = 0.65
"""Inches of a column in which both numbers find room beside their circle."""


@styled
def raster(
    spikes: Sequence[Float[np.ndarray, " _"]],
    *,
    values: Float[np.ndarray, " N"] | None = None,
    times: Float[np.ndarray, " N"] | None = None,
    name: str = "value",
    events: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Spikes of each unit as a row of ticks, a fitted series above them, and events as lines.

    Args:
        spikes: Times of each unit, in seconds.
        values: `[N]` of the series; none where left out.
        times: `[N]` of its values.
        name: Of the series.
        events: Name -> time.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    ax.eventplot([np.asarray(s) for s in spikes], colors="black", linewidths=0.6, linelengths=0.8)
    top = len(spikes) - 0.5
    if values is not None and times is not None:
        spread = float(np.nanmax(values) - np.nanmin(values)) or 1.0
        height = max(len(spikes) * 0.25, 2.0)
        ax.step(
            times,
            top + 0.7 + height * (values - np.nanmin(values)) / spread,
            where="post",
            color=VERMILION,
            lw=1.4,
        )
        last = (float(times[-1]), top + 0.7)
        ax.text(*last, f" {name}", color=VERMILION, va="bottom", fontsize=7)
        top += 2.5 + height
    last, line = -np.inf, max(len(spikes) * 0.05, 1.0)
    near, height = 0.12 * (np.ptp(ax.get_xlim()) or 1.0), 0
    for moment, label in _at_once(events or {}):
        height = height + 1 if moment - last < near else 0
        last = moment
        ax.axvline(moment, color=BLUE, lw=1.0, ls="--", zorder=0)
        # A white ground, as the line of what follows soon after goes through the name.
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 0.4}
        ax.text(
            moment,
            top + height * line,
            f" {label}",
            color=BLUE,
            va="bottom",
            fontsize=7,
            bbox=ground,
        )
        ax.set_ylim(-1, max(ax.get_ylim()[1], top + (height + 1.2) * line))
    ax.set_ylim(-1, max(ax.get_ylim()[1], top + 1.5))
    ax.set_xlabel("time (s)")
    ax.set_ylabel("unit")
    ticks = MaxNLocator(nbins=6, integer=True).tick_values(0, len(spikes) - 1)
    ax.set_yticks([tick for tick in ticks if 0 <= tick < len(spikes)])
    return ax


def _at_once(events: Mapping[str, float]) -> list[tuple[float, str]]:
    """Moments in their order, with the names of what happened at each."""
    names: dict[float, list[str]] = {}
    for name, moment in events.items():
        names.setdefault(round(moment, 6), []).append(name)
    return [(moment, ", ".join(names[moment])) for moment in sorted(names)]


@styled
def relation_map(
    explained: Float[np.ndarray, "F G"],
    clear: Bool[np.ndarray, "F G"],
    regressors: Sequence[str],
    groups: Sequence[str],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Share of the units of each group that clearly follow each regressor, and how much is
    explained in these.

    Args:
        explained: `[F, G]` shares that regressors explain.
        clear: `[F, G]` whether that is more than chance.
        regressors: Names of the G.
        groups: Of each of the F units: its area, say.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    width = ax.figure.get_figwidth() * ax.get_position().width  # pyright: ignore[reportAttributeAccessIssue]
    narrow = width / len(regressors) < _ROOM
    for group in range(len(names)):
        mine = place == group
        for j in range(len(regressors)):
            share = float(clear[mine, j].mean())
            inside = explained[mine, j][clear[mine, j]]
            size = 18 + 260 * share
            ax.scatter(j, group, s=size, color=BLUE if share else "none", edgecolors=GREY, lw=0.6)
            if narrow:
                ax.text(j, group - 0.28, f"{share:.0%}", fontsize=6, va="top", ha="center")
                continue
            words = f"{share:.0%}" + (f", {inside.mean():.1%}" if inside.size else "")
            ax.text(j + 0.15, group, words, fontsize=6.5, va="center")
    ax.set_xticks(range(len(regressors)), labels=list(regressors), rotation=20, ha="right")
    counts = np.bincount(place)
    ax.set_yticks(
        range(len(names)),
        labels=[f"{name} ({number})" for name, number in zip(names, counts, strict=True)],
    )
    ax.set_xlim(-0.5, len(regressors) - 0.2)
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.grid(color="#EEEEEE", lw=0.6)
    return ax


@styled
def embedding(
    points: Float[np.ndarray, "T 2"],
    values: Num[np.ndarray, " T"],
    *,
    label: str = "release (s)",
    groups: Int[np.ndarray, " T"] | None = None,
    names: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """Trials as points, coloured by a number, with a marker per group.

    Args:
        points: `[T, 2]`.
        values: `[T]` that colours tell.
        label: What they are.
        groups: `[T]` from 0; one where left out.
        names: Of the groups.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    which = np.zeros(len(points), dtype=np.int64) if groups is None else groups
    limits: Any = {"vmin": float(np.nanmin(values)), "vmax": float(np.nanmax(values))}
    drawn = ax.scatter([], [], c=[], **limits)
    for group in np.unique(which):
        mine = which == group
        look: Any = {"marker": MARKERS[int(group) % len(MARKERS)], "s": 16, "lw": 0, "alpha": 0.85}
        name = names[int(group)] if names else None
        drawn = ax.scatter(*points[mine].T, c=values[mine], label=name, **limits, **look)
    ax.figure.colorbar(drawn, ax=ax, label=label)
    if names:
        ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.18), ncols=len(names))
    ax.set_xlabel("first direction")
    ax.set_ylabel("second direction")
    return ax


@styled
def act_times(
    chances: Mapping[str, Float[np.ndarray, " B"]],
    step: float,
    *,
    truth: Mapping[str, Float[np.ndarray, " B"]] | None = None,
    marks: Mapping[str, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """When one acts: a curve per name, solid as foretold, dashed in truth.

    Args:
        chances: Name -> `[B]` probability of each step.
        step: Seconds of a step.
        truth: The same, of what is known.
        marks: Name -> time of a line.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    for index, (name, curve) in enumerate(chances.items()):
        time, hue = np.arange(len(curve)) * step, SERIES[index % len(SERIES)]
        ax.plot(time, curve, color=hue, label=name)
        if truth and name in truth:
            ax.plot(time, truth[name], color=hue, ls="--", lw=1.0)
    for name, moment in (marks or {}).items():
        ax.axvline(moment, color=GREY, lw=0.8, ls=":")
        ax.text(moment, 1.0, f" {name}", transform=ax.get_xaxis_transform(), fontsize=7, color=GREY)
    ax.set_xlabel("time since the press (s)")
    ax.set_ylabel("probability of release")
    ax.legend(loc="best", title="dashed: truth" if truth else None)
    return ax


@styled
def by_fold(
    methods: Sequence[str],
    scores: Float[np.ndarray, "M folds"],
    *,
    unit: str = "share of trials",
    ahead: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """A row of dots, one per fold, and the mean of each method; that numbered `ahead` in colour."""
    ax = own_axes(ax)
    for row, values in enumerate(scores):
        place, hue = len(methods) - 1 - row, BLUE if row == ahead else GREY
        ax.plot(values, np.full(len(values), place), "o", ms=3, color=hue, alpha=0.45, mew=0)
        ax.plot(values.mean(), place, "|", ms=16, mew=2.2, color=hue)
    ax.set_yticks(range(len(methods)), labels=list(methods)[::-1])
    ax.set_xlabel(unit)
    ax.set_xlim(left=min(0.0, float(scores.min())))
    ax.grid(axis="x", color="#E6E6E6", lw=0.6)
    return ax


@styled
def told_over_time(
    times: Float[np.ndarray, " W"],
    shares: Float[np.ndarray, "W G"],
    names: Sequence[str],
    *,
    clear: Bool[np.ndarray, "W G"] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How much is told in each window, a line per series.

    Args:
        times: `[W]` middle of each window, in seconds from the decision.
        shares: `[W, G]` shares that are told; below 0 where nothing is.
        names: Of the G series.
        clear: `[W, G]` whether that is more than chance: these are filled.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    ax.axhline(0, color=GREY, lw=0.7)
    if times.min() <= 0 <= times.max():
        ax.axvline(0, color=GREY, lw=0.7, ls=":")
    sure = np.zeros(shares.shape, dtype=bool) if clear is None else clear
    for index, name in enumerate(names):
        hue, marker = SERIES[index % len(SERIES)], MARKERS[index % len(MARKERS)]
        ax.plot(times, shares[:, index], color=hue, marker=marker, ms=5, mfc="white", label=name)
        mine = sure[:, index]
        ax.plot(times[mine], shares[mine, index], marker, color=hue, ms=5)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    ax.set_xlabel("time from the decision (s)")
    ax.set_ylabel("share that is told")
    return ax
