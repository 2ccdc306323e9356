"""Actions made of successive positions: visits, moves, gaps and ends, by a dull walk beside."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inverseq import InputError, read_table

COMPASS = {(0, -1): "N", (1, 0): "E", (0, 1): "S", (-1, 0): "W"}
COMPASS |= {(1, -1): "NE", (1, 1): "SE", (-1, 1): "SW", (-1, -1): "NW"}


def walked(x, y, t, longest):
    """Visits as (x, y, name of the move or None), one after another."""
    visits = []
    for k, place in enumerate(zip(x, y, strict=True)):
        late = k > 0 and t[k] - t[k - 1] > longest
        if k == 0 or late or place != visits[-1][0]:
            if visits and not late:
                (px, py), _ = visits[-1]
                visits[-1] = ((px, py), COMPASS.get((place[0] - px, place[1] - py)))
            visits.append((place, None))
    return visits


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(1, 5)), min_size=2))
def test_moves_are_those_of_a_walk_through_the_rows(rows):
    x, y, wait = (list(column) for column in zip(*rows, strict=True))
    t = np.cumsum(wait).tolist()
    expected = walked(x, y, t, 4)
    table = {"x": x, "y": y, "t": t}
    if not any(move for _, move in expected):
        return
    demos = read_table(table, state=("x", "y"), action="moves", longest_step=4)
    names = [demos.action_names[a] if a >= 0 else None for a in demos.actions]
    assert names == [move for _, move in expected]
    places = [demos.state_names[s] for s in demos.states]
    assert places == [f"{px}|{py}" for (px, py), _ in expected]


def test_north_is_up_where_y_counts_upwards():
    table = {"x": [0, 0, 1], "y": [0, 1, 1]}
    assert read_table(table, state=("x", "y"), action="moves").action_names == ("E", "S")
    up = read_table(table, state=("x", "y"), action="moves", upwards=True)
    assert up.action_names == ("N", "E")
    assert up.actions.tolist() == [0, 1, -1]


def test_what_passes_over_a_place_is_no_action_and_is_said():
    table = {"x": [0, 1, 5, 6], "y": [0, 0, 0, 0]}
    demos = read_table(table, state=("x", "y"), action="moves")
    assert demos.actions.tolist() == [0, -1, 0, -1]
    assert "1 jumps over places without an action" in demos.source


def test_an_end_is_that_of_the_last_row_of_a_visit():
    table = {"x": [0, 1, 1, 0, 1], "y": [0] * 5, "terminated": [0, 0, 1, 0, 1]}
    demos = read_table({**table, "trajectory": [0, 0, 0, 1, 1]}, state=("x", "y"), action="moves")
    assert demos.states.tolist() == [0, 1, 0, 1]
    assert demos.terminated.tolist() == [False, True, False, True]
    assert demos.rows.tolist() == [1, 2, 4, 5]


def test_moves_on_a_line_and_between_named_places():
    line = read_table({"x": [0.1, 0.2, 1.5, 0.3]}, state="x", action="moves", bins=2)
    assert line.action_names == ("higher", "lower")
    assert line.actions.tolist() == [0, 1, -1]
    arms = read_table({"arm": ["a", "a", "b", "c"]}, state="arm", action="moves")
    assert [arms.action_names[a] for a in arms.actions[:-1]] == ["to b", "to c"]


def test_one_number_of_bins_is_for_all_measured_columns():
    table = {"x": [0.1, 0.9, 0.4], "y": [5, 6, 7], "action": [0, 1, 0]}
    demos = read_table(table, state=("x", "y"), bins=2)
    assert demos.state_names == ("x 0.1–0.5, 5", "x 0.1–0.5, 7", "x 0.5–0.9, 6")


def test_positions_ask_for_bins_of_all_columns_and_for_moves():
    table = {"x": [0.1, 0.9], "y": [0.5, 0.6]}
    with pytest.raises(InputError, match=r'Put it into bins: bins={"x": 10, "y": 10}'):
        read_table(table, state=("x", "y"), action="moves")
    with pytest.raises(InputError, match=r'where one went next: action="moves"'):
        read_table(table, state=("x", "y"), bins=2)
    with pytest.raises(InputError, match="made of the states alone"):
        read_table(table, state_from_previous="x", state=("y",), action="moves")


def test_a_column_called_moves_is_that_column():
    assert read_table({"state": [0, 1], "moves": [1, 0]}, action="moves").actions.tolist() == [1, 0]
