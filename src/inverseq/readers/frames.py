"""Tables that are in memory already: mappings of arrays, pandas, Polars and Arrow frames.

They are known by what they can do, so that none of these libraries is imported here.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from inverseq._core.errors import InputError
from inverseq.readers.columns import Column, column_from_array


def frame_names(source: Any) -> tuple[str, ...]:
    """Column names of a mapping or frame.

    Raises:
        InputError: It is neither, or two columns have the same name.
    """
    names = _labels(source)
    texts = [str(name) for name in names]
    twice = sorted({text for text in texts if texts.count(text) > 1})
    if twice:
        raise InputError(f"the table has two columns called {twice[0]!r}; rename one")
    return tuple(texts)


def _labels(source: Any) -> list[Any]:
    """What the columns are called, not always by a text."""
    if isinstance(source, Mapping):
        return list(source)
    # Arrow keeps its names apart; its `columns` are the data.
    labels = getattr(source, "column_names", None) or getattr(source, "columns", None)
    if labels is None or not hasattr(source, "__getitem__"):
        raise InputError(
            f"a {type(source).__name__} is no table; give the path of a CSV or Parquet file, a "
            "pandas or Polars frame, or a mapping from column names to arrays"
        )
    return list(labels)


def frame_columns(source: Any, names: Sequence[str]) -> dict[str, Column]:
    """The named columns of a mapping or frame."""
    labels = _labels(source)
    label_of = {str(label): label for label in labels}
    return {name: _column(name, source[label_of[name]]) for name in names}


def _column(name: str, values: Any) -> Column:
    """A column of a frame; its library's own mark of missing values is heeded."""
    if hasattr(values, "isna"):  # pandas
        missing = values.isna().to_numpy()
        # The library's own types would give its own scalars.
        odd = not isinstance(values.dtype, np.dtype) or values.dtype.kind not in "biufMm"
        return column_from_array(name, values.to_numpy(dtype=object if odd else None), missing)
    if hasattr(values, "is_null") and hasattr(values, "to_numpy"):  # Polars, Arrow
        missing = values.is_null().to_numpy()
        kind = str(getattr(values, "dtype", None) or values.type).lower()
        if missing.any() and "int" in kind.split("(")[0]:
            values = values.fill_null(
                0
            )  # else whole numbers become fractions, and long ones others
        return column_from_array(name, values.to_numpy(), missing)
    return column_from_array(name, values)
