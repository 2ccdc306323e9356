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
from played_games import board, walk

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


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A file of games, as one reads it for `inverseq fit`."""
    played = expert_games(RULES, games=40, seed=1)
    return recorded(tmp_path_factory.mktemp("table") / "games.parquet", played), played


SOLVERS = {
    "cells": (iq.IAVI(), 1, {}),
    "cells, with a memory": (iq.MaxEnt("state-actions", strength=1.0), 2, {}),
    "boards": (iq.IAVI(), 1, {"state": "tiles", "next_state": "next_tiles"}),
    "two intentions": (iq.Intentions(2, iq.IAVI(), restarts=1), 1, {}),
}


@pytest.mark.parametrize("what", SOLVERS)
def test_what_was_fitted_to_a_table_of_games_plays_the_moves_that_were_made(what, table, tmp_path):
    solver, history, columns = SOLVERS[what]
    path, played = table
    games = iq.read_table(path, **columns)
    mdp = iq.MDP.estimate(games, discount=0.9, smoothing=0.0).with_history(history)
    solution = iq.fit(games, solver, mdp=mdp)
    make = companions(iq.save(solution, tmp_path / "mine.npz"), (3, 4))["mine"]
    right = []
    for first, last in zip(played.starts[:-1], played.starts[1:], strict=True):
        agent = make(0)
        right += [agent.get_action(played.states[i].astype(np.float32)) for i in range(first, last)]
    assert (np.array(right) == played.actions).mean() > 0.6  # chance is a quarter


@pytest.mark.parametrize("columns", [{}, {"state": "tiles", "next_state": "next_tiles"}])
def test_games_that_leave_cells_out_play_beside(columns, tmp_path):
    log = GameLog(tmp_path / "games.parquet")
    log.append(walk([2, 1, 2, 5]))
    log.append(walk([1, 2, 5]))
    log.close()
    games = iq.read_table(tmp_path / "games.parquet", **columns)
    assert games.num_states == 3  # of six cells
    solution = iq.fit(games, iq.CountTable(1), mdp=iq.MDP.estimate(games, discount=0.9))
    make = companions(iq.save(solution, tmp_path / "mine.npz"), (2, 3))["mine"]
    assert [make(0).get_action(board(cell).astype(np.float32)) for cell in (1, 2)] == [1, 2]


def test_where_the_games_never_were_it_makes_some_move_of_theirs(table, tmp_path):
    games = iq.Demonstrations.from_arrays(
        [0, 1, 2, 0, 1, 2],
        [0, 0, 1, 0, 0, 1],
        trajectory=[0, 0, 0, 1, 1, 1],
        action_names=("right", "down"),
    )
    mdp = iq.MDP.estimate(games, discount=0.9, smoothing=0.0)
    path = iq.save(iq.fit(games, iq.IAVI(), mdp=mdp), tmp_path / "short.npz")
    board = np.zeros((3, 4), np.float32)
    board[1, 1], board[2, 3] = 2, 3
    agent = companions(path, (3, 4))["short"](0)
    assert {agent.get_action(board) for _ in range(40)} == {1, 2}


def test_actions_that_are_no_moves_are_refused(tmp_path):
    choices = iq.Demonstrations.from_arrays([0, 1, 0], [1, 0, 1], action_names=("press", "wait"))
    mdp = iq.MDP.estimate(choices, discount=0.9, smoothing=1.0)
    path = iq.save(iq.fit(choices, iq.IAVI(), mdp=mdp), tmp_path / "lever.npz")
    with pytest.raises(iq.InputError, match=r"its actions are \('press', 'wait'\), and moves are"):
        companions(path, (3, 4))
