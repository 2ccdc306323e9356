"""What work is, as one text: what is called, with what, by which program.

Two calls have the same fingerprint only where everything that can change the result is the same:
every number of the arguments, the sources of this package and of every module whose classes or
functions take part, and the versions of the libraries that compute.
"""

import hashlib
import json
import sys
import types
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import Field
from functools import cache, cached_property, partial
from importlib.metadata import version
from pathlib import Path
from sysconfig import get_path
from typing import Any

import numpy as np

from inverseq._core.errors import InputError
from inverseq._core.plain import ROOT, Writer, is_record, named, refused

_LIBRARIES = ("numpy", "scipy", "jax", "jaxlib", "equinox", "optax")


class Fingerprints:
    """Fingerprints of one function with different arguments.

    What the calls share, read-only arrays and frozen records, is read once.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._content = _Content()
        self._programs: dict[Any, str] = {}
        self._function = self._of(function, "the function")

    def of(self, arguments: tuple[Any, ...]) -> str:
        """The fingerprint of a call, 64 hexadecimal digits.

        Raises:
            InputError: An argument is of a type whose content cannot be told.
        """
        made = [self._function, *(self._of(a, f"argument {i}") for i, a in enumerate(arguments))]
        return _digest("\n".join([*made, _versions(), *self._programs_of(self._content.code)]))

    def _programs_of(self, code: set[Any]) -> list[str]:
        """Programs of classes and functions, each read once."""
        self._programs |= {one: program(one) for one in code - self._programs.keys()}
        return sorted({self._programs[one] for one in code})

    def _of(self, value: Any, where: str) -> str:
        return json.dumps(self._content.write(value, where))


class _Content(Writer):
    """Writes what makes an argument different from another one.

    That is all of it but fields that only say where a record comes from, which are marked by
    `field(metadata={"content": False})`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.code: set[Any] = set()
        self._known: dict[int, tuple[weakref.ref, Any]] = {}

    def write(self, value: Any, where: str) -> Any:
        record = is_record(value) and type(value).__dataclass_params__.frozen
        if not record and not (type(value) is np.ndarray and not value.flags.writeable):
            return self.anew(value, where)
        reference, known = self._known.get(id(value), (None, None))
        if reference is None or reference() is not value:
            known = _digest(json.dumps(self.anew(value, where)))
            with suppress(TypeError):  # a record with slots
                self._known[id(value)] = weakref.ref(value), known
        return known

    def anew(self, value: Any, where: str) -> Any:
        if type(value) in (np.ndarray, np.memmap) and value.dtype != object:
            return self.array(np.asarray(value), where)
        if isinstance(value, partial):
            parts = (value.func, value.args, value.keywords)
            return {"partial": [self.write(part, where) for part in parts]}
        if isinstance(value, types.FunctionType | type):
            return {"function": self.name(value, where)}
        return super().anew(value, where)

    def array(self, array: np.ndarray, where: str) -> Any:
        if array.dtype.hasobject:
            raise refused(array, where)
        data = np.ascontiguousarray(array)
        said = f"{array.dtype.str} {array.dtype.descr} {array.shape} "
        return _digest(said.encode() + data.tobytes())

    def name(self, thing: Any, where: str) -> str:
        found = super().name(thing, where)
        if named(thing.__module__, thing.__qualname__) is not thing:
            raise InputError(
                f"{where}: what {thing.__module__} calls {thing.__qualname__} is something else; "
                "give it a name of its own at the top of its module"
            )
        self.code.add(thing)
        return found

    def counts(self, field: Field) -> bool:
        return field.metadata.get("content", True)


def _digest(data: str | bytes) -> str:
    """SHA-256."""
    return hashlib.sha256(data.encode() if isinstance(data, str) else data).hexdigest()


@cache
def _versions() -> str:
    """Of what computes."""
    return " ".join([*map(str, sys.version_info[:2]), *(f"{n} {version(n)}" for n in _LIBRARIES)])


@cache
def _package() -> str:
    """The sources of this package."""
    folder = Path(__file__).parents[1]
    files = (
        path.relative_to(folder).as_posix().encode() + path.read_bytes()
        for path in sorted(folder.rglob("*.py"))
    )
    return _digest(b"\n".join(files))


def program(thing: Any) -> str:
    """The code of a class or function, and all it reaches in modules that are no library's.

    What is loaded counts, and so does the file, where there is one: it may have been changed since.

    Raises:
        InputError: In a notebook, which has no file, a function uses a thing whose content cannot
            be told.
    """
    told: set[str] = set()
    todo, seen = [thing], set()
    while todo:
        one = todo.pop()
        module = sys.modules.get(one.__module__)
        if module is None or id(one) in seen:
            continue
        seen.add(id(one))
        told.add(_file(module))
        if _is_library(module):
            continue
        todo += one.__mro__[1:] if isinstance(one, type) else ()
        for function in _functions(one):
            told.add(f"{function.__qualname__} {_code(function.__code__)}")
            for name, value in _reached(function):
                if isinstance(value, set | frozenset):
                    value = sorted(value, key=repr)  # a set has no order of its own
                if isinstance(value, type) or _functions(value):
                    todo.append(value)
                elif isinstance(value, types.ModuleType):
                    told.add(_file(value))
                elif not _is_librarys(value):
                    try:
                        told.add(f"{name} {json.dumps(_Content().write(value, name))}")
                    except InputError as error:
                        if _file(module) or not _holds_content(value):
                            continue  # what its file says of it counts; a logger has no content
                        raise InputError(
                            f"{name}, which {function.__qualname__} uses, is of the type "
                            f"{type(value).__name__}, whose content cannot be told: give it as an "
                            "argument, define it in a module, or leave keep= out"
                        ) from error
    return "\n".join(sorted(told))


def _reached(function: types.FunctionType) -> list[tuple[str, Any]]:
    """What a function finds by name, what it closes over, and its defaults."""
    code, world = function.__code__, function.__globals__
    closed = zip(code.co_freevars, function.__closure__ or (), strict=True)
    return [
        *((name, world[name]) for name in _names(code) if name in world),
        *((name, cell.cell_contents) for name, cell in closed if cell != types.CellType()),
        *((f"default {i}", value) for i, value in enumerate(function.__defaults__ or ())),
        *(function.__kwdefaults__ or {}).items(),
    ]


def _holds_content(value: Any) -> bool:
    """Whether a thing may change a result: of a class of the notebook's own, or a container."""
    home = sys.modules.get(type(value).__module__)
    own = home is None or not _is_library(home)
    return own or hasattr(type(value), "__len__") or hasattr(type(value), "__array__")


def _is_librarys(value: Any) -> bool:
    """Whether something callable is a library's own, found there by its name."""
    if isinstance(value, np.ufunc):
        return True
    module, name = (getattr(value, n, None) for n in ("__module__", "__qualname__"))
    home = sys.modules.get(module) if isinstance(module, str) else None
    return home is not None and _is_library(home) and named(str(module), str(name)) is value


def _root(module: types.ModuleType) -> str:
    return module.__name__.partition(".")[0]


def _is_library(module: types.ModuleType) -> bool:
    """Whether a module belongs to Python, to this package, or to an installed one."""
    if _root(module) in sys.stdlib_module_names or _root(module) == ROOT:
        return True
    file = getattr(module, "__file__", None) or ""
    return any(file.startswith(get_path(place)) for place in ("purelib", "platlib"))


def _file(module: types.ModuleType) -> str:
    """The source of a module; nothing in a notebook."""
    if _root(module) == ROOT:
        return _package()
    file = getattr(module, "__file__", None)
    if file is None or _root(module) in sys.stdlib_module_names:
        return ""
    return _digest(Path(file).read_bytes())


def _functions(thing: Any) -> list[types.FunctionType]:
    """The functions of a class, and those under what decorates them; a function alone."""
    parts = vars(thing).values() if isinstance(thing, type) else (thing,)
    found = []
    for part in parts:
        bare = getattr(part, "fget", getattr(part, "__func__", part))
        bare = part.func if isinstance(part, cached_property) else bare
        while bare is not None:
            found += [bare] if isinstance(bare, types.FunctionType) else []
            bare = getattr(bare, "__wrapped__", None)
    return found


def _names(code: types.CodeType) -> set[str]:
    """The names that a function looks up, functions inside it included."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _code(code: types.CodeType) -> str:
    """What a function does: its instructions, names and constants."""
    constants = [
        _code(c)
        if isinstance(c, types.CodeType)
        else repr(sorted(map(repr, c)) if isinstance(c, frozenset) else c)  # sets have no order
        for c in code.co_consts
    ]
    return _digest(f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}")
