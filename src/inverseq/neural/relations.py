"""Relations of beliefs to a series in time, within trajectories, and what they are by chance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from inverseq.demonstrations import Demonstrations
from inverseq.neural.nulls import (
    NullComparison,
    circular_shift_null,
    compare_with_null,
    permutation_null,
)

NULLS: dict[str, Callable[..., np.ndarray]] = {
    "shift": circular_shift_null,
    "exchange": permutation_null,
}
"""Dopamine shifted within trajectories, and exchanged between them."""


@dataclass(frozen=True, eq=False)
class Relation:
    """C relations of intentions to dopamine, K of them or K times as many as there are steps.

    Attributes:
        weights: `[C, N]` what the series is multiplied with.
        observed: `[C]`.
        nulls: Name of a null -> the comparison with it.
    """

    weights: Float[np.ndarray, "C N"]
    observed: Float[np.ndarray, " C"]
    nulls: dict[str, NullComparison]


def beyond_syllables(
    demos: Demonstrations, series: Float[np.ndarray, " N"]
) -> Float[np.ndarray, " N"]:
    """What is left of a series when its mean over each step from one syllable to another is taken
    out: a relation to what is left is none to the syllables themselves.
    """
    step = demos.states * demos.num_actions + demos.actions
    count = np.maximum(np.bincount(step), 1)
    return series - (np.bincount(step, series) / count)[step]


def correlating(
    beliefs: Float[np.ndarray, "N K"], demos: Demonstrations, lags: Sequence[int]
) -> Float[np.ndarray, "C N"]:
    """`[K * lags, N]` weights whose product with a series is its correlation, within trajectories,
    with each belief `lag` steps before, up to the size of the series.
    """
    rows = []
    for k in range(beliefs.shape[1]):
        for lag in lags:
            row = np.zeros(demos.num_decisions)
            place = np.arange(demos.num_decisions) + lag
            inside = (demos.step + lag >= 0) & (place < demos.starts[demos.trajectory_of + 1])
            row[place[inside]] = beliefs[inside, k]
            row = _within(row, demos, _mask(place[inside], row.size))
            rows.append(row / np.linalg.norm(row))
    return np.array(rows)


def following(
    path: np.ndarray, k: int, demos: Demonstrations, around: Sequence[int]
) -> Float[np.ndarray, "C N"]:
    """`[K * steps, N]` weights whose product with a series is its mean at each step from a change
    into each intention, less its mean in those trajectories.
    """
    changes = np.flatnonzero((demos.step > 0) & (path != np.roll(path, 1)))
    rows = []
    for into in range(k):
        mine = changes[path[changes] == into]
        for step in around:
            place, trajectory = mine + step, demos.trajectory_of[mine]
            inside = (place >= demos.starts[trajectory]) & (place < demos.starts[trajectory + 1])
            row = np.zeros(demos.num_decisions)
            np.add.at(row, place[inside], 1.0)
            row -= _means(row, demos)
            rows.append(row / max(int(inside.sum()), 1))
    return np.array(rows)


def weigh(
    weights: Float[np.ndarray, "C N"],
    series: Float[np.ndarray, " N"],
    demos: Demonstrations,
    shuffles: int,
    seed: int,
) -> Relation:
    """Relations to a series beside both nulls, each corrected for all C of them.

    Correlations are divided by the size of the series about its means in trajectories; shuffling
    within or between trajectories leaves it as it is.
    """
    unit = np.linalg.norm(series - _means(series, demos))
    scale = 1.0 / unit if np.allclose(np.linalg.norm(weights, axis=1), 1.0) else 1.0
    statistic = lambda values: scale * (weights @ values)  # noqa: E731
    observed = statistic(series)
    nulls = {
        name: compare_with_null(
            observed, null(statistic, series, demos.starts, permutations=shuffles, seed=seed)
        )
        for name, null in NULLS.items()
    }
    return Relation(weights, observed, nulls)


def _mask(places: np.ndarray, size: int) -> np.ndarray:
    """`[N]` bool, where `places` are."""
    mask = np.zeros(size, dtype=bool)
    mask[places] = True
    return mask


def _within(row: np.ndarray, demos: Demonstrations, used: np.ndarray) -> np.ndarray:
    """A row less its mean, over what is used of each trajectory; 0 elsewhere."""
    of, size = demos.trajectory_of, demos.num_trajectories
    mean = np.bincount(of[used], row[used], size) / np.maximum(
        np.bincount(of[used], minlength=size), 1
    )
    return np.where(used, row - mean[of], 0.0)


def _means(series: np.ndarray, demos: Demonstrations) -> np.ndarray:
    """`[N]` mean of a series in the trajectory of each decision."""
    of = demos.trajectory_of
    return (np.bincount(of, series) / np.bincount(of))[of]
