"""What public functions answer where an argument is of another kind than its annotation says."""

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from numbers import Integral, Number, Real
from types import UnionType
from typing import Any, Union, get_args, get_origin

from inverseq._core.errors import FitError, InputError

_WIDER = {int: Integral, float: Real}


def at_the_door(function: Callable[..., Any], package: str, name: str) -> Callable[..., Any]:
    """The function, which says in words what is wrong where it stumbles over such an argument.

    What is right, or wrong in another way, passes unchanged: only where an error that is not for
    people comes out are the arguments held against the annotations.

    Args:
        function: As its module has it.
        package: Where it is public, by its dotted name.
        name: By which name.
    """

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (InputError, FitError):
            raise
        except Exception as error:
            for told in _misfits(function, args, kwargs):
                raise InputError(told) from error
            raise

    call.__module__, call.__qualname__ = package, name  # where pickle looks for it
    return call


def _misfits(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[str]:
    """A sentence for each argument of another kind than its annotation says."""
    signature = inspect.signature(function)
    try:
        given = signature.bind(*args, **kwargs).arguments
    except TypeError:  # too many or too few: Python says it well
        return
    shown = ", ".join(p.name for p in signature.parameters.values() if p.default is p.empty)
    for name, value in given.items():
        wanted = signature.parameters[name].annotation
        if not _fits(value, wanted):
            kinds = " or ".join(sorted({*_names(wanted)}))
            yield (
                f"{function.__name__}({shown}) takes {kinds} as {name}; "
                f"got a {type(value).__name__}"
            )


def _parts(annotation: Any) -> tuple[Any, ...]:
    """Of a union its members."""
    union = isinstance(annotation, UnionType) or get_origin(annotation) is Union
    return get_args(annotation) if union else (annotation,)


def _fits(value: Any, annotation: Any) -> bool:
    """Whether a value may be what is asked for; what nobody can tell may be."""
    return any(_fits_one(value, part) for part in _parts(annotation))


def _fits_one(value: Any, part: Any) -> bool:
    if _of_arrays(part):
        arraylike = isinstance(value, Sequence | Number) or hasattr(value, "__array__")
        return arraylike and not isinstance(value, str)
    kind = _WIDER.get(part, get_origin(part) or part)
    if not inspect.isclass(kind):
        return True
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol that cannot be asked
        return True


def _of_arrays(part: Any) -> bool:
    """Whether it is an array with a shape (jaxtyping), or any array."""
    return hasattr(part, "array_type") or getattr(part, "__name__", "") == "ndarray"


def _names(annotation: Any) -> Iterator[str]:
    """Names of the kinds for people."""
    for part in _parts(annotation):
        if part is not type(None):
            yield "an array" if _of_arrays(part) else getattr(part, "__name__", str(part))
