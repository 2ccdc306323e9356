"""Worlds from transition tables: one, several that a column names, or one for each goal."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from inverseq._core.errors import InputError, argument
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.readers import numbering
from inverseq.readers.columns import Column, as_words, plain_array
from inverseq.readers.engine import connect, read_columns, scan_file
from inverseq.readers.roles import AUTO, resolve, several

_NEEDED = ("state", "action", "next_state", "probability")


def read_world(
    path: Path,
    *,
    discount: float,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    named: Sequence[str] = (),
) -> MDP | dict[str, MDP]:
    """The world of a transition table, or the worlds by name where it has a column "world".

    Args:
        path: A CSV or Parquet file with the columns state, action, next_state and probability, and
            perhaps reward and world, in any letter case.
        discount: gamma.
        columns: Role -> column or columns where they are called otherwise, as in the table of
            decisions; those that this table lacks are looked for by their usual names.
        named: Columns whose values are names although they look like numbers.

    Raises:
        InputError: The table cannot be read, lacks a column, or a row cannot be used.
    """
    wanted: dict[str, str | Sequence[str] | None] = dict.fromkeys(
        (*_NEEDED, "reward", "world"), AUTO
    )
    with connect() as connection:
        scan = scan_file(path, connection, named=named)
        given = {role: several(names) for role, names in (columns or {}).items() if role in wanted}
        wanted |= {role: names for role, names in given.items() if {*names} <= {*scan.types}}
        roles = resolve(tuple(scan.types), wanted)
        lacking = [role for role in _NEEDED if role not in roles]
        if lacking:
            raise InputError(
                f"{path.name} has no column {lacking[0]!r}; a transition table has {_NEEDED} and "
                f"it has {[*scan.types]}"
            )
        read = read_columns(scan, [n for names in roles.values() for n in names], connection)
    of = {role: [read[name] for name in names] for role, names in roles.items()}
    for role, found in of.items():
        for column in found:
            _require_values(path, column, numbers=role in ("probability", "reward"))
    of = {r: [as_words(c) if c.name in named else c for c in found] for r, found in of.items()}
    state, following = of["state"], of["next_state"]
    if len(state) != len(following):
        raise InputError(
            f"state has {len(state)} columns in {path.name}, next_state {len(following)}; name as "
            f"many with {argument('next_state')}"
        )
    if len(state) > 1:
        state, following = ([column] for column in numbering.joined_alike(state, following))
    states, state_names = numbering.number([*state, *following], (), "state")
    (actions,), action_names = numbering.number(of["action"], (), "action")
    table = {"state": states[0], "action": actions, "next_state": states[1]}
    table |= {r: plain_array(of[r][0]) for r in ("probability", "reward") if r in of}
    place = as_words(of["world"][0]) if "world" in of else None
    made = {}
    for number, name in enumerate(place.words or () if place else ("",)):
        rows = slice(None) if place is None else place.values == number
        own = {column: values[rows] for column, values in table.items()}
        # A world knows the first states of the common numbering, as far as it has them.
        size = int(max(own["state"].max(), own["next_state"].max())) + 1
        names = {"state_names": state_names[:size], "action_names": action_names}
        count = int(actions.max()) + 1
        made[name] = MDP.from_table(own, discount=discount, num_actions=count, **names)
    return made if place else made[""]


def towards(
    demonstrations: Demonstrations, mdp: MDP, goal: str
) -> tuple[Demonstrations, dict[str, MDP]]:
    """Worlds in which each trajectory ends at its own goal.

    Args:
        demonstrations: With a column per trajectory that names a state.
        mdp: The world that all share.
        goal: The column.

    Returns:
        The demonstrations with the goal as their world, and the world of each goal: that state is
        terminal and no other. Where `mdp` has no features, each state is one, so that a reward on
        features is shared by all goals.

    Raises:
        InputError: There is no such column, or it holds something that is no state.
    """
    values = demonstrations.trajectories.get(goal)
    if values is None:
        raise InputError(
            f"{argument('goal', goal)}: there is no such column that is constant in a trajectory; "
            f"there are {[*demonstrations.trajectories]}"
        )
    texts = [str(value) for value in values]
    known = mdp.state_names or tuple(map(str, range(mdp.num_states)))
    if strangers := sorted({*texts} - {*known}):
        raise InputError(f"column {goal!r} names {strangers[0]!r}, which is no state of the world")
    features = np.eye(mdp.num_states)[:, None].repeat(mdp.num_actions, 1)
    own = {"features": features} if mdp.features is None else {}
    worlds = {}
    for name in sorted({*texts}, key=known.index):
        terminal = np.arange(mdp.num_states) == known.index(name)
        allowed = mdp.allowed | terminal[:, None] | ~mdp.allowed.any(1, keepdims=True)
        worlds[name] = replace(mdp, terminal=terminal, allowed=allowed, **own)
    there = {**demonstrations.trajectories, "world": np.array(texts)}
    return replace(demonstrations, trajectories=there), worlds


def _require_values(path: Path, column: Column, *, numbers: bool) -> None:
    """Raise an `InputError` naming the first row whose value is missing or no number."""
    bad = column.missing.copy()
    if numbers and column.words is not None:
        bad |= ~numbering.numeric_words(column)[column.values]
    if bad.any():
        row = int(np.argmax(bad))
        expected = "a number" if numbers else "a value"
        raise InputError(
            f"{path.name}, row {row + 1}, column {column.name!r}: expected {expected}, got "
            f"{column.text(row)}"
        )
