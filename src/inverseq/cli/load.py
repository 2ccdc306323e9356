"""From the options of a command to data and the plan of their analysis."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from inverseq import datasets
from inverseq._core.errors import InputError
from inverseq.analysis.behaviour import DISCOUNT
from inverseq.cli.options import Columns
from inverseq.cli.options import World as WorldOptions
from inverseq.datasets import Dataset
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.readers import read_table
from inverseq.readers.columns import Column, plain_array
from inverseq.readers.engine import connect, read_columns, scan_file
from inverseq.readers.games import places_of_cells
from inverseq.worlds import World, labyrinth


@dataclass(frozen=True, eq=False)
class Loaded:
    """What a command works on.

    Attributes:
        data: All decisions, or a data set.
        settings: What the options say of the world, as fields of a `Plan`.
        digest: SHA-256 of the file; empty for a data set.
    """

    data: Demonstrations | Dataset
    settings: dict[str, Any]
    digest: str = ""


def load(table: str, columns: Columns, world: WorldOptions) -> Loaded:
    """The behaviour that a command names.

    Raises:
        InputError: The file, a column, a value or the world cannot be used.
    """
    path, settings = Path(table), {"discount": world.discount, "actions": world.actions}
    if table in datasets.names() and not path.is_file():
        if columns != Columns():
            raise InputError(
                f"the columns of the data set {table!r} are known; leave such options out"
            )
        if world.world is not None:
            raise InputError(f"the world of the data set {table!r} is known; leave --world out")
        return Loaded(datasets.load(table), settings)
    if not path.exists():
        known = ", ".join(datasets.names())
        raise InputError(f"there is no file {table!r}, and no data set of that name: {known}")
    given = _world(world)
    mdp = given.mdp if isinstance(given, World) else given
    known = _read(path, columns, mdp)
    settings |= {"world": given, "title": path.stem}
    if given is None:
        drawn = _coordinates(columns.state, known)
        settings["coordinates"] = places_of_cells(known) if drawn is None else drawn
    return Loaded(known, settings, hashlib.sha256(path.read_bytes()).hexdigest())


def _world(options: WorldOptions) -> MDP | World | None:
    """The world that was asked for; None to estimate it."""
    if options.world in (None, "estimated"):
        return None
    discount = DISCOUNT if options.discount is None else options.discount
    if options.world == "labyrinth":
        return labyrinth(discount)
    path = Path(str(options.world))
    if not path.exists():
        raise InputError(
            f"--world {options.world}: there is no such file. Give a transition table, "
            '"labyrinth", or "estimated"'
        )
    return MDP.from_table(_transitions(path), discount=discount)


def _transitions(path: Path) -> dict[str, np.ndarray]:
    """The columns of a transition table.

    Raises:
        InputError: A column is missing, or a number is none; the message names the row.
    """
    needed = ("state", "action", "next_state", "probability")
    with connect() as connection:
        scan = scan_file(path, connection)
        missing = [name for name in needed if name not in scan.types]
        if missing:
            raise InputError(
                f"{path.name} has no column {missing[0]!r}; a transition table has {needed} and it "
                f"has {[*scan.types]}"
            )
        wanted = [n for n in scan.types if n in (*needed, "reward")]
        columns = read_columns(scan, wanted, connection)
    for name in wanted:
        _require_values(path, columns[name], numbers=name in ("probability", "reward"))
    return {name: plain_array(column) for name, column in columns.items()}


def _require_values(path: Path, column: Column, *, numbers: bool) -> None:
    """Raise an `InputError` naming the first row whose value is missing or no number."""
    bad = column.missing.copy()
    if numbers and column.words is not None:
        bad |= ~np.array([_is_number(word) for word in column.words])[column.values]
    if bad.any():
        row = int(np.argmax(bad))
        expected = "a number" if numbers else "a value"
        raise InputError(
            f"{path.name}, row {row + 1}, column {column.name!r}: expected {expected}, got "
            f"{column.text(row)}"
        )


def _is_number(word: str) -> bool:
    """Whether `word` reads as a number."""
    try:
        float(word)
    except ValueError:
        return False
    return True


def _read(path: Path, columns: Columns, given: MDP | None) -> Demonstrations:
    """The table, with names numbered as in the world where that has names."""
    told: dict[str, Any] = {}
    for role in ("state", "action", "next_state", "subject", "session", "trajectory", "time"):
        value = getattr(columns, role)
        if value is not None:
            told[role] = _none_or(value, several=role in ("state", "next_state"))
    if columns.terminated is not None:
        told["terminated"] = _none_or(columns.terminated, several=False)
    if given is not None:
        told |= {"state_names": given.state_names, "action_names": given.action_names}
    return read_table(
        path,
        state_from_previous=_parts(columns.previous),
        missing=_parts(columns.missing),
        named=_parts(columns.named),
        bins=_bins(columns.bins),
        longest_step=columns.longest_step,
        partitions=columns.partitions,
        **told,
    )


def _bins(value: str | None) -> dict[str, int]:
    """How many intervals each column gets.

    Raises:
        InputError: It is not of the form x=10,y=8.
    """
    made = {}
    for part in _parts(value):
        name, _, number = part.rpartition("=")
        if not name or not number.strip().isdecimal():
            raise InputError(f"--bins takes columns and numbers of intervals, x=10,y=8; got {part}")
        made[name.strip()] = int(number)
    return made


def _none_or(value: str, *, several: bool) -> str | tuple[str, ...] | None:
    """A column, several, or none of that role."""
    if value == "none":
        return None
    parts = _parts(value)
    return parts if several and len(parts) > 1 else value


def _parts(value: str | None) -> tuple[str, ...]:
    """What stands between commas."""
    return () if value is None else tuple(part.strip() for part in value.split(",") if part.strip())


def _coordinates(state: str | None, known: Demonstrations) -> np.ndarray | None:
    """Places of the states where they are made of two whole numbers called x and y."""
    if [part.lower() for part in _parts(state)] != ["x", "y"]:
        return None
    places = [name.split("|") for name in known.state_names]
    whole = all(len(p) == 2 and all(n.lstrip("-").isdigit() for n in p) for p in places)
    return np.array(places, dtype=float) if places and whole else None
