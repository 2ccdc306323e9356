import json

import numpy as np
import pytest

from inverseq import InputError
from inverseq.app.games import End
from inverseq.app.play.log import GameLog
from inverseq.app.play.match import Level
from inverseq.app.play.session import Offer, Session
from inverseq.readers import read_games
from inverseq.worlds.game_rules import GridWorldRules, grid_simulator

UP, RIGHT, DOWN, LEFT = range(4)


class Stubborn:
    """Goes one way, and remembers what it was shown."""

    def __init__(self, action):
        self.action, self.shown = action, []

    def get_action(self, observation):
        self.shown.append(observation)
        return self.action


def level(name, **settings):
    return Level(name, json.dumps(settings), grid_simulator(GridWorldRules(**settings)))


# A corridor from left to right, and the same with a detour: compiled once for all tests.
LEVELS = {
    "corridor": level("corridor", width=4, height=1, num_walls=0, start=(0, 0), max_moves=5),
    "detour": level("detour", width=3, height=2, walls=((1, 0),), start=(0, 0), win=(2, 0)),
}


@pytest.fixture
def played(path):
    """A visit, with the file that it writes to."""
    log = GameLog(path)
    companions = {"rightwards": lambda _: Stubborn(RIGHT), "upwards": lambda _: Stubborn(UP)}
    yield Session(Offer(LEVELS, companions, "corridor", "none", log), seed=0), path
    log.close()


def press(session, *actions):
    view = session.view()
    for action in actions:
        view = session.handle({"type": "move", "action": action, "board": view["board"]})
    return view


def test_the_shortest_path_wins_and_is_recorded(played):
    session, path = played
    view = session.view()
    assert (view["best"], view["person"]["tiles"]) == (3, [[2, 0, 0, 3]])
    view = press(session, RIGHT, RIGHT, RIGHT)
    person = view["person"]
    assert (person["moves"], person["score"], person["ended"]) == (3, 8.0, "won")
    assert (view["games"], view["ratio"], view["recorded"]) == (1, 1.0, 1)
    demos = read_games(path)
    assert demos.actions.tolist() == [RIGHT] * 3
    np.testing.assert_array_equal(demos.states[:, 0, :], [[2, 0, 0, 3], [0, 2, 0, 3], [0, 0, 2, 3]])
    np.testing.assert_array_equal(demos.next_states[-1], [[0, 0, 0, 2]])
    assert demos.terminated.tolist() == [False, False, True]
    assert (np.diff(demos.time) >= 0).all()
    assert json.loads(demos.trajectories["rules"][0])["width"] == 4


def test_a_blocked_move_counts_and_the_limit_ends_the_game(played):
    session, path = played
    view = press(session, LEFT, UP, DOWN, LEFT, RIGHT)
    assert view["person"]["tiles"] == [[0, 2, 0, 3]]
    assert (view["person"]["moves"], view["person"]["ended"]) == (5, "limit")
    assert view["ratio"] == pytest.approx(5 / 3)
    demos = read_games(path)
    assert demos.endings.tolist() == [0, 0, 0, 0, 2]
    assert demos.trajectories["ended"].tolist() == ["limit"]


def test_the_fewest_moves_lead_around_walls(played):
    session, _ = played
    session.handle({"type": "difficulty", "value": "detour"})
    view = press(session, DOWN, RIGHT, RIGHT, UP)
    assert (view["best"], view["ratio"], view["person"]["ended"]) == (4, 1.0, "won")


def test_moves_after_the_end_or_for_an_earlier_board_do_nothing(played):
    session, path = played
    first = session.view()["board"]
    over = press(session, RIGHT, RIGHT, RIGHT)
    assert press(session, LEFT) == over
    session.handle({"type": "next"})
    late = session.handle({"type": "move", "action": RIGHT, "board": first})
    assert (late["board"], late["person"]["moves"]) == (first + 1, 0)
    assert read_games(path).num_trajectories == 1


def test_the_next_board_comes_after_the_end_only(played):
    session, _ = played
    before = press(session, RIGHT)
    assert session.handle({"type": "next"}) == before


def test_a_game_that_is_left_is_recorded_as_abandoned_once(played):
    session, _ = played
    press(session, RIGHT)
    view = session.handle({"type": "difficulty", "value": "detour"})
    assert "recorded as abandoned" in view["notice"]
    assert (view["difficulty"], view["best"], view["games"]) == ("detour", 4, 0)
    assert session.handle({"type": "difficulty", "value": "detour"})["notice"] == ""
    session.leave()  # nothing was played on this board
    press(session, DOWN)
    session.leave()
    session.leave()
    assert session.view()["recorded"] == 2


def test_the_companion_moves_when_the_person_does_and_then_alone(played):
    session, _ = played
    view = session.handle({"type": "companion", "value": "upwards"})
    assert view["companion"]["tiles"] == view["person"]["tiles"]
    view = session.handle({"type": "follow"})
    assert view["companion"]["moves"] == 0  # the person is not done
    view = press(session, RIGHT, RIGHT, RIGHT)
    assert (view["companion"]["moves"], view["companion"]["tiles"]) == (3, [[2, 0, 0, 3]])
    for _ in range(4):
        view = session.handle({"type": "follow"})
    assert (view["companion"]["moves"], view["companion"]["ended"]) == (5, "limit")
    assert (view["person"]["moves"], view["recorded"]) == (3, 1)


def test_a_companion_sees_tiles_and_can_be_changed(played):
    session, _ = played
    session.handle({"type": "companion", "value": "rightwards"})
    view = press(session, LEFT, LEFT)
    assert view["companion"]["tiles"] == [[0, 0, 2, 3]]
    (shown, _) = session._agent.shown
    assert (shown.dtype, shown.tolist()) == (np.float32, [[2, 0, 0, 3]])
    view = session.handle({"type": "companion", "value": "upwards"})
    assert (view["companion"]["moves"], view["person"]["moves"]) == (0, 2)
    assert session.handle({"type": "companion", "value": "none"})["companion"] is None


def test_a_name_is_written_with_the_game(played):
    session, path = played
    session.handle({"type": "name", "value": "  Ann\n\x00 B. "})
    press(session, RIGHT, RIGHT, RIGHT)
    session.handle({"type": "next"})
    session.handle({"type": "name", "value": "   "})
    press(session, RIGHT, RIGHT, RIGHT)
    assert read_games(path).trajectories["subject"].tolist() == ["Ann B.", "anonymous"]


def test_a_game_that_cannot_be_saved_is_said_and_saved_later(played):
    session, path = played
    path.unlink()
    path.mkdir()
    view = press(session, RIGHT, RIGHT, RIGHT)
    assert view["notice"].startswith("Not saved yet: ")
    path.rmdir()
    session.handle({"type": "next"})
    view = press(session, RIGHT, RIGHT, RIGHT)
    assert view["notice"] == ""
    assert read_games(path).num_trajectories == 2


@pytest.mark.parametrize(
    "message",
    [
        None,
        [],
        {},
        {"type": "undo"},
        {"type": "move", "action": 4},
        {"type": "move", "action": "up"},
        {"type": "difficulty", "value": ["corridor"]},
        {"type": "companion", "value": "nobody knows"},
        {"type": "name", "value": 3},
    ],
)
def test_other_messages_are_refused(played, message):
    with pytest.raises(InputError, match="reload"):
        played[0].handle(message)


def test_boards_follow_from_the_seed(path):
    log = GameLog(path)
    rules = GridWorldRules(win="random")
    offer = Offer({"r": Level("r", "{}", grid_simulator(rules))}, {}, "r", "none", log)
    boards = [Session(offer, seed).view()["person"]["tiles"] for seed in (1, 1, 2)]
    log.close()
    assert boards[0] == boards[1] != boards[2]


def test_how_a_game_ends_is_said_in_words_that_json_knows(played):
    session, _ = played
    assert json.loads(json.dumps(press(session, RIGHT, RIGHT, RIGHT)))["person"]["ended"] == End.WON
