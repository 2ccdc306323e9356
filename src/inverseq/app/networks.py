"""Worlds of states and ways that are drawn on a canvas: from the page to files and back."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inverseq._core.errors import InputError
from inverseq._core.files import to_csv

ENDING, PLACES = ".csv", "-places.csv"
"""How the table of ways ends, and that of where states lie, beside it."""

MOST_STATES, MOST_WAYS = 300, 5000
_LONGEST = 60
_WAYS = ("state", "action", "next_state", "probability")
_WHERE = ("state", "x", "y")


@dataclass(frozen=True)
class Way:
    """What an action may lead to.

    Attributes:
        begin: State where it is done.
        action: What is done.
        end: State that it leads to.
        weight: How likely, against the other ends of this action at this state.
    """

    begin: str
    action: str
    end: str
    weight: float


@dataclass(frozen=True)
class Network:
    """A world as it is drawn.

    Attributes:
        states: Name of each state -> x and y, downwards, as on the canvas.
        ways: What leads where. A state without any is an end.
    """

    states: Mapping[str, tuple[float, float]]
    ways: tuple[Way, ...]


def drawn(told: Mapping[str, Any]) -> Network:
    """What a page sends.

    Raises:
        InputError: It is no network, or a name or a number of it cannot be used.
    """
    try:
        places = [(_name(s["name"]), float(s["x"]), float(s["y"])) for s in told["states"]]
        ways = tuple(
            Way(_name(w["from"]), _name(w["action"]), _name(w["to"]), float(w["weight"]))
            for w in told["ways"]
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError("the page and the server do not understand each other") from error
    states = {name: (x, y) for name, x, y in places}
    if len(states) < len(places):
        names = [name for name, _, _ in places]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two states are called {twice!r}: give one another name")
    if len(states) < 2 or not ways:
        raise InputError("a world has two states and a way between them, at least")
    if len(states) > MOST_STATES or len(ways) > MOST_WAYS:
        raise InputError(
            f"{len(states)} states and {len(ways)} ways are too many to draw ({MOST_STATES} and "
            f"{MOST_WAYS} at most): bring a transition table in on the page Data"
        )
    if not all(math.isfinite(number) for at in states.values() for number in at):
        raise InputError("the page and the server do not understand each other")
    for way in ways:
        for name in (way.begin, way.end):
            if name not in states:
                raise InputError(f"a way leads from or to {name!r}, which is no state")
        if not 0 < way.weight < math.inf:
            raise InputError(f"how likely {way.action!r} leads to {way.end!r} is a number above 0")
    reached = {name for way in ways for name in (way.begin, way.end)}
    if alone := [name for name in states if name not in reached]:
        raise InputError(f"no way leads to {alone[0]!r} or from it: connect it, or remove it")
    pairs = [(way.begin, way.action, way.end) for way in ways]
    if len({*pairs}) < len(pairs):
        begin, action, end = next(pair for pair in pairs if pairs.count(pair) > 1)
        raise InputError(f"{action!r} leads from {begin!r} to {end!r} twice: remove one")
    return Network(states, ways)


def _name(told: Any) -> str:
    """A name that comes back from a file, and from a spreadsheet, as it was.

    Raises:
        InputError: It does not.
    """
    name = told.strip() if isinstance(told, str) else ""
    if not 0 < len(name) <= _LONGEST or not name.isprintable():
        raise InputError(f"names have 1 to {_LONGEST} letters; got {told!r:.80}")
    if [*csv.reader([to_csv((name,), ())])] != [[name]]:
        raise InputError(f"a spreadsheet takes the name {name!r} for a formula: give another")
    return name


def as_tables(network: Network) -> tuple[str, str]:
    """The ways as a transition table whose likelihoods sum to one, and where states lie: CSV."""
    total: dict[tuple[str, str], float] = {}
    for way in network.ways:
        pair = way.begin, way.action
        total[pair] = total.get(pair, 0.0) + way.weight
    rows = [
        (way.begin, way.action, way.end, way.weight / total[way.begin, way.action])
        for way in network.ways
    ]
    return to_csv(_WAYS, rows), to_csv(_WHERE, [(n, *at) for n, at in network.states.items()])


def from_tables(ways: Path) -> Network:
    """A network that was drawn here.

    Raises:
        InputError: It was not, or has been changed so that it cannot be drawn any more.
    """
    try:
        moves, places = _read(ways, _WAYS), _read(ways.with_name(ways.stem + PLACES), _WHERE)
        told = [{"name": name, "x": x, "y": y} for name, x, y in places]
        led = [dict(zip(("from", "action", "to", "weight"), row, strict=True)) for row in moves]
        return drawn({"states": told, "ways": led})
    except (OSError, ValueError, csv.Error) as error:
        raise InputError(
            f"{ways.name} was not drawn here, so it cannot be changed here. As the world of a "
            "table it can be chosen on the page Data"
        ) from error


def _read(path: Path, names: tuple[str, ...]) -> list[list[str]]:
    """The rows of a table with these columns.

    Raises:
        ValueError: It has others, or rows of other lengths, or far too many.
    """
    with path.open(encoding="utf-8", newline="") as stream:
        rows = csv.reader(stream)
        if tuple(next(rows, ())) != names:
            raise ValueError("other columns")
        found = []
        for row in rows:
            found.append(row)
            if len(row) != len(names) or len(found) > MOST_WAYS:
                raise ValueError("other rows")
        return found


def as_json(network: Network) -> dict[str, Any]:
    """A network as the page has it."""
    return {
        "states": [{"name": n, "x": x, "y": y} for n, (x, y) in network.states.items()],
        "ways": [
            {"from": w.begin, "action": w.action, "to": w.end, "weight": w.weight}
            for w in network.ways
        ],
    }
