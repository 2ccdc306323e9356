"""Spikes beside decisions: counts by hand, and nothing of what comes after."""

from dataclasses import replace

import numpy as np
import pytest

from inverseq import Demonstrations, InputError, Recording, Signal
from inverseq.neural.activity import Window, activity_at, activity_of

RECORDING = Recording.from_spikes(
    [[0.05, 0.15, 0.95, 1.0], [0.5]],
    signals={"pupil": Signal(np.arange(0, 2, 0.1), np.arange(20.0)[:, None])},
)


def test_counts_and_means_by_hand():
    made = activity_at(RECORDING, np.array([0.2, 1.0]), Window(-0.2, 0.0, 2))
    assert made.names == ("unit 0", "unit 1", "pupil")
    assert made.units.tolist() == [0, 1, -1]
    assert made.values[0, :2].tolist() == [[1, 1], [0, 0]]
    assert made.values[1, :2].tolist() == [[0, 1], [0, 0]]  # the spike at 1.0 is not before 1.0
    np.testing.assert_allclose(made.values[0, 2], [0.0, 1.0])
    assert activity_at(RECORDING, np.array([0.2]), signals=()).values.shape == (1, 2, 1)


def test_nothing_after_a_decision_enters_it():
    rng = np.random.default_rng(0)
    spikes = np.sort(rng.uniform(0, 10, 400))
    signal = Signal(np.arange(0, 10, 0.01), rng.normal(size=(1000, 2)))
    whole = Recording.from_spikes([spikes], signals={"x": signal})
    now = 5.0
    before = signal.times < now
    cut = Recording.from_spikes(
        [spikes[spikes < now]],
        signals={"x": replace(signal, times=signal.times[before], values=signal.values[before])},
    )
    for window in (Window(), Window(-1.0, 0.0, 4), Window(-0.5, -0.1)):
        full, early = (activity_at(r, np.array([now]), window).values for r in (whole, cut))
        np.testing.assert_array_equal(full, early)
    later = Window(-0.1, 0.2, causal=False)
    counts = [activity_at(r, np.array([now]), later, ()).values for r in (whole, cut)]
    assert counts[0] > counts[1]


def demos(time):
    zeros = np.zeros(len(time), dtype=np.int64)
    return Demonstrations.from_arrays(zeros, zeros, time=np.array(time))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Window(0.0, 0.3), "sees what the decision led to"),
        (lambda: Window(0.0, -0.3), "start before its stop"),
        (lambda: Window(pieces=0), "1 or more pieces"),
        (lambda: activity_at(RECORDING, np.array([np.nan])), "not finite"),
        (lambda: activity_at(RECORDING, np.array([1.0]), signals=("lick",)), "no signal 'lick'"),
        (lambda: activity_at(RECORDING, np.array([1.0, 5.0])), "moment 2; 1 such"),
        (lambda: activity_of(RECORDING, demos([1e6, 2e6])), "not on one clock"),
        (
            lambda: activity_of(RECORDING, replace(demos([1.0]), time=None)),
            "decisions have no times",
        ),
    ],
)
def test_what_cannot_be_aligned_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
