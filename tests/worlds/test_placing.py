"""Positions become decisions, however the board was shown; what is impossible is named."""

import numpy as np
import pytest

import inverseq as iq
from inverseq import InputError, read_table, worlds

BOARD = worlds.maze(["S.#.", "...A", "##.G"], name="m")
WALK = [(0, 0), (0, 1), (1, 1), (2, 1), (2, 2), (3, 2)]
"""x, y of a way to the goal."""


def table(cells, **columns):
    x, y = zip(*cells, strict=True)
    given = {name: [value] * len(cells) for name, value in columns.items()}
    return {"x": [*x], "y": [*y], "trajectory": [1] * len(cells), **given}


def placed(source, world=BOARD, upwards=False, **how):
    state = {"state": ("x", "y"), "action": "moves", "upwards": upwards} | how.pop("read", {})
    return worlds.place(read_table(source, **state), world, upwards=upwards, **how)


def test_a_way_becomes_decisions_and_the_arrival_an_end():
    made = placed(table(WALK))
    expected = [BOARD.state_at(*cell) for cell in WALK]
    assert made.states.tolist() == expected[:-1]
    assert made.next_states.tolist() == expected[1:]
    assert [made.action_names[a] for a in made.actions] == [
        "down",
        "right",
        "right",
        "down",
        "right",
    ]
    assert made.terminated.tolist() == [False] * 4 + [True]


def shown(cells, how):
    """Where cells of the 4 x 3 board appear when it is shown so; done by arrays of numbers."""
    board = np.arange(12).reshape(3, 4)
    turns = {"rot90": 3, "rot180": 2, "rot270": 1}  # NumPy turns against the clock
    if how in turns:
        seen = np.rot90(board, turns[how])
    else:
        seen = {"base": board, "hflip": board[:, ::-1], "vflip": board[::-1]}[how]
    found = [np.argwhere(seen == y * 4 + x)[0] for x, y in cells]
    return [(int(x), int(y)) for y, x in found], seen.shape[0]


@pytest.mark.parametrize("upwards", [False, True])
@pytest.mark.parametrize("how", [*worlds.TURNS])
def test_a_mirrored_or_turned_board_is_turned_back(how, upwards):
    cells, height = shown(WALK, how)
    cells = [(x, height - 1 - y if upwards else y) for x, y in cells]
    made = placed(table(cells, shown=how), upwards=upwards, transform="shown")
    same = placed(table(WALK))
    np.testing.assert_array_equal(made.states, same.states)
    np.testing.assert_array_equal(made.actions, same.actions)
    np.testing.assert_array_equal(made.next_states, same.next_states)


def test_each_trajectory_has_the_board_that_it_names():
    other = worlds.maze(["S...", "...G"], name="n")
    first, second = table(WALK, world="m"), table([(0, 0), (1, 0), (2, 0)], world="n")
    both = {name: [*first[name], *second[name]] for name in first}
    both["trajectory"] = [1] * 6 + [2] * 3
    made = placed(both, {"m": BOARD, "n": other})
    assert made.states[-3:].tolist() == [0, 1, 2]
    assert made.terminated.sum() == 1


def test_names_of_places_are_positions_too():
    source = {"place": ["A", "goal"], "trajectory": [1, 1], "action": ["down", "up"]}
    read = read_table(source, state="place")
    with pytest.raises(InputError, match=r"row 2: position \(goal\) is no free cell"):
        worlds.place(read, worlds.maze(["S.A", "..B"]))
    made = worlds.place(read_table(source | {"place": ["A", "B"]}, state="place"),
                        worlds.maze(["S.A", "..B"]))  # fmt: skip
    assert made.states.tolist() == [2, 5]


WRONG = {
    "a wall": ([(0, 0), (1, 0), (2, 0)], {}, {}, r"row 3: position \(2, 0\) is no free cell"),
    "outside": ([(0, 0), (0, -1)], {}, {}, r"row 2: position \(0, -1\) is no free cell"),
    "diagonal": ([(0, 0), (1, 1)], {"action": "NE"}, {}, "row 1: .* has the action 'NE'"),
    "elsewhere": ([(0, 0), (1, 0)], {"action": "down"}, {}, "row 1: .* cannot lead where"),
    "no such board": ([(0, 0), (1, 0)], {"world": "q"}, {}, "row 1: there is no board 'q'"),
    "no such turn": ([(0, 0), (1, 0)], {"how": "r"}, {"transform": "how"}, "'r' is no way to"),
    "no column": ([(0, 0), (1, 0)], {}, {"transform": "how"}, "there is no such column"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_impossible_is_named(case):
    cells, columns, how, words = WRONG[case]
    read = {"read": {"action": "action"}} if "action" in columns else {}
    boards = {"m": BOARD, "n": BOARD} if "world" in columns else BOARD
    with pytest.raises(InputError, match=words):
        placed(table(cells, **columns), boards, **how, **read)


def test_several_boards_need_a_column():
    with pytest.raises(InputError, match="no column 'world'"):
        placed(table(WALK), {"m": BOARD, "n": BOARD})
    with pytest.raises(InputError, match="or give that board by itself"):
        placed(table(WALK), {"m": BOARD})
    assert placed(table(WALK), BOARD).num_trajectories == 1


def test_gaps_and_ends_that_the_table_tells_are_kept():
    source = table([(0, 0), (0, 1), (1, 1), (2, 1), (3, 1)], time=0)
    source |= {"action": ["down", "right", "right", "right", "down"], "time": [0, 1, 2, 9, 10]}
    source["terminated"] = [0, 0, 0, 0, 1]
    made = placed(source, read={"action": "action", "longest_step": 2})
    # The third decision led to where the fourth row stands, and still nothing goes on behind it.
    assert made.next_states[2] == made.states[3]
    assert made.continues.tolist() == [False, True, True, False, True]
    assert made.terminated.tolist() == [False] * 4 + [True]


def test_states_that_are_numbers_are_no_positions():
    with pytest.raises(InputError, match="these states are numbers"):
        worlds.place(iq.Demonstrations.from_arrays([0, 1], [1, 1]), BOARD)


@pytest.mark.parametrize("upwards", [False, True])
def test_positions_that_are_turned_back_already_say_so(upwards):
    cells = [(x, 2 - y if upwards else y) for x, y in WALK]
    with pytest.raises(InputError, match="turned back already, so leave it out"):
        placed(table(cells, shown="rot180"), upwards=upwards, transform="shown")
    with pytest.raises(InputError, match="is no free cell") as refused:
        placed(table([(1, 0), (2, 0)], shown="hflip"), transform="shown")
    assert "turned back already" not in str(refused.value)
