import os
import resource
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inverseq._core.errors import InputError
from inverseq.evaluate.posterior_table import posterior_table, write_posterior
from inverseq.intentions.predict import posterior
from inverseq.readers import read_table
from wishes import fitted


def named():
    """A fit, and its data as a reader would give it: keys, names, rows in another order."""
    solution, data = fitted()
    actions = data.actions.copy()
    actions[5] = -1
    data = replace(
        data,
        actions=actions,
        action_names=("back", "forward", "stay"),
        trajectories={
            "subject": np.array([f"mouse {i // 3}" for i in range(12)]),
            "session": np.arange(12) % 3,
        },
        rows=np.argsort(np.argsort(data.step * 12 + data.trajectory_of)) + 1,
    )
    return solution, data


def test_each_row_holds_what_is_believed_there_in_the_order_of_the_source():
    solution, data = named()
    table = posterior_table(solution, data)
    order = np.argsort(data.rows)
    beliefs = posterior(solution, data)
    assert_array_equal(table["row"], np.arange(1, data.num_decisions + 1))
    assert_array_equal(table["subject"], data.trajectories["subject"][data.trajectory_of][order])
    assert_array_equal(table["time"], data.time[order])
    assert_array_equal(table["state"], data.states[order])
    assert_array_equal(table["path"], beliefs.path[order] + 1)
    assert_array_equal(table["intention"], beliefs.smoothed.argmax(axis=1)[order] + 1)
    for k in range(2):
        assert_array_equal(table[f"filtered_{k + 1}"], beliefs.filtered[order, k])
        assert_array_equal(table[f"smoothed_{k + 1}"], beliefs.smoothed[order, k])
    missing = data.rows[5] - 1
    assert table["action"][missing] == ""
    assert set(table["action"]) == {"", "back", "forward", "stay"}


@pytest.mark.parametrize("name", ["beliefs.csv", "it's beliefs.parquet"])
def test_a_file_of_it_reads_back_as_the_same_behaviour(tmp_path, name):
    solution, data = named()
    path = write_posterior(solution, data, tmp_path / "new" / name)
    back = read_table(path)
    assert_array_equal(back.states, data.states)
    names = np.array([*back.action_names, ""])
    assert_array_equal(names[back.actions], np.array([*data.action_names, ""])[data.actions])
    assert_array_equal(back.time, data.time)
    assert_array_equal(back.starts, data.starts)
    assert_array_equal(back.trajectories["subject"], data.trajectories["subject"])
    assert_array_equal(back.trajectories["session"].astype(int), data.trajectories["session"])
    beliefs = posterior(solution, data)
    for k in range(2):
        column = back.decisions[f"smoothed_{k + 1}"].astype(float)
        assert_allclose(column, beliefs.smoothed[:, k], rtol=1e-12)
    assert_array_equal(back.decisions["row"].astype(int), data.rows)
    assert os.listdir(tmp_path / "new") == [name]


def test_what_cannot_be_written_is_refused(tmp_path):
    solution, data = fitted()
    with pytest.raises(InputError, match=r"end in .parquet or .csv"):
        write_posterior(solution, data, tmp_path / "beliefs.xlsx")
    odd = replace(data, trajectories={"path": np.arange(12)})
    with pytest.raises(InputError, match="'path'"):
        posterior_table(solution, odd)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_said_and_leaves_the_old_table(tmp_path):
    solution, data = fitted()
    path = write_posterior(solution, data, tmp_path / "beliefs.parquet")
    old = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        with pytest.raises(InputError, match=r"beliefs\.parquet: File too large.*Make room"):
            write_posterior(solution, data, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == old
    assert os.listdir(tmp_path) == [path.name]
