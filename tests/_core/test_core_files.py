"""Files are whole or not there."""

import csv
import errno
import io
import json
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from inverseq._core.errors import InputError
from inverseq._core.files import (
    replace_when_whole,
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


KILLED = """
    import os, signal, sys
    from inverseq._core.files import replace_when_whole
    with replace_when_whole(sys.argv[1]) as temporary:
        temporary.write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_writer_left_is_swept_by_the_next(tmp_path):
    target = write_text(tmp_path / "x.html", "old")
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(target)], check=False)
    assert done.returncode == -9
    assert len([*tmp_path.iterdir()]) == 2
    with replace_when_whole(target) as held:
        held.write_text("new")
        write_text(target, "by somebody else meanwhile")  # sweeps, but not what is being written
        assert held.exists()
    assert target.read_text() == "new"
    assert [*tmp_path.iterdir()] == [target]


def test_a_full_disk_is_said_and_leaves_the_old_file(tmp_path):
    target = write_text(tmp_path / "x.html", "old")

    def fill() -> None:
        with replace_when_whole(target) as temporary:
            temporary.write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InputError, match=r"x\.html: No space left.*as it was"):
        fill()
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


@pytest.fixture
def nobody():
    """Root may write everywhere, so it is nobody in particular while the test runs."""
    if rooted := os.geteuid() == 0:
        os.seteuid(65534)
    yield
    if rooted:
        os.seteuid(0)


def test_a_folder_without_permission_is_an_input_error(nobody):
    with pytest.raises(InputError, match="cannot write"):
        write_text(Path(os.sep) / "x.txt", "x")


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


def test_no_spreadsheet_takes_a_name_for_a_formula():
    names = ("=1+1", "+cmd|' /C calc'!A0", "-left", "@SUM(A1)", "\tx", "-1.5", "plain", "1=2")
    table = to_csv(["=head()", "n"], [(name, -2.5) for name in names])
    head, *rows = csv.reader(io.StringIO(table))
    assert head == ["'=head()", "n"]
    found = [name for name, _ in rows]
    assert found == [f"'{name}" for name in names[:5]] + [*names[5:]]
    assert {number for _, number in rows} == {"-2.5"}
