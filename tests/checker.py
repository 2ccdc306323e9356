"""The checker that executes the package's annotations while the tests run."""

from functools import reduce
from operator import or_
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from beartype import BeartypeConf, beartype

# As for every static checker (PEP 484), an int will do where a float is asked for.
_checked = beartype(conf=BeartypeConf(is_pep484_tower=True))


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
