"""Which column of a table is what."""

import difflib
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from inverseq._core.errors import InputError, argument

AUTO = "auto"
"""Stands for: look for a column with one of the known names."""

LABELS = ("subject", "session", "trajectory")
"""Roles whose columns tell trajectories apart."""

KNOWN = {
    "state": ("state",),
    "action": ("action",),
    "next_state": ("nextstate",),
    "subject": ("subject", "subj", "sub", "animal", "mouse", "rat", "monkey", "participant"),
    "session": ("session",),
    "trajectory": ("trajectory", "traj", "episode", "bout", "round"),
    "time": ("time", "t", "trial", "step"),
    "terminated": ("terminated",),
    "gap": ("gapafter",),
    "world": ("world",),
    "probability": ("probability", "prob", "p"),
    "reward": ("reward",),
}
"""Names under which a role is found, in small letters alone and without a final "id" or "nr"."""

_NUMBERING = re.compile("(id|idx|index|nr|no|num|number)$")

_NEEDED = ("state", "action")

Columns = tuple[str, ...]


def resolve(
    present: Sequence[str], wanted: Mapping[str, str | Sequence[str] | None]
) -> dict[str, Columns]:
    """Columns of each role that the table has.

    Args:
        present: Column names of the table.
        wanted: Role -> a column, several columns, `AUTO`, or None for "the table has none".

    Returns:
        Role -> its columns; roles without a column are left out.

    Raises:
        InputError: A named column does not exist, a needed one is not found, or several columns
            could play one role.
    """
    found: dict[str, Columns] = {}
    for role, given in wanted.items():
        if given is not None and given != AUTO:
            columns = several(given)
            for column in columns:
                require_column(column, present, role)
            found[role] = columns
    _refuse_twice(found)
    taken = {column for columns in found.values() for column in columns}
    free = [column for column in present if column not in taken]
    _refuse_doubtful_trial(free, wanted)
    for role, given in wanted.items():
        if given != AUTO:
            continue
        column = _known(role, free)
        if column is not None:
            found[role] = (column,)
        elif role in _NEEDED:
            require_column(role, present, role)
            raise InputError(
                f"there is no column {role!r} left; the table has {[*present]}, and {role!r} plays "
                f'another role. Name the right one with {role}="..."'
            )
    return found


def guessed(present: Sequence[str]) -> dict[str, str]:
    """Role -> the column that plays it by its name, where exactly one could."""
    found: dict[str, str] = {}
    for role in KNOWN:
        with suppress(InputError):  # several could
            if (column := _known(role, present)) is not None:
                found[role] = column
    return found


def _refuse_twice(found: Mapping[str, Columns]) -> None:
    """Raise where one column is to be two things. Labels (subject, session ...) may be the same."""
    for role in ("state", "action", "next_state", "time", "terminated", "gap"):
        for other, columns in found.items():
            if other != role and len(columns) == 1 and found.get(role) == columns:
                raise InputError(
                    f"{columns[0]!r} is given as {role} and as {other}; one column is one of them"
                )


def several(given: Any) -> tuple[Any, ...]:
    """One value or several as a tuple; a text is one value."""
    return (given,) if np.ndim(given) == 0 else tuple(given)


def require_column(column: str, present: Sequence[str], role: str) -> None:
    """Raise an `InputError` that helps where `column` is not among those present."""
    if column in present:
        return
    if role == "state" and column == "state":
        # Nearly every table has something with "state" or "start" in its name; a guess misleads.
        raise InputError(
            f"there is no column 'state'; the table has {[*present]}. Name the right one (or "
            f"several) with {argument('state')}, or, where the state is what came before, its "
            f"columns with {argument('state_from_previous')}"
        )
    if role == "action" and column == "action":
        raise InputError(
            f"there is no column 'action'; the table has {[*present]}. Name the right one with "
            f"{argument('action')}, or, where states are positions, make actions of where one went "
            f"next: {argument('action', 'moves')}"
        )
    near = difflib.get_close_matches(column.lower(), [p.lower() for p in present], n=1, cutoff=0.6)
    close = next((p for p in present if near and p.lower() == near[0]), None)
    hint = f" Did you mean {close!r}?" if close else ""
    raise InputError(
        f"there is no column {column!r}; the table has {[*present]}.{hint} Name the right one with "
        f"{argument(role)}"
    )


def _known(role: str, free: Sequence[str]) -> str | None:
    """The one free column with a known name of the role; its own name wins."""
    candidates = [column for column in free if plain_name(column) in KNOWN[role]]
    exact = [c for c in candidates if plain_name(c) == role.replace("_", "")]
    if len(exact) == 1:
        return exact[0]
    if len(candidates) > 1:
        raise InputError(
            f"columns {candidates} could each be the {role}; say which with "
            f"{argument(role, candidates[0])}"
        )
    return candidates[0] if candidates else None


def _refuse_doubtful_trial(
    free: Sequence[str], wanted: Mapping[str, str | Sequence[str] | None]
) -> None:
    """Raise where "trial" stands beside another time and nothing else numbers trajectories."""
    if wanted.get("time") != AUTO or wanted.get("trajectory") != AUTO:
        return
    times = [column for column in free if plain_name(column) in KNOWN["time"]]
    trials = [column for column in times if plain_name(column) == "trial"]
    if trials and len(times) > 1 and _known("trajectory", free) is None:
        other = next(column for column in times if column not in trials)
        raise InputError(
            f"{trials[0]!r} may number trajectories or the decisions in one, as there is also "
            f"{other!r}. Say {argument('trajectory', trials[0])} and {argument('time', other)}, or "
            f"{argument('time', trials[0])}"
        )


def plain_name(column: str) -> str:
    """A column name in small letters alone, without what only says that it is a number."""
    letters = re.sub(r"[\W_]", "", column.lower())
    return _NUMBERING.sub("", letters) or letters
