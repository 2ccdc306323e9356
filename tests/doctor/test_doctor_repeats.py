"""Trajectories, windows and whole parts that occur twice."""

import numpy as np

from diagnoses import found
from inverseq.demonstrations import Demonstrations
from inverseq.doctor import Severity, diagnose
from inverseq.doctor.repeats import RUN


def long_play(seed: int, trajectories: int = 6, length: int = 2 * RUN) -> Demonstrations:
    """Long random trajectories that chance does not repeat."""
    rng = np.random.default_rng(seed)
    size = trajectories * length
    return Demonstrations.from_arrays(
        rng.integers(0, 5, size), rng.integers(0, 3, size), trajectory=np.arange(size) // length
    )


def test_test_trajectories_that_repeat_training_ones():
    train = long_play(0)
    fresh = long_play(1)
    assert "test repeats training" not in found(diagnose(fresh, train=train))
    copied = train.take([2, 4])
    finding = found(diagnose(copied, train=train))["test repeats training"]
    assert (finding.severity, finding.count) == (Severity.WARNING, 2)
    assert finding.rows == (4 * RUN + 1, 8 * RUN + 1)  # as the copied rows were numbered
    # Windows that overlap share a run without being equal.
    states, actions = train.states.copy(), train.actions.copy()
    half = RUN // 2
    window = Demonstrations.from_arrays(
        states[half : half + RUN + 20], actions[half : half + RUN + 20]
    )
    assert found(diagnose(window, train=train))["test repeats training"].count == 1
    short = Demonstrations.from_arrays(
        states[half : half + RUN - 1], actions[half : half + RUN - 1]
    )
    assert "test repeats training" not in found(diagnose(short, train=train))


def test_a_column_split_tells_the_parts_apart():
    demos = long_play(0).take([0, 1, 2, 0])
    parts = {"split": np.array(["train", "train", "test", "test"])}
    split = Demonstrations(
        demos.states,
        demos.actions,
        demos.next_states,
        demos.endings,
        demos.starts,
        trajectories=parts,
    )
    about = found(diagnose(split))
    assert about["test repeats training"].count == 1
    assert about["repeated trajectories"].count == 1
    assert about["repeated trajectories"].severity is Severity.WARNING
    assert "overlapping trajectories" not in about  # whole copies are told as such


def test_overlapping_windows_of_one_recording():
    demos = long_play(0, trajectories=1, length=3 * RUN)
    rows = np.concatenate([np.arange(0, 2 * RUN), np.arange(RUN - 10, 3 * RUN)])
    windows = Demonstrations.from_arrays(
        demos.states[rows],
        demos.actions[rows],
        trajectory=np.repeat([0, 1], [2 * RUN, 2 * RUN + 10]),
    )
    assert found(diagnose(windows))["overlapping trajectories"].count == 2
    assert "overlapping trajectories" not in found(diagnose(long_play(0)))


def test_short_repeats_are_habit_and_not_a_copy():
    demos = Demonstrations.from_arrays([0, 1] * 6, [0, 1] * 6, trajectory=np.arange(12) // 2)
    finding = found(diagnose(demos))["repeated trajectories"]
    assert (finding.severity, finding.count) == (Severity.NOTE, 5)


def test_equal_moves_in_different_worlds_are_no_repeats():
    demos = long_play(0, trajectories=1)
    twice = demos.take([0, 0])
    two = Demonstrations(
        twice.states,
        twice.actions,
        twice.next_states,
        twice.endings,
        twice.starts,
        trajectories={"world": np.array(["a", "b"])},
    )
    assert not {"repeated trajectories", "overlapping trajectories"} & found(diagnose(two)).keys()
