"""Checks of arrays at the door, and read-only views of what passed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inverseq._core.errors import InputError


def frozen_array(values: Any, dtype: Any, name: str) -> np.ndarray:
    """A read-only, C-contiguous array of `dtype`, or an `InputError` naming the field.

    Integers are never made from fractions or from numbers too large for them, truth values never
    from anything but 0 and 1, nor NaN from text. No copy is made where the type already fits; the
    caller's own array stays writable.
    """
    try:
        array = np.asarray(values)
        narrower = array.dtype.kind in "iuf" and not np.can_cast(array.dtype, dtype)
        if np.issubdtype(dtype, np.integer) and narrower:
            _require_whole(array, np.iinfo(dtype), name)
        if dtype is bool and array.dtype != bool and not np.isin(array, (0, 1)).all():
            raise InputError(f"{name} must hold true and false, or 1 and 0")
        result = np.ascontiguousarray(array, dtype=dtype)
    except (TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{name} cannot be read as an array of {np.dtype(dtype)}: {error}"
        ) from error
    view = result.view()
    view.setflags(write=False)
    return view


def freeze(record: Any, dtype: Any, *names: str) -> None:
    """Make fields of a frozen record read-only arrays of `dtype`; None keeps their own.

    Arrays in a tuple or a mapping become so each; a field that is None stays None.
    """
    for name in names:
        object.__setattr__(record, name, _frozen(getattr(record, name), dtype, name))


def _frozen(value: Any, dtype: Any, name: str) -> Any:
    if value is None:
        return None
    if isinstance(value, tuple):
        return tuple(_frozen(each, dtype, name) for each in value)
    if isinstance(value, Mapping):
        return {key: _frozen(each, dtype, key) for key, each in value.items()}
    return frozen_array(value, value.dtype if dtype is None else dtype, name)


def _require_whole(array: np.ndarray, limits: np.iinfo, name: str) -> None:
    """Raise an `InputError` unless all numbers are whole and within `limits`."""
    if array.dtype.kind == "f" and (
        not np.isfinite(array).all() or (array != np.floor(array)).any()
    ):
        raise InputError(f"{name} must hold whole numbers; got fractions, NaN or infinity")
    if array.size and not (array.min() >= limits.min and array.max() <= limits.max):
        raise InputError(
            f"{name} must hold numbers from {limits.min} to {limits.max}; got {array.min()} to "
            f"{array.max()}"
        )


def require_numbering(
    values: np.ndarray, what: str, remedy: str = "", largest: int = 10_000_000
) -> None:
    """Raise an `InputError` where numbers are labels: above `largest`, and far more than occur.

    Every number below the largest stands for something, so that arrays would fill the memory.
    """
    last = int(values.max(initial=-1))
    if last < largest:
        return
    distinct = len(np.unique(values[values >= 0]))
    if last >= 1000 * distinct:
        raise InputError(
            f"{what} numbers go up to {last}, but there are only {distinct} different ones, and "
            f"every number below the largest would be a {what} too. Number them from 0{remedy}"
        )


def require_shape(
    array: np.ndarray, shape: tuple[int | None, ...], name: str, letters: str
) -> None:
    """Raise an `InputError` unless `array` has `shape`; None stands for any length."""
    fits = array.ndim == len(shape) and all(
        want is None or got == want for got, want in zip(array.shape, shape, strict=True)
    )
    if not fits:
        wanted = "x".join("any" if n is None else str(n) for n in shape)
        got = "x".join(map(str, array.shape)) or "a single number"
        raise InputError(f"{name} must have shape [{letters}] = {wanted}; got {got}")


def require_finite(array: np.ndarray, name: str) -> None:
    """Raise an `InputError` naming the first NaN or infinite entry of `array`."""
    bad = ~np.isfinite(array)
    if bad.any():
        where = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"{name}{list(where)} is {array[where]}; {int(bad.sum())} of {array.size} entries are "
            "not finite. Give a finite number everywhere."
        )


def numbered(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different keys in rising order, and the place of each key among them.

    As `np.unique(keys, return_inverse=True)` of whole numbers, without sorting where they are from
    0 and not many times more than there are of them.
    """
    if not keys.size or keys.min() < 0 or keys.max() >= 5 * keys.size:
        return np.unique(keys, return_inverse=True)
    seen = np.zeros(int(keys.max()) + 1, dtype=bool)
    seen[keys] = True
    place = np.cumsum(seen, dtype=np.int32 if seen.size < 2**31 else np.int64)
    place -= 1
    return np.flatnonzero(seen), place[keys].astype(np.int64)


def names_or_numbers(names: Sequence[str], count: int) -> tuple[str, ...]:
    """The names of `count` things, or their numbers from 0 where they have none."""
    return tuple(names) or tuple(map(str, range(count)))
