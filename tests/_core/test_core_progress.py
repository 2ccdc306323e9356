import io

import pytest
from rich.console import Console
from rich.progress import Task, TaskID

from inverseq._core.progress import Remaining, heard_by, progress_bars


def terminal(is_one=True):
    return Console(file=io.StringIO(), force_terminal=is_one, width=120, _environ={"TERM": "xterm"})


def test_bars_are_drawn_on_a_terminal_and_leave_nothing_behind():
    console = terminal()
    with progress_bars(console) as report:
        report("fitting", 1, 4)
    drawn = console.file.getvalue()
    assert "fitting" in drawn
    assert "1/4" in drawn
    assert drawn.endswith("\x1b[2K")  # the last thing done is to wipe the line


@pytest.mark.parametrize("case", ["log", "quiet"])
def test_nothing_is_drawn_in_a_log_or_when_quiet(case):
    console = terminal(is_one=case == "quiet")
    with progress_bars(console, quiet=case == "quiet") as report:
        report("fitting", 1, 2)
        report("fitting", 2, 2)
    assert console.file.getvalue().strip() == ""


def test_a_bar_that_is_done_can_begin_again():
    console = terminal()
    with progress_bars(console) as report:
        report("fold", 1, 1)
        report("fold", 1, 3)
    assert "1/3" in console.file.getvalue()


def fail_while_reporting():
    with progress_bars(terminal()) as report:
        report("fitting", 1, 2)
        raise KeyError


def test_an_error_inside_comes_through():
    with pytest.raises(KeyError):
        fail_while_reporting()


def test_the_time_that_remains_counts_new_steps_only():
    # 50 were kept; the first new one took ten minutes, and 49 are left.
    bar = Task(TaskID(0), "fits", 100, 51, lambda: 600.0, fields={"before": 50})
    bar.start_time = 0.0
    assert Remaining().render(bar).plain == "8:10:00"
    bar.completed = 50
    assert Remaining().render(bar).plain == "-:--:--"


def test_whoever_listens_hears_all_of_it_also_where_nothing_is_drawn():
    heard = []
    with heard_by(lambda *told: heard.append(told)), progress_bars(quiet=True) as report:
        report("fits", 0, 2)
        report("fits", 2, 2)
    with progress_bars(quiet=True) as report:
        report("fits", 1, 2)  # nobody listens any more
    assert heard == [("fits", 0, 2), ("fits", 2, 2)]
