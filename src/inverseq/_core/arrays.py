"""Checks of arrays at the door, and read-only views of what passed."""

from typing import Any

import numpy as np

from inverseq._core.errors import InputError


def frozen_array(values: Any, dtype: Any, name: str) -> np.ndarray:
    """A read-only, C-contiguous array of `dtype`, or an `InputError` naming the field.

    Integers are never made from fractions, nor NaN from text. No copy is made where the type
    already fits; the caller's own array stays writable.
    """
    try:
        array = np.asarray(values)
        counted = np.issubdtype(dtype, np.integer) and array.dtype.kind == "f"
        if counted and (not np.isfinite(array).all() or (array != np.floor(array)).any()):
            raise InputError(f"{name} must hold whole numbers; got fractions, NaN or infinity")
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
