"""States that are features are examined without a world."""

import numpy as np

from diagnoses import found
from inverseq.demonstrations import Demonstrations
from inverseq.doctor import diagnose


def tracked(**fields) -> Demonstrations:
    """Features of four trajectories: x, an angle, one that never changes, one on a large scale."""
    rng = np.random.default_rng(0)
    turn = (np.cumsum(rng.uniform(20, 40, size=120)) + 180) % 360 - 180
    columns = rng.normal(size=120), turn, np.ones(120), rng.normal(0, 1e5, size=120)
    names = {"feature_names": ("x", "heading", "flat", "far"), "action_names": ("a", "b", "c")}
    given = {"trajectory": np.repeat(np.arange(4), 30), **names, **fields}
    actions = rng.integers(0, 2, size=120)
    actions[5] = -1
    return Demonstrations.from_arrays(np.stack(columns, axis=1), actions, **given)


def test_features_are_examined_without_a_world():
    diagnosis = diagnose(tracked())
    about = found(diagnosis)
    assert about["features that never change"].values["names"] == ("flat",)
    assert "heading" in about["a feature that is an angle"].text
    assert about["a feature that is an angle"].count > 5
    assert "far is 1.04e+05" in about["features of very different scales"].text
    assert (about["missing actions"].count, about["missing actions"].rows) == (1, (6,))
    assert about["actions never taken"].values["actions"] == ("c",)
    assert about["few trajectories"].count == 4
    assert "states never visited" not in about
    told = str(diagnosis)
    assert "4 features with 120 different observations, 2 of 3 actions taken" in " ".join(
        told.split()
    )


def test_features_of_single_decisions_are_examined():
    """Nobody saw where any of them led."""
    alone = Demonstrations.from_arrays(np.eye(3), [0, 1, 2], trajectory=[0, 1, 2])
    assert not alone.next_known.any()
    assert diagnose(alone).facts["observations"] == 3


def test_features_that_are_no_numbers_or_repeat_are_told():
    data = tracked()
    states = data.states.copy()
    states[7, 0] = np.nan
    spoilt = Demonstrations.from_arrays(states, data.actions)
    assert found(diagnose(spoilt))["features that are no numbers"].rows == (8,)
    assert found(diagnose(data, train=data.take([1])))["test repeats training"].count == 1
    boards = Demonstrations.from_arrays(np.zeros((3, 4, 4), dtype=np.uint8), [0, 1, 0])
    assert diagnose(boards).facts["observations"] == 1
