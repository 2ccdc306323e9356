"""Names of a package that are loaded when they are first used."""

import sys
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from inspect import isfunction
from typing import Any

from inverseq._core.door import at_the_door


def loading(
    package: str, home: Mapping[str, str], modules: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The `__getattr__` and the `__dir__` of a package.

    Args:
        package: Its dotted name.
        home: Public name -> the module below the package that it is loaded from.
        modules: Public modules below the package.

    Returns:
        Two functions. The first loads a name once; an unknown one is an AttributeError that says
        which name may have been meant. Type checkers read the stub that `scripts/stubs.py` makes.
    """
    space = vars(sys.modules[package])

    def public(name: str, value: Any) -> Any:
        return at_the_door(value, package, name) if isfunction(value) else value

    # What is there at once goes through the same door.
    space |= {n: public(n, space[n]) for n in space.get("__all__", ()) if n in space}

    def load(name: str) -> Any:
        if name in home:
            value = public(name, getattr(import_module(f"{package}.{home[name]}"), name))
        elif name in modules:
            value = import_module(f"{package}.{name}")
        else:
            near = get_close_matches(name, space["__all__"], n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise AttributeError(f"module {package!r} has no attribute {name!r}{hint}")
        space[name] = value
        return value

    def names() -> list[str]:
        return sorted({*space, *space["__all__"]})

    return load, names
