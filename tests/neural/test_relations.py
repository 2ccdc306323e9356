"""Relations of beliefs to a series, against what the books say of a correlation and a mean."""

import numpy as np
import pytest

from inverseq import Demonstrations
from inverseq.neural import relations


def two_trajectories(seed=0, length=60):
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1], length)
    actions = rng.integers(0, 3, 2 * length)
    made = Demonstrations.from_arrays(rng.integers(0, 3, 2 * length), actions, trajectory=labels)
    return made, rng


def test_a_correlation_is_the_one_of_the_books_within_trajectories():
    demos, rng = two_trajectories()
    beliefs, series = rng.random((120, 2)), rng.normal(size=120) + 5.0 * demos.trajectory_of
    for lag in (0, 3):
        weights = relations.correlating(beliefs, demos, (lag,))
        later = np.concatenate([np.arange(lag, 60), np.arange(60 + lag, 120)])
        centred = lambda v: np.concatenate([h - h.mean() for h in np.split(v, 2)])  # noqa: E731
        x, y = centred(beliefs[later - lag, 1]), series[later]
        assert weights[1] @ series == pytest.approx(x @ centred(y) / np.linalg.norm(x))


def test_series_around_changes_are_means_by_hand():
    demos, rng = two_trajectories(length=5)
    path = np.array([0, 0, 1, 1, 0, 1, 1, 1, 0, 0])
    series = rng.normal(size=10)
    weights = relations.following(path, 2, demos, (0, 2))
    left = series - np.repeat([series[:5].mean(), series[5:].mean()], 5)
    by_hand = [left[[4, 8]].mean(), 0.0, left[2], left[4]]  # the start of a trajectory is no change
    np.testing.assert_allclose(weights @ series, by_hand, atol=1e-12)


def test_what_is_beyond_syllables_has_no_mean_at_any_step():
    demos, rng = two_trajectories()
    rest = relations.beyond_syllables(demos, rng.normal(size=120))
    step = demos.states * 3 + demos.actions
    np.testing.assert_allclose(np.bincount(step, rest), 0.0, atol=1e-12)


def test_a_planted_relation_is_found_by_both_nulls_and_none_in_noise():
    labels, rng = np.repeat(np.arange(20), 50), np.random.default_rng(1)
    zeros = np.zeros(1000, dtype=np.int64)
    demos = Demonstrations.from_arrays(zeros, zeros, trajectory=labels)
    belief = np.repeat(rng.random(200), 5)
    weights = relations.correlating(np.stack([belief, 1 - belief], 1), demos, (0,))
    noise = rng.normal(size=1000)
    found = relations.weigh(weights, noise + 1.5 * belief, demos, 99, 0)
    nothing = relations.weigh(weights, noise, demos, 99, 0)
    for name in ("shift", "exchange"):
        assert (found.nulls[name].adjusted <= 0.02).all()
        assert (nothing.nulls[name].adjusted > 0.05).all()
    np.testing.assert_allclose(found.observed[0], -found.observed[1])
