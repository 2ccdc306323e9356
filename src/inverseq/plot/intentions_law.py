"""How intentions change: how long they last, and what follows what."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Num
from matplotlib.axes import Axes

from inverseq.plot.intentions import hatch, hue
from inverseq.plot.maps import hatched
from inverseq.plot.style import (
    colour_bar,
    colours,
    ink_on,
    own_axes,
    styled,
)

_MOST_BINS = 30


@styled
def dwell_histogram(
    lengths: Num[np.ndarray, " M"],
    law_mean: float,
    *,
    expected: Float[np.ndarray, " D"] | None = None,
    intention: int = 0,
    unit: str = "decisions in a row",
    ax: Axes | None = None,
) -> Axes:
    """How long an intention lasts, against the geometric law that a Markov chain obeys.

    Args:
        lengths: `[M]` decisions in a row, at least 1.
        law_mean: Mean length under the law, which expects length n with probability
            (1 - 1 / law_mean) ** (n - 1) / law_mean.
        expected: `[D]` share that lasts longer than 1, 2, ... D decisions in simulations that are
            read like the real decisions; none where left out.
        intention: Which, from 0; gives the colour.
        unit: Label of the lengths.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    longest = max(int(np.quantile(lengths, 0.99)), 2) if len(lengths) else 2
    width = -(-longest // _MOST_BINS)
    edges = np.arange(0, longest + width, width)
    middle = (edges[:-1] + edges[1:] + 1) / 2
    seen = np.histogram(lengths, edges + 0.5)[0] / max(len(lengths), 1)
    look = {"color": hue(intention), "hatch": hatch(intention), "edgecolor": "white", "lw": 0.0}
    ax.bar(middle, seen, width * 0.95, label="found", **look)
    stay = 1 - 1 / law_mean
    ax.plot(middle, -np.diff(stay**edges), color="black", lw=1.3, label="geometric law")
    if expected is not None:
        longer = np.append(1.0, expected)[np.minimum(edges, len(expected))]
        ax.plot(
            middle, -np.diff(longer), color="black", lw=1.2, ls=":", label="simulated, read alike"
        )
    ax.set_xlim(0.5, edges[-1] + 0.5)
    ax.set_ylim(0, None)
    ax.set_xlabel(unit)
    ax.set_ylabel("share of stays")
    ax.legend(loc="upper right", title=f"intention {intention + 1}")
    return ax


@styled
def transition_matrix(
    probabilities: Float[np.ndarray, "K K"],
    *,
    low: Float[np.ndarray, "K K"] | None = None,
    high: Float[np.ndarray, "K K"] | None = None,
    names: Sequence[str] = (),
    ax: Axes | None = None,
) -> Axes:
    """What follows what: rows are the intention before, columns the one after, with intervals.

    Args:
        probabilities: `[K, K]` rows sum to one; a row of NaN was never seen.
        low: `[K, K]` lower ends of the intervals, written below the numbers.
        high: `[K, K]` upper ends.
        names: Of the intentions; numbers from 1 where left out.
        ax: Where to draw; axes of its own where left out.
    """
    ax = own_axes(ax)
    count = len(probabilities)
    called = list(names) or [str(k + 1) for k in range(count)]
    shades = colours(np.array([0.0, 1.0]), "plain")
    ax.imshow(probabilities, cmap=shades.get_cmap(), vmin=0.0, vmax=1.0, aspect="auto")
    size = 8.5 if count < 5 else 6.5
    for i, j in np.ndindex(count, count):
        value = probabilities[i, j]
        if not np.isfinite(value):
            hatched(ax, np.array([[float(j), float(i)]]))
            continue
        ink = ink_on(shades.to_rgba(value))
        text = f"{value:.3f}"
        if low is not None and high is not None and np.isfinite(low[i, j]):
            text += f"\n{low[i, j]:.3f}–{high[i, j]:.3f}"
        ax.text(j, i, text, ha="center", va="center", color=ink, fontsize=size)
    ax.set_xticks(range(count), labels=called)
    ax.set_yticks(range(count), labels=called)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_xlabel("intention of the next decision")
    ax.set_ylabel("intention")
    colour_bar(ax, shades, "probability")
    return ax
