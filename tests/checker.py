"""The checker that executes the package's annotations while the tests run."""

from dataclasses import is_dataclass
from functools import partial, reduce, wraps
from inspect import isclass
from operator import or_
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import jaxtyping
from beartype import BeartypeConf, beartype

MOST, INSIDE = 20, 3
"""Calls of a function in each test whose annotations are executed: one of a module or a class, and
one that is made inside another, anew each time. The thousandth call of a loop tells no more than
those, and to execute them takes several times as long as what is called.
"""

_calls: dict[Any, int] = {}  # of the code of each function, in the test that runs
_jaxtyped = jaxtyping.jaxtyped
_apart = _jaxtyped("context")  # what sizes are called inside is nothing to the caller

# As for every static checker (PEP 484), an int will do where a float is asked for.
_checked = beartype(conf=BeartypeConf(is_pep484_tower=True))


def begin() -> None:
    """A test begins: annotations are executed again."""
    _calls.clear()


def sparing(function: Any = None, *, typechecker: Any) -> Any:
    """jaxtyping's decorator, for the first calls in each test, and made when it is first needed: of
    the functions that are imported, a test calls few.
    """
    if function is None:
        return partial(sparing, typechecker=typechecker)
    if isclass(function):
        if is_dataclass(function) and not hasattr(function.__init__, "is_spared"):
            function.__init__ = sparing(function.__init__, typechecker=typechecker)
        return function
    checked, code = None, getattr(function, "__code__", function)
    most = INSIDE if "<locals>" in function.__qualname__ else MOST

    @wraps(function)
    def call(*args: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        nonlocal checked
        before = _calls.get(code, 0)
        if before >= most:
            with _apart:
                return function(*args, **named)
        _calls[code] = before + 1
        if checked is None:
            checked = _jaxtyped(function, typechecker=typechecker)
        return checked(*args, **named)

    call.is_spared = True
    return call


def check(function: Any) -> Any:
    """The function that jaxtyping made of a signature, with its annotations executed.

    A misspelt word gets past, as it does for users, whom no checker guards: the package's own
    `InputError` answers it, and tests look for that.
    """
    hints = function.__annotations__
    if _of_what_is_returned(function):
        hints = {"return": hints["return"]}
    function.__annotations__ = {name: opened(hint) for name, hint in hints.items()}
    return _checked(function)


def _of_what_is_returned(function: Any) -> bool:
    """Whether this is the second of the two functions that jaxtyping makes of each signature: its
    arguments were just checked by the first, and the sizes found there are still known.
    """
    made = function.__code__.co_filename == "<string>"
    return made and function.__annotations__.get("return", Any) is not Any


def opened(hint: Any) -> Any:
    """The hint with any string where it lists some."""
    if get_origin(hint) is Literal:
        kept = tuple(a for a in get_args(hint) if not isinstance(a, str))
        if len(kept) < len(get_args(hint)):
            return str | Literal[kept] if kept else str
    if get_origin(hint) in (Union, UnionType):
        return reduce(or_, map(opened, get_args(hint)))
    return hint
