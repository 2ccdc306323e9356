"""Values as JSON and arrays, and back, exactly: no pickle, and no registry of classes.

Types come back as they were (a tuple is no list, a `float64` no float), an array that two records
share is shared again, and what cannot be said so is refused by its name. A class is found again by
its module and name: among those of this package, or of modules that are loaded already.

This is for files that serve the program that wrote them. Files that outlive it, in which a class
may have moved or have gained a field, are those of `store`.
"""

import sys
from collections.abc import Callable
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from importlib import import_module
from typing import Any

import numpy as np
from scipy import sparse

from inverseq._core.errors import FitError, InputError

ROOT = __name__.partition(".")[0]
_SPARSE = {kind.__name__: kind for kind in (sparse.csr_array, sparse.csc_array)}


class Writer:
    """Writes values; what JSON does not hold goes to `arrays`."""

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self._shared: dict[int, tuple[Any, int]] = {}

    def write(self, value: Any, where: str) -> Any:
        """What JSON can hold; `where` says what it is, should that be impossible.

        Raises:
            InputError: A value is of a type that cannot be written.
        """
        if id(value) in self._shared:
            return {"same": self._shared[id(value)][1]}
        made = self.anew(value, where)
        if isinstance(value, np.ndarray) or is_record(value):
            # The value is held, so that no other one can get its identity meanwhile.
            self._shared[id(value)] = value, len(self._shared)
            made["new"] = self._shared[id(value)][1]
        return made

    def anew(self, value: Any, where: str) -> Any:
        """The same, of a value that was not written before."""
        every = lambda items: [self.write(v, f"{where}[{i}]") for i, v in enumerate(items)]  # noqa: E731
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return {"float": value.hex()}
        if isinstance(value, Enum):
            return {"enum": self.name(type(value), where), "name": value.name}
        if isinstance(value, np.generic):
            return {"scalar": self.array(np.asarray(value), where)}
        if type(value) in (np.ndarray, np.memmap):
            if value.dtype == object:
                made = {"objects": every(value.ravel().tolist()), "shape": [*value.shape]}
            else:
                made = {"array": self.array(np.asarray(value), where)}
            return made if value.flags.writeable else made | {"fixed": True}
        if type(value) in _SPARSE.values():
            parts = every((value.data, value.indices, value.indptr))
            return {"sparse": type(value).__name__, "parts": parts, "shape": [*value.shape]}
        if type(value) is dict:
            written = (
                (self.write(k, where), self.write(v, f"{where}[{k!r}]")) for k, v in value.items()
            )
            return {"map": [*map(list, written)]}
        if type(value) in (tuple, list):
            return {type(value).__name__: every(value)}
        if isinstance(value, tuple) and hasattr(type(value), "_fields"):
            return {"named": self.name(type(value), where), "tuple": every(value)}
        if is_record(value):
            parts = {
                f.name: self.write(getattr(value, f.name), f"{where}.{f.name}")
                for f in fields(value)  # pyright: ignore[reportArgumentType]
                if self.counts(f)
            }
            return {"record": self.name(type(value), where), "fields": parts}
        if type(value) in (InputError, FitError):
            return {"error": self.name(type(value), where), "says": str(value)}
        raise refused(value, where)

    def array(self, array: np.ndarray, where: str) -> Any:
        """What stands for an array: its place among the arrays."""
        if array.dtype.hasobject or array.dtype.kind == "V":
            raise InputError(f"{where} is an array of {array.dtype}, which no plain file can hold")
        self.arrays.append(array)
        return len(self.arrays) - 1

    def name(self, thing: Any, where: str) -> str:
        """Where a class or function is found again."""
        if "<" in thing.__qualname__:
            raise InputError(
                f"{where} is of {thing.__qualname__}, which cannot be found again by its name: "
                "define it at the top of a module"
            )
        return f"{thing.__module__}:{thing.__qualname__}"

    def counts(self, field: Field) -> bool:
        """Whether a field of a record is written."""
        return True


def is_record(value: Any) -> bool:
    """Whether a value is a record: a dataclass, but not the class itself."""
    return is_dataclass(value) and not isinstance(value, type)


def refused(value: Any, where: str) -> InputError:
    """The error for a value that cannot be written."""
    return InputError(
        f"{where} is a {type(value).__name__}, which cannot be kept in a plain file. Records "
        "(dataclasses), arrays, numbers, texts, and lists, tuples and dicts of these can be; else "
        "leave keep= out"
    )


def read(tree: Any, arrays: Callable[[int], np.ndarray]) -> Any:
    """The value that a `Writer` wrote.

    Args:
        tree: What `Writer.write` returned.
        arrays: From a number to the array of that place.

    Raises:
        InputError: It is of a class that is not loaded.
    """
    shared: dict[int, Any] = {}

    def value(tree: Any) -> Any:
        if not isinstance(tree, dict):
            return tree
        if "same" in tree:
            return shared[tree["same"]]
        made = anew(tree)
        if "new" in tree:
            shared[tree["new"]] = made
        return made

    def anew(tree: dict[str, Any]) -> Any:
        every = lambda name: [value(item) for item in tree[name]]  # noqa: E731
        if "float" in tree:
            return float.fromhex(tree["float"])
        if "enum" in tree:
            return _found(tree["enum"])[tree["name"]]
        if "scalar" in tree:
            return arrays(tree["scalar"])[()]
        if "array" in tree or "objects" in tree:
            array = arrays(tree["array"]) if "array" in tree else _objects(every("objects"), tree)
            array.setflags(write="fixed" not in tree)
            return array
        if "sparse" in tree:
            return _SPARSE[tree["sparse"]](tuple(every("parts")), shape=tuple(tree["shape"]))
        if "map" in tree:
            return {value(key): value(item) for key, item in tree["map"]}
        if "named" in tree:
            return _found(tree["named"])(*every("tuple"))
        if "tuple" in tree:
            return tuple(every("tuple"))
        if "list" in tree:
            return every("list")
        if "error" in tree:
            return _found(tree["error"])(tree["says"])
        # As it was, without what its class does to make one of arguments.
        kind = _found(tree["record"])
        made = object.__new__(kind)
        for name, item in tree["fields"].items():
            object.__setattr__(made, name, value(item))
        return made

    return value(tree)


def _objects(items: list[Any], tree: dict[str, Any]) -> np.ndarray:
    """An array of objects."""
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array.reshape(tree["shape"])


def _found(name: str) -> Any:
    """A class by its module and name."""
    module, _, path = name.partition(":")
    if module.partition(".")[0] == ROOT:
        import_module(module)
    found = named(module, path)
    if not (isinstance(found, type) and _is_data(found)):
        raise InputError(
            f"it holds a {path} of {module}, which is not there: import that module first"
        )
    return found


def named(module: str, path: str) -> Any:
    """What a loaded module calls so, or None."""
    found: Any = sys.modules.get(module)
    for part in path.split("."):
        found = getattr(found, part, None)
    return found


def _is_data(kind: type) -> bool:
    """Whether a class is one that a `Writer` writes."""
    plain = issubclass(kind, Enum | InputError | FitError) or is_dataclass(kind)
    return plain or (issubclass(kind, tuple) and hasattr(kind, "_fields"))
