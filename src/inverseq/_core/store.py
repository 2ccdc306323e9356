"""One record, one file, no pickle: arrays as NPZ members beside a line of JSON."""

import json
import os
import types
import typing
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from scipy import sparse

from inverseq._core.errors import InputError
from inverseq._core.files import replace_when_whole

Record = TypeVar("Record")
_HEADER = "record.json"
_FORMAT = 2


def save(record: Any, path: str | os.PathLike) -> Path:
    """Write a record (a dataclass of arrays, numbers, texts and records) to one `.npz` file.

    Raises:
        InputError: The record holds something no plain file can hold (a function, for instance),
            or the folder cannot be written to.
    """
    arrays: dict[str, np.ndarray] = {}
    tree = _encode(record, type(record).__name__, arrays)
    write_archive(path, {"format": _FORMAT, "kind": type(record).__name__, "tree": tree}, arrays)
    return Path(path)


def load(path: str | os.PathLike, kind: type[Record], also: tuple[type, ...] = ()) -> Record:
    """Read a record of class `kind` from a file that `save` wrote.

    Args:
        path: The file.
        kind: What it holds.
        also: Classes of your own that may stand inside it: the policy, say, of your own solver.

    Raises:
        InputError: The file is missing, is not such a file, or holds another kind of record.
    """
    try:
        header, arrays = read_archive(path)
        found, number = header["kind"], header["format"]
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist") from error
    except Exception as error:  # a damaged file trips the readers of zip, NumPy and JSON anywhere
        raise InputError(f"{path} is not a file written by inverseq.save: {error}") from error
    if found != kind.__name__:
        raise InputError(f"{path} holds a {found}, not a {kind.__name__}")
    if number != _FORMAT:
        older = "an earlier" if number < _FORMAT else "a later"
        raise InputError(
            f"{path} was written by {older} version of inverseq (format {number}; this one reads "
            f"{_FORMAT}): fit again, or read it with that version"
        )
    return _decode(header["tree"], kind, arrays, also)


def write_archive(
    path: str | os.PathLike, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write arrays, and a header that JSON can hold, to one file: all of it or nothing."""
    line = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with replace_when_whole(path) as temporary, open(temporary, "wb") as stream:
        np.savez_compressed(stream, **{**arrays, _HEADER: line})  # pyright: ignore[reportArgumentType]


def read_archive(path: str | os.PathLike) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `write_archive` wrote; a damaged file raises anything."""
    with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return json.loads(arrays[_HEADER].tobytes().decode()), arrays


def _encode(value: Any, where: str, arrays: dict[str, np.ndarray]) -> Any:
    """JSON for `value`; arrays go to `arrays` under their path and leave a reference."""
    if isinstance(value, np.ndarray):
        if value.dtype.hasobject:
            value = np.array([str(v) for v in value.ravel()]).reshape(value.shape)
        arrays[where] = value
        return {"array": where}
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
    """The value that `tree` describes, with the classes that the type `hint` names."""
    if not isinstance(tree, dict):
        enum = next((c for c in _classes(hint) if issubclass(c, Enum)), None)
        return enum(tree) if enum is not None and tree is not None else tree
    if "array" in tree:
        return arrays[tree["array"]]
    if "float" in tree:
        return float(tree["float"])
    if "sparse" in tree:
        data, indices, pointers, shape = _decode(tree["sparse"], Any, arrays, also)
        return sparse.csr_array((data, indices, pointers), shape=tuple(shape.tolist()))
    if "list" in tree:
        inner = [h for h in typing.get_args(hint) if h is not Ellipsis]
        return tuple(
            _decode(item, inner[0] if inner else Any, arrays, also) for item in tree["list"]
        )
    if "map" in tree:
        value_hint = next(
            (typing.get_args(h)[1] for h in _members(hint) if len(typing.get_args(h)) == 2), Any
        )
        return {key: _decode(item, value_hint, arrays, also) for key, item in tree["map"].items()}
    kind = next((c for c in (*_classes(hint), *also) if c.__name__ == tree["class"]), None)
    if kind is None:
        raise InputError(
            f"the file holds a {tree['class']} where this version expects {hint}. If the class is "
            f"your own, name it: load(path, kind, also=({tree['class']},))"
        )
    hints = typing.get_type_hints(kind)
    known = {name: item for name, item in tree["fields"].items() if name in hints}
    return kind(**{name: _decode(item, hints[name], arrays, also) for name, item in known.items()})


def _members(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or the hint alone."""
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def _classes(hint: Any) -> list[type]:
    """The plain classes among the alternatives of a hint."""
    return [h for h in _members(hint) if isinstance(h, type)]
