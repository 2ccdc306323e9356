"""Recordings: units by hand, files and back, and what is no recording."""

import numpy as np
import pytest

from inverseq import InputError, Recording, Signal, load, save


def made():
    return Recording.from_spikes(
        [[0.1, 0.5], [], [0.2]],
        units={"area": np.array(["M1", "M2", "M2"])},
        signals={"dopamine": Signal(np.array([0.0, 0.1]), np.array([[1.0], [np.nan]]), unit="z")},
        events={"cue": np.array([0.3])},
    )


def test_units_have_their_own_spikes():
    recording = made()
    assert [recording.unit(u).tolist() for u in range(3)] == [[0.1, 0.5], [], [0.2]]
    fewer = recording.take(recording.units["area"] == "M2")
    assert [fewer.unit(u).tolist() for u in range(2)] == [[], [0.2]]
    assert fewer.signals["dopamine"].values.shape == (2, 1)
    assert repr(recording) == ("<Recording: 3 units, 3 spikes, 1 signal, 1 event, source arrays>")


def test_a_file_holds_all_of_it(tmp_path):
    again = load(save(made(), tmp_path / "r.npz"), Recording)
    assert again.unit(0).tolist() == [0.1, 0.5]
    assert again.units["area"].tolist() == ["M1", "M2", "M2"]
    np.testing.assert_array_equal(again.signals["dopamine"].values, [[1.0], [np.nan]])
    assert again.events["cue"].tolist() == [0.3]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Recording.from_spikes([[0.1], [0.5, 0.2]]), "unit 1 are not in the order"),
        (lambda: Recording(np.zeros(2), np.array([0, 1])), "bounds must rise"),
        (
            lambda: Recording.from_spikes([[0.1]], units={"area": np.array(["a", "b"])}),
            "area must have",
        ),
        (lambda: Recording.from_spikes([[np.nan]]), "not finite"),
        (lambda: Recording.from_spikes([0.1]), r"per unit, \[\[0.1, 0.7\]\] for one unit"),
        (lambda: Recording(events={"cue": np.array([2.0, 1.0])}), "cue are not in the order"),
        (lambda: Recording(events={"cue": np.array([np.nan])}), r"cue\[0\] is nan"),
        (lambda: Signal(np.array([0.0, 0.0]), np.zeros((2, 1))), "sample 1 is not after"),
        (lambda: Signal(np.arange(2.0), np.zeros((2, 1)), ("a", "b")), "2 names for 1 channels"),
        (lambda: made().take([3]), "numbered 0 to 2"),
    ],
)
def test_what_is_no_recording_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()
