"""From menus to options and back, and what is typed to ask the same."""

import ast
import shlex

import pytest

from inverseq import InputError
from inverseq.app.asked import (
    OF_NEURONS,
    QUESTIONS,
    ROLES,
    SETTINGS,
    arguments_of,
    options_in,
    options_of,
    python_lines,
    roles_in,
    typed,
)
from inverseq.app.project import DATASETS
from inverseq.cli.parse import parse
from inverseq.datasets import names
from inverseq.readers.roles import guessed

COLUMNS = ["mouse", "trial", "state", "action", "day"]


def test_what_a_name_says_is_filled_in_and_need_not_be_typed():
    guesses = guessed(COLUMNS)
    assert guesses == {"subject": "mouse", "time": "trial", "state": "state", "action": "action"}
    roles = roles_in({}, COLUMNS, guesses)
    assert roles == ["subject", "time", "state", "action", ""]
    assert options_of(roles, COLUMNS, guesses) == {}


@pytest.mark.parametrize(
    ("roles", "options"),
    [
        (["", "time", "state", "action", ""], {"subject": "none"}),
        (["subject", "time", "state", "action", "session"], {"session": "day"}),
        (
            ["subject", "trajectory", "state", "action", "time"],
            {"trajectory": "trial", "time": "day"},
        ),
        (["subject", "time", "previous", "action", ""], {"previous": "state"}),
        (["subject", "time", "previous", "action_and_before", ""], {"previous": "state,action"}),
        (
            ["subject", "time", "action_and_before", "", "previous"],
            {"previous": "state,day", "action": "state"},
        ),
        (["subject", "time", "state", "action", "state"], {"state": "state,day"}),
        (["subject", "time", "features", "action", "features"], {"features": "state,day"}),
    ],
)
def test_menus_become_options_and_options_menus(roles, options):
    guesses = guessed(COLUMNS)
    assert options_of(roles, COLUMNS, guesses) == options
    assert roles_in(options, COLUMNS, guesses) == roles


def test_x_comes_before_y_whatever_their_order_in_the_table():
    columns = ["py", "who", "px", "action"]
    assert options_of(["state", "subject", "state", ""], columns, {})["state"] == "px,py"
    columns = ["reward", "who", "choice", "action"]
    assert options_of(["state", "", "state", ""], columns, {})["state"] == "reward,choice"


def test_one_column_cannot_be_shared_by_all_roles():
    with pytest.raises(InputError, match="mouse, day cannot all be the subject"):
        options_of(["subject", "", "", "", "subject"], COLUMNS, {})


def test_an_angry_name_stays_a_value():
    options = {"state": "--out", "missing": "-1", "named": "a b'; rm -rf"}
    arguments = arguments_of("doctor", "tables/a.csv", options)
    assert arguments[2:] == ["--state=--out", "--missing=-1", "--named", "a b'; rm -rf"]
    assert shlex.split(typed(arguments))[1:] == arguments
    made = parse("doctor", "Doctor", "", arguments[1:])
    assert (made.columns.state, made.columns.missing) == ("--out", "-1")


def test_every_option_of_the_pages_is_one_of_the_command_line():
    values = dict.fromkeys((*ROLES, *SETTINGS, *QUESTIONS), "1")
    values |= {
        "actions": "seen",
        "solver": "iavi",
        "gauge": "state-only",
        "test": "0.3",
        "folds": "2",
        "simulations": "2",
    }
    arguments = arguments_of("fit", "mice", options_in(values, values))
    made = parse("fit", "Fit", "", arguments[1:])
    assert made.columns.upwards
    assert (made.intentions, made.world.actions, made.world.goal) == (1, "seen", "1")
    arguments = arguments_of("neural", "lever", options_in(values, OF_NEURONS))
    assert parse("neural", "Neural", "", arguments[1:]).held_out.test == 0.3


def test_values_that_no_argument_may_hold_are_refused():
    for value in ("a\0b", "x" * 3000):
        with pytest.raises(InputError, match="state is no value"):
            options_in({"state": value}, ROLES)


def test_python_is_shown_where_it_is_short():
    read = {"subject": "who", "upwards": "yes", "missing": "-1,x", "time": "none", "blocks": "5"}
    told = python_lines("tables/a.csv", read, {"history": "1", "solver": "iavi"}, "inverseq fit")
    assert "read_table('tables/a.csv', subject='who', time=None, missing=('-1', 'x')" in told
    assert "in_blocks(data, 5)" in told
    assert "Plan(title='a', history=1, solver='iavi')" in told
    compile(told, "shown", "exec")
    for hard in ({"state": "x,y"}, {"bins": "10"}, {"world": "worlds/a.json"}):
        assert python_lines("tables/a.csv", hard, {}, "") == ""


def test_a_value_never_becomes_a_line_of_python():
    angry = "__import__('os').system('ls')"
    for name in ("discount", "blocks", "longest_step", "smoothing", "seed"):
        for world in ({}, {"world": "labyrinth"}):
            told = python_lines("tables/a.csv", world | {name: angry}, {name: angry}, "")
            called = [n.func for n in ast.walk(ast.parse(told)) if isinstance(n, ast.Call)]
            assert "system" not in [getattr(function, "attr", "") for function in called]
    assert "seed=3" in python_lines("mice", {}, {"seed": "3"}, "")
    assert "discount=0.5" in python_lines("mice", {"discount": "0.5"}, {}, "")


def test_every_bundled_set_is_on_the_page():
    assert sorted(DATASETS) == sorted(names())
