"""The errors a user can meet, each with its remedy in the message."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from shlex import quote

Spelling = Callable[[str, object], str]
"""How an argument with a value is typed; nothing where there is no such argument."""

_OPTIONS = {"state_from_previous": "previous", "k": "intentions", "between": "groups"}
"""Arguments whose options have other names."""
_ABSENT = ("continuous",)
"""Arguments that messages speak of and that have no option."""
_DASH = re.compile(r"-(?![\d.]+$)")


class InputError(ValueError):
    """Input that cannot be used. The message says what was got, where, and what to do."""


class FitError(RuntimeError):
    """A fit that did not end well. The message names the status and what to try."""


class Stopped(KeyboardInterrupt):
    """Work that was interrupted after some of it had come out.

    Attributes:
        partial: What had.
        done: Steps done.
        total: Steps in all.
    """

    def __init__(self, partial: object, done: int, total: int) -> None:
        super().__init__(f"stopped after {done} of {total}")
        self.partial, self.done, self.total = partial, done, total


def in_python(name: str, value: object) -> str:
    """An argument as it is typed in Python: `named="state"`, `smoothing=0.5`, `bins={"x": 10}`."""
    if name == "blocks":  # of a table; in Python a function of its own
        return f"inverseq.in_blocks(demonstrations, blocks={value})"
    if isinstance(value, str | Mapping):
        return f"{name}={json.dumps(value, ensure_ascii=False)}"
    return f"{name}={value:.3g}" if isinstance(value, float) else f"{name}={value}"


def as_option(name: str, value: object) -> str:
    """`named="state"` as `--named state`, `bins={"x": 10}` as `--bins x=10`."""
    if name in _ABSENT:
        return ""
    if isinstance(value, Mapping):
        value = ",".join(f"{key}={each}" for key, each in value.items())
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    if value is True:
        return f"--{name.replace('_', '-')}"
    if value is None or value is False:
        value = "none"
    told = f"{value:.3g}" if isinstance(value, float) else str(value)
    # What begins with a dash, and is no number, is read as another option unless it is tied on.
    tie = "=" if _DASH.match(told) else " "
    return f"--{_OPTIONS.get(name, name).replace('_', '-')}{tie}{quote(told)}"


_spelling: ContextVar[Spelling] = ContextVar("spelling", default=in_python)


def argument(name: str, value: object = "...") -> str:
    """An argument for a message or a remedy, as whoever reads it types it: `named="state"`.

    Nothing where the reader has no such argument, which messages take into account where the
    command line lacks it.
    """
    return _spelling.get()(name, value)


@contextmanager
def spelt(spelling: Spelling) -> Iterator[None]:
    """Within it, messages name arguments in this spelling instead of Python's."""
    token = _spelling.set(spelling)
    try:
        yield
    finally:
        _spelling.reset(token)
