"""A file means the same wherever it lies, and what is no file is said."""

import os

import pandas
import pytest

from inverseq._core.errors import InputError
from inverseq.readers import read_table

ROWS = {"state": [0, 1, 0, 1], "action": [0, 1, 1, 0], "subject": ["a", "a", "b", "b"]}


def written(folder, kind, columns=("state", "action", "subject")):
    folder.mkdir(parents=True)
    table = pandas.DataFrame(ROWS)[[*columns]]
    path = folder / f"t.{kind}"
    table.to_parquet(path) if kind == "parquet" else table.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_a_folder_never_overrides_a_column(tmp_path, kind):
    plain = read_table(written(tmp_path / "plain", kind))
    inside = read_table(written(tmp_path / "state=9" / "subject=Zoe" / "extra=1", kind))
    assert inside.states.tolist() == plain.states.tolist() == [0, 1, 0, 1]
    assert inside.trajectories.keys() == plain.trajectories.keys()
    assert inside.trajectories["subject"].tolist() == ["a", "b"]


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_folders_are_columns_when_asked_for(tmp_path, kind):
    path = written(tmp_path / "subject=Zo%C3%AB" / "day=007", kind, ("state", "action"))
    found = read_table(path, partitions=True)
    assert found.trajectories["subject"].tolist() == ["Zoë"]
    assert found.trajectories["day"].tolist() == ["007"]
    assert "subject" not in read_table(path).trajectories


def test_a_folder_and_a_column_of_one_name_are_not_mixed(tmp_path):
    path = written(tmp_path / "state=9", "parquet")
    with pytest.raises(InputError, match="has a column 'state', and so have the folders"):
        read_table(path, partitions=True)


def test_a_pipe_is_no_table(tmp_path):
    os.mkfifo(tmp_path / "t.csv")
    with pytest.raises(InputError, match="is a pipe or a device; save the table as a file"):
        read_table(tmp_path / "t.csv")


def test_times_of_nanoseconds_with_a_zone_are_read(tmp_path):
    times = pandas.date_range(
        "2026-01-01 00:00:00.000000001", periods=4, freq="7ms", tz="Asia/Tokyo"
    )
    frame = pandas.DataFrame({"state": [0, 1, 0, 1], "action": [0, 1, 1, 0], "time": times})
    path = tmp_path / "t.parquet"
    frame.to_parquet(path)
    for source in (frame, path):
        found = read_table(source)
        assert found.states.tolist() == [0, 1, 0, 1]
        assert found.time is not None
        assert (found.time[1:] > found.time[:-1]).all()


@pytest.mark.parametrize(
    "role", ["subject", "session", "trajectory", "time", "terminated", "world"]
)
def test_a_column_with_two_roles_is_one_sentence(role):
    table = {"state": [0, 1, 0], "action": [0, 1, 1], "t": [0, 1, 2]}
    with pytest.raises(InputError, match=f"'state' is given as state and as {role}"):
        read_table(table, state="state", **{role: "state"})
