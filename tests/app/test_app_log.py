import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inverseq import InputError
from inverseq.app.games import End
from inverseq.app.play.log import GameLog
from inverseq.readers import read_games
from played_games import walk


@settings(max_examples=8)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_games_of_every_visit_are_there_in_order(tmp_path_factory, lengths):
    path = tmp_path_factory.mktemp("games") / "it's here.parquet"
    for count, moves in enumerate(lengths, 1):
        log = GameLog(path)
        assert log.recorded == count - 1
        log.append(walk([0, 1, 0, 1, 0, 1, 0][: moves + 1], End.ABANDONED))
        assert log.recorded == count
        log.close()
    assert np.diff(read_games(path).starts).tolist() == lengths
    assert {p.name for p in path.parent.iterdir()} == {path.name, f".{path.name}.lock"}


def test_two_programs_do_not_write_to_one_file(path):
    log = GameLog(path)
    with pytest.raises(InputError, match=r"another inverseq play is writing to .*--out"):
        GameLog(path)
    log.append(walk([0, 1]))
    log.close()
    again = GameLog(path)
    assert again.recorded == 1
    again.close()


def test_a_killed_program_loses_no_game_and_gives_the_file_up(path):
    code = """
        import sys, time
        sys.path.insert(0, {tests!r})
        from played_games import walk
        from inverseq.app.play.log import GameLog
        log = GameLog({path!r})
        print("open", flush=True)
        while True:
            log.append(walk([0, 1, 2, 5]))
            print(log.recorded, flush=True)
    """
    tests = os.path.dirname(os.path.dirname(__file__))
    program = textwrap.dedent(code).format(tests=tests, path=str(path))
    child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    with child:
        while child.stdout.readline().strip() != "3":
            pass
        with pytest.raises(InputError, match="another inverseq play"):
            GameLog(path)
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
    told = int(rest[-1]) if rest else 3
    log = GameLog(path)
    # A game may have got into the file without there having been time to say so.
    assert log.recorded in (told, told + 1)
    assert read_games(path).num_trajectories == log.recorded
    log.close()


def test_a_game_that_could_not_be_written_is_written_with_the_next(path):
    log = GameLog(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(InputError, match="is a folder"):
        log.append(walk([0, 1]))
    path.rmdir()
    log.append(walk([0, 1, 2, 5]))
    log.close()
    assert [int(n) for n in read_games(path).starts] == [0, 1, 4]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("games.csv", None, "ends in .parquet"),
        ("games.parquet", b"", "is empty"),
        ("games.parquet", b"not a table", "cannot be read as Parquet"),
        ("file/games.parquet", None, "cannot write"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_message(tmp_path, name, content, words):
    (tmp_path / "file").write_text("")
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        GameLog(tmp_path / name)
    if content is not None:
        assert (tmp_path / name).read_bytes() == content
