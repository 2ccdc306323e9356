"""Figures of the part "dopamine"."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from inverseq import plot
from inverseq.datasets.spontaneous import SYLLABLES
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.solution import IntentionSolution
from inverseq.neural.relations import Relation
from inverseq.plot.intentions import hue
from inverseq.plot.style import GREY, styled

LEVEL = 0.05


def draw_syllables(solution: IntentionSolution, demos: Demonstrations) -> Figure:
    """How much more often each syllable is chosen under each intention than usual."""
    usual = np.bincount(demos.actions, minlength=len(SYLLABLES)) / demos.num_decisions
    under = np.array(
        [
            np.bincount(demos.actions, mine, len(SYLLABLES)) / mine.sum()
            for mine in solution.smoothed.T
        ]
    )
    figure, (ax,) = plot.canvas(6.4, 0.9 + 0.45 * len(under))
    plot.state_action_map(
        np.log2(under / usual),
        [f"intention {k + 1}" for k in range(len(under))],
        SYLLABLES,
        ax=ax,
        label="log2 (share / usual)",
    )
    return figure


@styled
def draw_lags(
    lags: Relation, changes: Relation, k: int, steps: Sequence[int], around: Sequence[int]
) -> Figure:
    """Correlations by lag, and dopamine around changes of intention; filled where both nulls are
    rejected after correction, bands of 1.96 deviations of the shift null.
    """
    figure, axes = plot.canvas(7.2, 1.0 + 1.35 * k, columns=2, rows=k)
    for column, (found, x, title, name) in enumerate(
        (
            (lags, steps, "correlation of belief and dopamine", "dopamine later by (steps)"),
            (changes, around, "dopamine around changes into it", "steps from the change"),
        )
    ):
        values = found.observed.reshape(k, -1)
        made = found.nulls["shift"]
        centre, spread = made.mean.reshape(k, -1), 1.96 * made.deviation.reshape(k, -1)
        sure = np.all([n.adjusted <= LEVEL for n in found.nulls.values()], axis=0).reshape(k, -1)
        reach = 1.15 * max(np.abs(values).max(), (np.abs(centre) + spread).max())
        for row in range(k):
            ax, place = axes[2 * row + column], np.asarray(x)
            low, high = centre[row] - spread[row], centre[row] + spread[row]
            ax.fill_between(place, low, high, color=GREY, alpha=0.25, lw=0)
            ax.plot(place, values[row], color=hue(row), lw=1.2)
            ax.plot(place, values[row], "o", ms=3.5, mfc="white", color=hue(row))
            ax.plot(place[sure[row]], values[row][sure[row]], "o", ms=3.5, color=hue(row))
            ax.axvline(0.0, color=GREY, lw=0.7, ls=":")
            ax.set_ylim(-reach, reach)
            if row == 0:
                ax.set_title(title, fontsize=8.5)
            if row == k - 1:
                ax.set_xlabel(name)
            if column == 0:
                ax.set_ylabel(f"intention {row + 1}")
    return figure


@styled
def draw_session(
    solution: IntentionSolution, demos: Demonstrations, dopamine: Float[np.ndarray, " N"]
) -> Figure:
    """Beliefs in the trajectory that changes most often; its dopamine, mean of 9 steps."""
    changed = (demos.step > 0) & (solution.path != np.roll(solution.path, 1))
    one = int(np.bincount(demos.trajectory_of, changed).argmax())
    rows = slice(int(demos.starts[one]), int(demos.starts[one + 1]))
    figure, axes = plot.canvas(7.0, 3.6, rows=2)
    level = np.convolve(dopamine[rows], np.ones(9) / 9, "same")
    axes[0].plot(level, color="black", lw=0.9)
    axes[0].set_xlim(0, level.size - 1)
    axes[0].set_ylabel("dopamine (z)")
    plot.intention_bands(np.asarray(solution.smoothed[rows]), ax=axes[1], time_name="")
    return figure
