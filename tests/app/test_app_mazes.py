"""A maze that was drawn, as boards of the game: what is fixed, what is drawn, what is refused."""

import json

import jax
import numpy as np
import pytest

from inverseq import InputError
from inverseq.app.games import End
from inverseq.app.play.log import GameLog
from inverseq.app.play.opening import as_json, mazes_as_rules, open_game
from inverseq.cli import main
from inverseq.readers import read_table

ROWS = ["S.#", "..G"]


@pytest.fixture
def drawn(tmp_path):
    """What writes mazes to a file, and gives its path."""

    def draw(**mazes):
        path = tmp_path / "mazes.json"
        path.write_text(json.dumps(mazes))
        return path

    return draw


def test_walls_start_and_goal_are_those_of_the_maze(drawn):
    rules = mazes_as_rules(drawn(one=ROWS, two=["G..", "#.."]))
    one, two = rules["one"], rules["two"]
    assert (one.width, one.height, one.walls, one.start, one.win) == (
        3,
        2,
        ((2, 0),),
        (0, 0),
        (2, 1),
    )
    assert (two.start, two.win, two.walls) == (None, (0, 0), ((0, 1),))
    tiles = np.asarray(one.observe(one.reset(jax.random.key(0)))).astype(int)
    assert tiles.tolist() == [[2, 0, 1], [0, 0, 3]]
    assert mazes_as_rules(drawn(large=["S" + "." * 149 + "G"]))["large"].max_moves == 151


@pytest.mark.parametrize(
    ("mazes", "words"),
    [
        ({"a": ["S.."]}, "1 starts and 0 goals"),
        ({"a": ["S.S.G"]}, "2 starts and 1 goals"),
        ({"a": ["SG"], "b": ["S.G"]}, r"several sizes \(2 x 1, 3 x 1\)"),
    ],
)
def test_a_maze_that_cannot_be_played_is_refused(drawn, mazes, words):
    with pytest.raises(InputError, match=words):
        mazes_as_rules(drawn(**mazes))


def test_games_in_it_become_a_table_of_its_cells(drawn, path, capsys):
    log = GameLog(path)
    session = open_game(log, mazes_as_rules(drawn(mine=ROWS)), "mine", None, 0)()
    for _ in range(3):
        for action in (2, 1, 1):  # down, right, right
            view = session.handle(
                {"type": "move", "action": action, "board": session.view()["board"]}
            )
        assert (view["person"]["ended"], view["best"], view["ratio"]) == (End.WON, 3, 1.0)
        session.handle({"type": "next"})
    log.close()
    assert (view["difficulties"], view["recorded"]) == (["mine"], 3)
    table = read_table(path)
    assert [table.state_names[s] for s in table.states] == ["0", "3", "4"] * 3
    assert table.terminated.tolist() == [False, False, True] * 3
    # The same maze goes on; painted otherwise it is another, whose cells mean something else.
    options = ["play", "--no-browser", "--out", str(path), "--maze"]
    log = GameLog(path)
    log.require_same(
        {name: as_json(rules) for name, rules in mazes_as_rules(drawn(mine=ROWS)).items()}
    )
    log.close()
    assert main([*options, str(drawn(mine=["S.G", "..."]))]) == 2
    assert "'mine' as it was before it was changed" in " ".join(capsys.readouterr().err.split())
