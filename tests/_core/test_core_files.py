"""Files are whole or not there."""

import csv
import io
import json
import os
import stat

import numpy as np
import pytest

from inverseq._core.errors import InputError
from inverseq._core.files import (
    replace_when_whole,
    require_writable,
    to_csv,
    to_json,
    write_text,
)


def test_text_is_written_into_new_folders(tmp_path):
    target = tmp_path / "a" / "b" / "report.txt"
    assert write_text(target, "größer\n") == target
    assert target.read_text(encoding="utf-8") == "größer\n"


def test_a_failure_leaves_the_old_file_and_no_rest(tmp_path):
    target = write_text(tmp_path / "x.html", "old")

    def spoil() -> None:
        with replace_when_whole(target) as temporary:
            assert temporary.suffix == ".html"
            assert temporary.parent == tmp_path
            temporary.write_text("half")
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        spoil()
    assert target.read_text() == "old"
    assert [*tmp_path.iterdir()] == [target]


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(InputError, match="is a folder; give the name of a file in it"):
        write_text(tmp_path, "x")
    assert [*tmp_path.iterdir()] == []


def test_the_file_has_the_rights_that_any_new_file_has(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("x")
    ours = write_text(tmp_path / "ours", "x")
    assert stat.S_IMODE(ours.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


@pytest.mark.parametrize("inside", ["file/x.txt", "file/deep/x.txt"])
def test_a_folder_that_cannot_be_made_is_an_input_error(tmp_path, inside):
    (tmp_path / "file").write_text("I am no folder")
    with pytest.raises(InputError, match="Choose a folder you may write to"):
        write_text(tmp_path / inside, "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_an_input_error(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="cannot write"):
        write_text(tmp_path / "x.txt", "x")


def test_csv_keeps_every_digit_and_every_letter():
    table = [('say "two", steps', np.float64(-0.123456789012345)), ["none", None]]
    rows = list(csv.reader(io.StringIO(to_csv(["Model", "nats"], table))))
    assert rows == [
        ["Model", "nats"],
        ['say "two", steps', "-0.123456789012345"],
        ["none", ""],
    ]


def test_json_has_no_nan_and_knows_numpy():
    value = {"a": np.array([1.0, np.nan]), 2: (np.int64(3), None, True), "b": {"c": np.float32(1)}}
    assert json.loads(to_json(value)) == {"a": [1.0, None], "2": [3, None, True], "b": {"c": 1.0}}


@pytest.mark.parametrize("place", ["file/out", "file"])
def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path, place):
    (tmp_path / "file").write_text("I am no folder")
    with pytest.raises(InputError, match="cannot write to"):
        require_writable(tmp_path / place)


def test_a_folder_is_made_and_left_empty(tmp_path):
    folder = require_writable(tmp_path / "a" / "b")
    assert folder.is_dir()
    assert list(folder.iterdir()) == []
