"""The lecture's study: its numbers, its files, and a folder it cannot write to."""

import csv

import numpy as np
import pytest

from inverseq import InputError
from inverseq.studies.lecture import lecture


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lecture")
    return lecture(folder, seed=3, runs=3, steps=200_000), folder


def test_the_published_values_and_the_changed_policy(done):
    result, _ = done
    wanted = [0.812, 0.868, 0.918, 1, 0.762, 0.660, -1, 0.705, 0.655, 0.611, 0.388]
    np.testing.assert_array_equal(result.values[0].round(3), wanted)
    assert result.changed == (5, 7, 8, 9, 10), "all but the way along the left and the top"


def test_q_learning_arrives(done):
    result, _ = done
    assert result.curves.shape == (3, 200, 11)
    assert result.steps[-1] == 200_000
    assert result.errors.max() < 0.06
    first = np.abs(result.curves[:, 0] - result.values[0]).max(1)
    assert (result.errors < first / 2).all()


def test_the_files_hold_the_numbers(done):
    result, folder = done
    assert sorted(p.name for p in folder.iterdir()) == [
        "policies.png",
        "q_learning.csv",
        "q_learning.png",
        "values.csv",
    ]
    assert set(result.files) == {str(p) for p in folder.iterdir()}
    with open(folder / "values.csv", newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 22
    np.testing.assert_allclose([float(r["value"]) for r in rows], result.values.ravel(), atol=1e-6)
    beside_the_bad_exit = [r["best_actions"] for r in rows if r["state"] == "5"]
    assert beside_the_bad_exit == ["up", "right"]
    with open(folder / "q_learning.csv", newline="", encoding="utf-8") as stream:
        learned = list(csv.DictReader(stream))
    assert len(learned) == 3 * 200
    assert float(learned[-1]["largest_error"]) == pytest.approx(result.errors[-1], abs=1e-6)
    assert (folder / "policies.png").read_bytes().startswith(b"\x89PNG")


def test_one_seed_one_result(done, tmp_path):
    result, _ = done
    again = lecture(tmp_path / "a", seed=3, runs=3, steps=200_000)
    np.testing.assert_array_equal(again.curves, result.curves)
    other = lecture(tmp_path / "b", seed=4, runs=1, steps=200_000)
    assert (other.curves[0] != result.curves[0]).any()


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    blocker = tmp_path / "out"
    blocker.write_text("here already")
    with pytest.raises(InputError, match="cannot write"):
        lecture(blocker, runs=1, steps=200_000)
    assert blocker.read_text() == "here already"
