"""The errors a user can meet, each with its remedy in the message."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

Spelling = Callable[[str, object], str]
"""How an argument with a value is typed; nothing where there is no such argument."""


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
