"""People in mazes by networks: boards by hand, turns, and predictions."""

import numpy as np
import pytest

from inverseq import InputError
from inverseq.datasets import people as people_in_mazes
from inverseq.demonstrations import Demonstrations
from inverseq.networks import Planner
from inverseq.studies import Effort
from inverseq.studies.gridworld_people import Settings
from inverseq.studies.gridworld_people.study import Reader, predicted, readers, run
from inverseq.studies.gridworld_people.tiles import STEPS, as_boards, turned_boards
from inverseq.training.lessons import Lessons
from inverseq.worlds import maze


def a_walk():
    """Right, up into the wall, right, down on a small maze, and its boards."""
    world = maze(("S..", ".#.", "..G"), name="m")
    cell = lambda x, y: int(world.state_at(x, y))  # noqa: E731
    here = [cell(0, 0), cell(1, 0), cell(1, 0), cell(2, 0), cell(2, 1)]
    then = [cell(1, 0), cell(1, 0), cell(2, 0), cell(2, 1), cell(2, 2)]
    walk = Demonstrations.from_arrays(
        np.array(here),
        np.array([1, 2, 1, 2, 2]),
        next_states=np.array(then),
        trajectory=np.zeros(5, dtype=int),
        terminated=np.arange(5) == 4,
        trajectories={"world": np.array(["m"])},
        action_names=("up", "right", "down", "left"),
    )
    return walk, {"m": world}


def test_boards_show_the_last_move():
    walk, worlds = a_walk()
    boards = as_boards(walk, worlds, past=True)
    assert boards.states.astype(int).tolist() == [
        [[2, 0, 0], [0, 1, 0], [0, 0, 3]],  # the first move has no past
        [[4, 2, 5], [0, 1, 0], [0, 0, 3]],  # came from the left
        [[0, 2, 0], [0, 6, 0], [0, 0, 3]],  # bumped into the wall below
        [[0, 4, 2], [0, 1, 0], [0, 0, 3]],  # going on would leave the board
        [[0, 0, 4], [0, 1, 2], [0, 0, 3]],  # the win stays a win, even ahead
    ]
    np.testing.assert_array_equal(boards.next_states[:-1], boards.states[1:])
    plain = as_boards(walk, worlds, past=False)
    assert set(np.unique(plain.states).astype(int)) == {0, 1, 2, 3}
    np.testing.assert_array_equal(plain.next_states[:-1], plain.states[1:])


def test_turned_boards_keep_what_moves_do():
    walk, worlds = a_walk()
    turned = turned_boards(as_boards(walk, worlds, past=False))
    assert turned.num_decisions == 8 * walk.num_decisions
    place = lambda boards: np.argwhere(boards == 2)[:, :0:-1]  # noqa: E731
    moved = np.tile(walk.states != walk.next_states, 8)
    change = place(turned.next_states) - place(turned.states)
    np.testing.assert_array_equal(change, STEPS[turned.actions] * moved[:, None])


def test_few_people_are_predicted():
    way = Reader("cloning, small", Planner(12, 7), True, True, False, Lessons(60, 32, 0.05))
    steps = []
    few = Settings(folds=2, subjects=3)
    made = predicted((way,), few, Effort(progress=lambda *step: steps.append(step)))
    rows = {row["method"]: row for row in made.tables["people"]}
    assert -1.3 < rows["cloning, small"]["nats"] < -0.3
    assert rows["cloning, small"]["numbers"] == 7 + 7 + 2 + 2
    assert rows["cloning, small"]["error"] > 0
    assert rows["uniform"]["nats"] == -1.386
    assert steps[-1] == ("mazes left out", 2, 2)
    with pytest.raises(InputError, match="folds must be 2 to 12"):
        run(Settings(folds=1), Effort())


def test_nothing_but_the_last_move_of_the_same_round_is_seen():
    data = people_in_mazes()
    walks = data.demonstrations.take(np.arange(30))
    boards = as_boards(walks, data.worlds, past=True)
    first = boards.states[walks.starts[:-1]]
    assert not np.isin(first, (4, 5, 6)).any()
    assert (boards.states == 2).sum((1, 2)).max() == 1


def test_every_way_has_a_name():
    assert len({way.name for way in readers(Settings())}) == len(readers(Settings())) == 4
