from typing import get_args

import pytest

from inverseq.analysis import plan
from inverseq.analysis.models import Menu, entries
from inverseq.analysis.plan import Plan
from inverseq.cli import options


@pytest.mark.parametrize(
    ("num_states", "history", "with_memory"),
    [
        (127, 2, {"maxent-history-states", "maxent-history"}),
        (1008, 2, {"maxent-history"}),
        (5000, 2, set()),
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


def test_the_command_line_offers_the_models_of_a_plan():
    assert get_args(options.Model) == get_args(plan.Model)
