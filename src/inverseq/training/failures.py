"""Errors in what a compiled program calls back, told as they were raised."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import jax

from inverseq._core.errors import InputError

_raised: list[InputError] = []
"""What was raised in a call of a compiled program, the last last."""


def called_back(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function for `jax.pure_callback` whose `InputError` is found again by `as_raised`; JAX
    makes an error of its own of it, with its text in the middle.
    """

    @wraps(function)
    def calling(*given: Any) -> Any:
        try:
            return function(*given)
        except InputError as error:
            _raised[:] = [error]
            raise

    return calling


@contextmanager
def as_raised() -> Iterator[None]:
    """Raise an `InputError` of what is called back in here as it was raised there."""
    _raised.clear()
    try:
        yield
    except (jax.errors.JaxRuntimeError, ValueError) as error:
        if isinstance(error, InputError) or not _raised:
            raise
        raise _raised.pop() from None
