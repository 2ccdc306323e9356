import numpy as np
import pytest

import inverseq as iq
from inverseq.app.games import End, Game, Turn
from inverseq.app.play.companions import companions
from inverseq.app.play.log import GameLog
from inverseq.inverse.deep.iq_learn import IQLearn
from inverseq.networks import FullyConnected
from inverseq.play.experts import expert_games
from inverseq.play.fitted import QAgent
from inverseq.readers import read_games
from inverseq.training.lessons import Lessons
from inverseq.worlds.game_rules import GridWorldRules

RULES = GridWorldRules(width=4, height=3, num_walls=1)


def recorded(path, demos):
    """The demonstrations as the page would have recorded them."""
    log = GameLog(path)
    for first, last in zip(demos.starts[:-1], demos.starts[1:], strict=True):
        rows = range(first, last)
        turns = tuple(
            Turn(
                demos.states[i].astype(np.int64),
                int(demos.actions[i]),
                10.0 if i == last - 1 else -1.0,
                demos.next_states[i].astype(np.int64),
                bool(i == last - 1),
                False,
                1.0,
            )
            for i in rows
        )
        log.append(Game("s", "Ann", "small", "{}", "now", End.WON, len(turns), turns))
    log.close()
    return path


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """What IQ-Learn makes of games that were recorded, with them; saved."""
    folder = tmp_path_factory.mktemp("fitted")
    played = expert_games(RULES, games=12, seed=0)
    games = read_games(recorded(folder / "games.parquet", played))
    np.testing.assert_array_equal(games.states, played.states)
    np.testing.assert_array_equal(games.next_states, played.next_states)
    np.testing.assert_array_equal(games.endings, played.endings)
    solver = IQLearn(
        seed=0,
        network=FullyConnected(hidden=(16,), tiles=4),
        lessons=Lessons(steps=300),
        discount=0.9,
    )
    solution = iq.fit(games, solver)
    return iq.save(solution, folder / "mine.npz"), games


def test_what_was_fitted_to_recorded_games_plays_beside(fitted):
    path, games = fitted
    made = companions(path, (3, 4))
    assert [*made] == ["expert", "random", "mine"]
    agent = made["mine"](0)
    assert isinstance(agent, QAgent)
    chosen = np.array([agent.get_action(board) for board in games.states.astype(np.float32)])
    # Not a coin of four sides any more.
    assert (chosen == games.actions).mean() > 0.5


def test_what_does_not_fit_the_boards_is_refused(fitted):
    path, _ = fitted
    with pytest.raises(iq.InputError, match="cannot play on boards of 10 x 10 tiles: the network"):
        companions(path, (10, 10))


def test_a_file_may_be_called_like_a_companion(fitted):
    path, _ = fitted
    other = path.with_stem("random")
    other.write_bytes(path.read_bytes())
    assert [*companions(other, (3, 4))] == ["expert", "random", "random (file)"]


def test_the_expert_and_chance_need_no_file():
    board = np.array([[2, 0, 0, 3]], np.float32)
    made = companions(None, (1, 4))
    assert [made["expert"](seed).get_action(board) for seed in (0, 1)] == [1, 1]
    drawn = made["random"](0)
    assert {drawn.get_action(board) for _ in range(50)} == {0, 1, 2, 3}
