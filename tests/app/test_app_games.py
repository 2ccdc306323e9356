import numpy as np
import pytest

import inverseq
from inverseq import InputError
from inverseq.app.games import End, tiles_as_text
from inverseq.app.play.log import GameLog
from inverseq.readers import read_games
from played_games import board, walk


def written(path, *games):
    log = GameLog(path)
    for game in games:
        log.append(game)
    log.close()
    return path


def test_games_come_back_as_they_were_played(path):
    games = (
        walk([0, 1, 2, 5], subject="Ann"),
        walk([3, 0, 0], End.ABANDONED, session="s2"),
        walk([4, 3], End.LIMIT),
    )
    demos = read_games(written(path, *games))
    turns = [turn for game in games for turn in game.turns]
    np.testing.assert_array_equal(demos.states, [turn.tiles for turn in turns])
    np.testing.assert_array_equal(demos.next_states, [turn.next_tiles for turn in turns])
    assert demos.actions.tolist() == [turn.action for turn in turns]
    assert demos.decisions["reward"].tolist() == [-1, -1, 10, -1, -1, -1]
    assert demos.starts.tolist() == [0, 3, 5, 6]
    assert demos.endings.tolist() == [0, 0, 1, 0, 2, 2]
    assert demos.time.tolist() == [0.5, 1.0, 1.5, 0.5, 1.0, 0.5]
    assert demos.trajectories["subject"].tolist() == ["Ann", "anonymous", "anonymous"]
    assert demos.trajectories["ended"].tolist() == ["won", "abandoned", "limit"]
    assert demos.trajectories["best_moves"].tolist() == [3, 3, 3]
    assert demos.trajectories["trajectory"].tolist() == [0, 1, 2]
    assert demos.action_names == ("up", "right", "down", "left")
    assert demos.select(ended="won").num_trajectories == 1


def test_the_file_is_a_table_like_any_other(path):
    written(path, walk([0, 1, 2, 5]), walk([3, 4], End.ABANDONED))
    table = inverseq.read_table(path)
    assert [table.state_names[s] if table.state_names else str(s) for s in table.states] == [
        "0",
        "1",
        "2",
        "3",
    ]
    assert [table.action_names[a] for a in table.actions] == ["right", "right", "down", "right"]
    assert table.num_trajectories == 2
    assert table.terminated.tolist() == [False, False, True, False]


def test_a_board_as_text():
    assert tiles_as_text(board(3, walls=(1, 2))) == "011/203"


def test_boards_of_two_sizes_are_refused(path):
    written(path, walk([0, 1]), walk([0, 1], width=6, height=1))
    with pytest.raises(InputError, match=r"boards of several sizes \(6 x 1, 3 x 2\)"):
        read_games(path)


def test_a_file_without_games_says_so(path):
    with pytest.raises(InputError, match="holds no games yet"):
        read_games(written(path))


def test_other_files_are_refused(tmp_path):
    import pandas as pd

    other = tmp_path / "other.parquet"
    pd.DataFrame({"state": [1], "action": ["up"]}).to_parquet(other)
    with pytest.raises(InputError, match="is not a file of recorded games: it lacks session"):
        read_games(other)
    with pytest.raises(InputError, match="does not exist"):
        read_games(tmp_path / "nothing.parquet")
