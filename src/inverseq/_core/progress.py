"""Progress bars with the time that remains, on the error stream, out of the way of results."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
)
from rich.text import Text

Told = Callable[[str, int, int], None]
"""Is told what is being done, steps done, and steps in all."""

_listener: ContextVar[Told | None] = ContextVar("listener", default=None)


@contextmanager
def heard_by(listener: Told) -> Iterator[None]:
    """Within it, whatever shows progress also tells it to `listener`, which nothing silences."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def progress_bars(console: Console | None = None, *, quiet: bool = False) -> Iterator[Told]:
    """Give a function to be called with (what is being done, steps done, steps in all).

    Each different `what` is a bar of its own, which goes away when it is done; nothing stays on
    the screen after the block. Where the stream is no terminal (a log file, a pipe) nothing is
    drawn at all: bars in a log are noise.

    Args:
        console: Where to draw; the standard error stream where left out.
        quiet: Draw nothing.
    """
    console = Console(stderr=True) if console is None else console
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        Remaining(),
        console=console,
        transient=True,
        disable=quiet or not console.is_terminal,
    )
    tasks: dict[str, TaskID] = {}
    listener = _listener.get()

    def report(what: str, done: int, total: int) -> None:
        if listener is not None:
            listener(what, done, total)
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total, before=done)
        bars.update(tasks[what], completed=done, total=total)
        if done >= total:
            bars.remove_task(tasks.pop(what))

    with bars:
        yield report


class Remaining(ProgressColumn):
    """Time that remains at the pace since the bar began.

    Steps that were done before (kept ones) say nothing about the pace, and slow steps, minutes
    each, say as much as fast ones: rich's own column forgets what is older than half a minute.
    """

    max_refresh = 0.5

    def render(self, task: Task) -> Text:
        made = task.completed - task.fields["before"]
        if made <= 0 or task.total is None:
            return Text("-:--:--")
        seconds = (task.elapsed or 0.0) / made * (task.total - task.completed)
        return Text(str(timedelta(seconds=round(seconds))))
