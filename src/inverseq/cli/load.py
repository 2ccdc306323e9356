"""From the options of a command to behaviour in a world, divided for fitting and scoring."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from inverseq import datasets
from inverseq._core.errors import InputError
from inverseq.cli.options import Columns, HeldOut
from inverseq.cli.options import World as WorldOptions
from inverseq.datasets import Dataset
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.readers import read_table
from inverseq.readers.columns import Column, plain_array
from inverseq.readers.engine import connect, read_columns, scan_file
from inverseq.worlds import World, labyrinth

_DISCOUNT = 0.9


@dataclass(frozen=True, eq=False)
class Behaviour:
    """What a command works on.

    Attributes:
        title: For headings.
        demonstrations: All decisions.
        given: The world, or worlds by name; None where it is to be estimated.
        worlds: Worlds with drawings, by name.
        discount: gamma of an estimated world.
        seen_actions: In an estimated world: only actions seen at a state exist there.
        coordinates: `[S, 2]` of an estimated world whose states are pairs x, y; or None.
        dataset: The data set, where it is a bundled one.
        digest: SHA-256 of the file, or of the arrays of a bundled data set.
    """

    title: str
    demonstrations: Demonstrations
    given: MDP | Mapping[str, MDP] | None
    worlds: Mapping[str, World] = field(default_factory=dict)
    discount: float = _DISCOUNT
    seen_actions: bool = False
    coordinates: np.ndarray | None = None
    dataset: Dataset | None = None
    digest: str = ""

    def world_for(self, train: Demonstrations) -> MDP | Mapping[str, MDP]:
        """The world; an estimated one knows the transitions of `train` only."""
        if self.given is not None:
            return self.given
        return MDP.estimate(
            train,
            discount=self.discount,
            num_states=self.demonstrations.num_states,
            num_actions=self.demonstrations.num_actions,
            coordinates=self.coordinates,
            allowed=self._existing(),
        )

    def _existing(self) -> Bool[np.ndarray, "S A"]:
        """The actions that exist at each state of an estimated world."""
        known = self.demonstrations
        shape = (known.num_states, known.num_actions)
        if not self.seen_actions:
            return np.ones(shape, dtype=bool)
        seen = np.zeros(shape, dtype=bool)
        acted = known.actions >= 0
        seen[known.states[acted], known.actions[acted]] = True
        return seen | ~seen.any(axis=1, keepdims=True)


def load(table: str, columns: Columns, world: WorldOptions) -> Behaviour:
    """The behaviour that a command names.

    Raises:
        InputError: The file, a column, a value or the world cannot be used.
    """
    path = Path(table)
    if table in datasets.names() and not path.is_file():
        return _bundled(table, columns, world)
    if not path.exists():
        known = ", ".join(datasets.names())
        raise InputError(f"there is no file {table!r}, and no data set of that name: {known}")
    given, drawn = _world(world)
    demonstrations = _read(path, columns, given)
    return Behaviour(
        title=path.stem,
        demonstrations=demonstrations,
        given=given,
        worlds=drawn,
        discount=_DISCOUNT if world.discount is None else world.discount,
        seen_actions=world.actions == "seen",
        coordinates=_coordinates(columns.state, demonstrations) if given is None else None,
        digest=hashlib.sha256(path.read_bytes()).hexdigest(),
    )


def divide(behaviour: Behaviour, held_out: HeldOut) -> tuple[Demonstrations, Demonstrations, str]:
    """What is fitted, what is scored, and the division in words.

    Raises:
        InputError: There is no such column, or nothing can be held out.
    """
    known = behaviour.demonstrations
    column = held_out.split or (behaviour.dataset.split if behaviour.dataset else None)
    if column is None:
        train, test = known.split(held_out.test, by=held_out.by, seed=held_out.seed)
        share = f"{held_out.test:.0%} of the units ({held_out.by}), seed {held_out.seed}"
        return train, test, f"drawn at random: {share}"
    values = known.trajectories.get(column)
    if values is None:
        raise InputError(
            f"no column {column!r} that is constant in a trajectory; there are "
            f"{[*known.trajectories]}. Name one with --split, or leave it out for a random split"
        )
    test = np.array([str(v).lower() == "test" for v in values])
    if not test.any() or test.all():
        raise InputError(
            f"column {column!r} must be 'test' in some trajectories and not in all; it holds "
            f"{sorted({str(v) for v in values})[:5]}"
        )
    whose = "the data set's own" if held_out.split is None else "given in the table"
    return known.take(~test), known.take(test), f"{whose}: column {column!r}"


def _bundled(name: str, columns: Columns, world: WorldOptions) -> Behaviour:
    """A data set, in its own world unless told otherwise."""
    if columns != Columns():
        raise InputError(f"the columns of the data set {name!r} are known; leave such options out")
    if world.world is not None:
        raise InputError(f"the world of the data set {name!r} is known; leave --world out")
    dataset = datasets.load(name)
    given = dataset.mdp
    if world.discount is not None:
        given = _discounted(given, world.discount)
    return Behaviour(
        title=dataset.title,
        demonstrations=dataset.demonstrations,
        given=given,
        worlds=dataset.worlds,
        dataset=dataset,
        digest=dataset.demonstrations.fingerprint,
    )


def _discounted(given: MDP | Mapping[str, MDP], discount: float) -> MDP | Mapping[str, MDP]:
    """The same world or worlds with another discount."""
    if isinstance(given, MDP):
        return replace(given, discount=discount)
    return {name: replace(mdp, discount=discount) for name, mdp in given.items()}


def _world(options: WorldOptions) -> tuple[MDP | None, dict[str, World]]:
    """The world that was asked for (None: estimate it), and its drawing where there is one."""
    discount = _DISCOUNT if options.discount is None else options.discount
    if options.world in (None, "estimated"):
        if discount == 1:
            raise InputError(
                "a discount of 1 needs a world with an end; an estimated one has none that is "
                "sure. Give --discount 0.99, say, or --world TABLE"
            )
        return None, {}
    if options.actions == "seen":
        raise InputError("--actions seen goes with an estimated world; this world says what exists")
    if options.world == "labyrinth":
        drawn = labyrinth(discount)
        return drawn.mdp, {drawn.name: drawn}
    path = Path(str(options.world))
    if not path.exists():
        raise InputError(
            f"--world {options.world}: there is no such file. Give a transition table, "
            '"labyrinth", or "estimated"'
        )
    return MDP.from_table(_transitions(path), discount=discount), {}


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
        longest_step=columns.longest_step,
        **told,
    )


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
