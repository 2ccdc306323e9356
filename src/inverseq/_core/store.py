"""One record, one file, no pickle: arrays as NPZ members beside a line of JSON."""

import json
import os
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from scipy import sparse

from inverseq._core.archive import read_arrays, write_arrays
from inverseq._core.errors import InputError

Record = TypeVar("Record")
_HEADER = "record.json"
_FORMAT = 3


def save(record: Any, path: str | os.PathLike) -> Path:
    """Write a record (a dataclass of arrays, numbers, texts and records) to one `.npz` file.

    Raises:
        InputError: The record holds something no plain file can hold (a function, for instance),
            or the folder cannot be written to.
    """
    arrays: dict[str, np.ndarray] = {}
    tree = _encode(record, type(record).__name__, arrays)
    header = json.dumps({"format": _FORMAT, "kind": type(record).__name__, "tree": tree})
    write_arrays(path, {**arrays, _HEADER: np.frombuffer(header.encode(), dtype=np.uint8)})
    return Path(path)


def load(path: str | os.PathLike, kind: type[Record], also: tuple[type, ...] = ()) -> Record:
    """Read a record of class `kind` from a file that `save` wrote.

    Nothing is believed: names, sizes and types of the members are compared with what the file says
    of itself, and each value with the annotation of its field.

    Args:
        path: The file.
        kind: What it holds.
        also: Classes of your own that may stand inside it: the policy, say, of your own solver.

    Raises:
        InputError: The file is missing, is not such a file, is damaged, or holds another kind of
            record.
    """
    if not Path(path).exists():
        raise InputError(f"{path} does not exist")
    if not Path(path).is_file():
        raise InputError(f"{path} is not a file; name one that inverseq.save wrote")
    try:
        arrays = read_arrays(Path(path))
        header = json.loads(arrays.pop(_HEADER).tobytes().decode())
        found, number, tree = header["kind"], header["format"], header["tree"]
        if not (isinstance(found, str) and isinstance(number, int)):
            raise ValueError("its header is none")
    except Exception as error:  # a damaged file trips the readers of zip, NumPy and JSON anywhere
        raise InputError(f"{path} is not a file written by inverseq.save, or is damaged") from error
    if found != kind.__name__:
        raise InputError(f"{path} holds a {found}, not a {kind.__name__}")
    if number != _FORMAT:
        older = "an earlier" if number < _FORMAT else "a later"
        raise InputError(
            f"{path} was written by {older} version of inverseq (format {number}; this one reads "
            f"{_FORMAT}): fit again, or read it with that version"
        )
    try:
        record = _decode(tree, kind, arrays, also)
        if arrays:
            raise InputError(f"nothing refers to {min(arrays)}")
        return record
    except _OwnClass as error:
        raise InputError(f"{path} {error}") from error
    except Exception as error:  # a tree that was changed by hand trips any of the records
        detail = f": {error}" if isinstance(error, InputError) else ""
        raise InputError(f"{path} is damaged{detail}. Write it again with inverseq.save") from error


def load_any(path: str | os.PathLike, kinds: Sequence[type]) -> Any:
    """Read a record of whichever of the `kinds` a file holds.

    Raises:
        InputError: As `load` of the first kind.
    """
    problems = []
    for kind in kinds:
        try:
            return load(path, kind)
        except InputError as error:
            problems.append(error)
    raise problems[0]


class _OwnClass(InputError):
    """A class stands in the file that no annotation names."""


def _encode(value: Any, where: str, arrays: dict[str, np.ndarray]) -> Any:
    """JSON for `value`; arrays go to `arrays` under their path and leave a reference."""
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            value = np.array([str(v) for v in value.ravel()]).reshape(value.shape)
        arrays[where] = value
        return {"array": where, "type": value.dtype.str, "shape": value.shape}
    if isinstance(value, np.generic):
        return _encode(value.item(), where, arrays)
    if isinstance(value, Enum):
        return value.value
    if sparse.issparse(value):
        rows = sparse.csr_array(value)
        parts = [rows.data, rows.indices, rows.indptr, np.array(rows.shape)]
        return {"sparse": _encode(parts, where, arrays)}
    if is_dataclass(value) and not isinstance(value, type):
        return {
            "fields": {
                f.name: _encode(getattr(value, f.name), f"{where}.{f.name}", arrays)
                for f in fields(value)
            },
            "class": type(value).__name__,
        }
    if isinstance(value, Mapping):
        return {"map": {str(k): _encode(v, f"{where}.{k}", arrays) for k, v in value.items()}}
    if isinstance(value, tuple | list):
        return {"list": [_encode(v, f"{where}.{i}", arrays) for i, v in enumerate(value)]}
    if isinstance(value, float) and not np.isfinite(value):
        return {"float": repr(value)}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise InputError(f"{where} is a {type(value).__name__}, which cannot be written to a file")


def _decode(tree: Any, hint: Any, arrays: dict[str, np.ndarray], also: tuple[type, ...]) -> Any:
    """The value that `tree` describes, with the classes that the type `hint` names.

    Arrays that it holds are taken out of `arrays`.
    """
    value = _value(tree, hint, arrays, also)
    if not _fits(value, hint, also):
        raise InputError("another kind of value than its annotation says")
    return value


def _value(tree: Any, hint: Any, arrays: dict[str, np.ndarray], also: tuple[type, ...]) -> Any:
    """What `tree` describes, not yet compared with `hint`."""
    if not isinstance(tree, dict):
        enum = next((c for c in _classes(hint) if issubclass(c, Enum)), None)
        return enum(tree) if enum is not None and tree is not None else tree
    if "array" in tree:
        array = arrays.pop(tree["array"])
        if (array.dtype.str, [*array.shape]) != (tree["type"], tree["shape"]):
            raise InputError(f"{tree['array']} is not the array that the file speaks of")
        return array
    if "float" in tree:
        return float(tree["float"])
    if "sparse" in tree:
        data, indices, pointers, shape = _decode(tree["sparse"], Any, arrays, also)
        matrix = sparse.csr_array((data, indices, pointers), shape=tuple(shape.tolist()))
        matrix.check_format(full_check=True)
        return matrix
    if "list" in tree:
        inner = [h for m in _members(hint) for h in typing.get_args(m) if h is not Ellipsis]
        each = inner if len(inner) == len(tree["list"]) else inner[:1] * len(tree["list"])
        return tuple(
            _decode(item, each[i] if each else Any, arrays, also)
            for i, item in enumerate(tree["list"])
        )
    if "map" in tree:
        value_hint = next(
            (typing.get_args(h)[1] for h in _members(hint) if len(typing.get_args(h)) == 2), Any
        )
        return {key: _decode(item, value_hint, arrays, also) for key, item in tree["map"].items()}
    kind = next((c for c in (*_classes(hint), *also) if c.__name__ == tree["class"]), None)
    if kind is None:
        raise _OwnClass(
            f"holds a {tree['class']}, which this version does not know. If the class is your "
            f"own, name it: load(path, kind, also=({tree['class']},))"
        )
    hints = typing.get_type_hints(kind)
    known = {name: item for name, item in tree["fields"].items() if name in hints}
    values = {}
    for name, item in known.items():
        try:
            values[name] = _decode(item, hints[name], arrays, also)
        except _OwnClass:
            raise
        except Exception as error:
            raise InputError(f"{kind.__name__}.{name} is not what it was") from error
    return kind(**values)


def _fits(value: Any, hint: Any, also: tuple[type, ...]) -> bool:
    """Whether a value is of the kind that an annotation names."""
    if hint is Any or isinstance(value, also) or isinstance(hint, typing.TypeVar):
        return True
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if len(_members(hint)) > 1:
        return any(_fits(value, member, also) for member in _members(hint))
    if hint is None or hint is type(None):
        return value is None
    if origin is typing.Literal:
        return value in inner
    if origin is not None:
        return isinstance(value, origin if origin not in (list, Sequence) else tuple)
    if hint is float:
        return isinstance(value, float | int) and not isinstance(value, bool)
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    try:
        return isinstance(value, hint)
    except TypeError:  # a protocol that only a checker of types knows: what it asks is seen in use
        return True


def _members(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or the hint alone."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def _classes(hint: Any) -> list[type]:
    """The plain classes among the alternatives of a hint."""
    return [h for h in _members(hint) if isinstance(h, type)]
