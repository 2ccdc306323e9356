from dataclasses import replace
from typing import get_args

import pytest

from inverseq.analysis import plan
from inverseq.analysis.models import Menu, entries, left_out
from inverseq.analysis.plan import Plan
from inverseq.cli import options
from inverseq.reporting.words import plain


@pytest.mark.parametrize(
    ("num_states", "history", "with_memory"),
    [
        (127, 2, {"maxent-history-states", "maxent-history"}),
        (1008, 2, {"maxent-history"}),
        (2000, 2, set()),
        (127, 1, set()),
    ],
)
def test_models_with_a_memory_are_left_out_where_they_would_take_very_long(
    num_states, history, with_memory
):
    menu = Menu(Plan(history=history), num_states, False, 10)
    keys = {entry.key for entry in entries(menu)}
    assert {key for key in keys if "history" in key} == with_memory
    assert {"iavi", "maxent-states", "maxent-state-actions", "table-1", "backoff-4"} <= keys


def test_what_is_left_out_of_a_large_world_is_told_and_fitted_where_it_is_asked_for():
    menu = Menu(Plan(history=1), 100_000, False, 10)
    kept, told = {entry.key for entry in entries(menu)}, left_out(menu)
    assert {failure.key for failure in told} == {"maxent-states", "maxent-state-actions"}
    assert "iavi" in kept
    assert not kept & {failure.key for failure in told}
    lines = plain("scores.j2", "failures", failures=told)
    assert lines[0] == (
        "MaxEnt on states was left out: the world has 100,000 states, and it is fitted unasked in "
        'up to 2,000; solver="maxent-states" asks for it'
    )
    asked = replace(menu, plan=Plan(history=1, solver="maxent-states"))
    assert {entry.key for entry in entries(asked)} == kept | {"maxent-states"}
    assert not left_out(replace(menu, num_states=2_000))


def test_the_command_line_offers_the_models_of_a_plan():
    assert get_args(options.Model) == get_args(plan.Model)
