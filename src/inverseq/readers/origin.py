"""What is to be said of a table as a whole: where it came from, what was read how, its last row."""

from collections.abc import Mapping

import numpy as np

from inverseq._core.errors import InputError
from inverseq.readers.columns import Column
from inverseq.readers.roles import Columns

_NEEDED = ("state", "subject", "session", "trajectory", "time")
"""Roles without which a row is no row."""


def described(origin: str, roles: Mapping[str, Columns], columns: Mapping[str, Column]) -> str:
    """Where a table came from, which columns play which role, and what was taken as missing."""
    before = roles["state_from_previous"]
    told = [
        f"{role} from {','.join(names)!r}"
        for role, names in roles.items()
        if names != (role,) and role != "state_from_previous"
    ]
    told += [f"state from the previous {','.join(before)!r}"] * bool(before)
    nothing = [
        f"{count} {text!r} in {column.name!r}"
        for column in columns.values()
        for text, count in column.nothing.items()
    ]
    told += [f"missing: {', '.join(nothing)}"] * bool(nothing)
    return origin + (f" ({', '.join(told)})" if told else "")


def refuse_footer(roles: Mapping[str, Columns], columns: Mapping[str, Column]) -> None:
    """Raise an `InputError` where the last row, and it alone, has nothing in half of its columns.

    A last row may well lack an action and where it led, but neither a state nor a time.
    """
    playing = [columns[name] for names in roles.values() for name in names]
    needed = [columns[name] for role in _NEEDED for name in roles.get(role, ())]
    lacks = sum(
        (c.missing.astype(np.int16) for c in playing[1:]), playing[0].missing.astype(np.int16)
    )
    sparse = lacks >= max(2, len(playing) / 2)
    last = len(sparse) - 1
    if sparse[:last].any() or not sparse[last] or not any(c.missing[last] for c in needed):
        return
    lacking = [c.name for c in playing if c.missing[last]]
    there = [f"{c.text(last)!r} in {c.name!r}" for c in playing if not c.missing[last]]
    raise InputError(
        f"row {last + 1}, the last, has nothing in {lacking} and {', '.join(there) or 'no value'}: "
        "it looks like a footer, a sum or a note. Delete this row"
    )
