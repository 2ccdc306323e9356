"""Worlds from transition tables: one, several that a column names, or one for each goal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError, argument
from inverseq.decisions.goals import goal_features, goals_of, require_goal_features
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.readers import numbering
from inverseq.readers.columns import Column, as_words, plain_array
from inverseq.readers.engine import connect, read_columns, scan_file
from inverseq.readers.roles import AUTO, resolve, several

_TOLERANCE = 1e-6
_NEEDED = ("state", "action", "next_state", "probability")


def read_world(
    path: Path,
    *,
    discount: float,
    columns: Mapping[str, str | Sequence[str]] | None = None,
    named: Sequence[str] = (),
    places: Path | None = None,
) -> MDP | dict[str, MDP]:
    """The world of a transition table, or the worlds by name where it has a column "world".

    Further columns of numbers are features of a transition, `length` for example: that of a state
    and action is their mean over next states. Columns of texts say nothing here.

    Args:
        path: A CSV or Parquet file with the columns state, action, next_state and probability, and
            perhaps reward and world, in any letter case.
        discount: gamma.
        columns: Role -> column or columns where they are called otherwise, as in the table of
            decisions; those that this table lacks are looked for by their usual names.
        named: Columns whose values are names although they look like numbers.
        places: A table with one row per state: `state`, perhaps x and y (where to draw it), and
            columns of numbers, which are features of the decisions that lead there.

    Raises:
        InputError: A table cannot be read, lacks a column or a state, or a row cannot be used.
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
        read = read_columns(scan, [*scan.types], connection)
    of = {role: [read[name] for name in names] for role, names in roles.items()}
    told = _features(path, read, [n for names in roles.values() for n in names])
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
    known = None if places is None else _places(places, state_names, _size(states))
    if known is not None and (twice := [name for name in known.features if name in told]):
        raise InputError(
            f"{path.name} and the table of places both have a column {twice[0]!r}, which would be "
            "two features of one name; rename one, or leave it out"
        )
    made = {}
    for number, name in enumerate(place.words or () if place else ("",)):
        rows = np.flatnonzero(place.values == number) if place else np.arange(len(actions))
        own = {column: values[rows] for column, values in table.items()}
        _require_whole(path, own, rows, of["state"][0], of["action"][0])
        # A world knows the first states of the common numbering, as far as it has them.
        size = int(max(own["state"].max(), own["next_state"].max())) + 1
        fields: dict[str, Any] = {"state_names": state_names[:size], "action_names": action_names}
        if known is not None and known.coordinates is not None:
            fields["coordinates"] = known.coordinates[:size]
        shape = (size, int(actions.max()) + 1)
        fields |= _featured(own, {n: v[rows] for n, v in told.items()}, known, shape)
        made[name] = MDP.from_table(own, discount=discount, num_actions=shape[1], **fields)
    return made if place else made[""]


@dataclass(frozen=True, eq=False)
class _Places:
    """What a table of states tells: where each lies, and features of arriving there."""

    coordinates: Float[np.ndarray, "S 2"] | None
    features: Mapping[str, Float[np.ndarray, " S"]]


def _size(states: Sequence[np.ndarray]) -> int:
    """S."""
    return int(max(column.max() for column in states)) + 1


def _features(
    path: Path, read: Mapping[str, Column], taken: Sequence[str]
) -> dict[str, Float[np.ndarray, " N"]]:
    """The columns of numbers that play no role.

    Raises:
        InputError: A row of one of them is empty.
    """
    made = {}
    for name, column in read.items():
        if name in taken or not _holds_numbers(column):
            continue
        _require_values(path, column, numbers=True)
        made[name] = plain_array(column).astype(float)
    return made


def _holds_numbers(column: Column) -> bool:
    """Whether a column holds numbers alone, words that read as such among them."""
    if column.words is None:
        return column.values.dtype.kind in "iuf"
    used = column.values[~column.missing]
    return used.size > 0 and bool(numbering.numeric_words(column)[used].all())


def _places(path: Path, names: tuple[str, ...], size: int) -> _Places:
    """The table of states, in the order of their numbers.

    Raises:
        InputError: It lacks a state, or one stands there twice.
    """
    with connect() as connection:
        scan = scan_file(path, connection)
        roles = resolve(tuple(scan.types), {"state": AUTO})
        read = read_columns(scan, [*scan.types], connection)
    state = as_words(read[roles["state"][0]])
    _require_values(path, state, numbers=False)
    assert state.words is not None  # made of words above
    wanted = names_or_numbers(names, size)
    texts = [state.words[value] for value in state.values.tolist()]
    first = {text: row for row, text in reversed([*enumerate(texts)])}
    if len(first) < len(texts):
        row = next(row for row, text in enumerate(texts) if first[text] != row)
        raise InputError(
            f"{path.name}, row {row + 1}: state {texts[row]!r} stands in row "
            f"{first[texts[row]] + 1} already; give each state one row"
        )
    if lacking := [name for name in wanted if name not in first]:
        raise InputError(
            f"{path.name} has no row for state {lacking[0]!r} ({len(lacking)} such states); give "
            "each state of the transition table one"
        )
    rows = np.array([first[name] for name in wanted])
    told = {n: v[rows] for n, v in _features(path, read, roles["state"]).items()}
    axes = [n for role in ("x", "y") for n in told if n.lower() == role]
    at = np.stack([told.pop(n) for n in axes], axis=1) if len(axes) == 2 else None
    return _Places(at, told)


def _require_whole(
    path: Path, own: Mapping[str, np.ndarray], rows: np.ndarray, state: Column, action: Column
) -> None:
    """Raise an `InputError` for the first action whose probabilities do not sum to one."""
    pair = np.unique(np.stack([own["state"], own["action"]]), axis=1, return_inverse=True)[1]
    total = np.bincount(pair.ravel(), own["probability"])
    bad = np.abs(total - 1)[pair.ravel()] > _TOLERANCE
    if bad.any():
        row = int(rows[np.argmax(bad)])
        raise InputError(
            f"{path.name}, row {row + 1}: probabilities of action {action.text(row)} at state "
            f"{state.text(row)} sum to {total[pair.ravel()[np.argmax(bad)]]:.6g}, not to 1; give "
            "every next state its row"
        )


def _featured(
    own: Mapping[str, np.ndarray],
    told: Mapping[str, Float[np.ndarray, " n"]],
    known: _Places | None,
    shape: tuple[int, int],
) -> dict[str, Any]:
    """Features of each state and action: their means over next states; nothing where none are."""
    arriving = {} if known is None else known.features
    values = {**told, **{n: v[own["next_state"]] for n, v in arriving.items()}}
    if not values:
        return {}
    features = np.zeros((*shape, len(values)))
    for number, each in enumerate(values.values()):
        np.add.at(features[..., number], (own["state"], own["action"]), own["probability"] * each)
    return {"features": features, "feature_names": tuple(values)}


def towards(
    demonstrations: Demonstrations, mdp: MDP, goal: str, names: Sequence[str] = ()
) -> tuple[Demonstrations, dict[str, MDP]]:
    """Worlds in which each trajectory ends at its own goal.

    Args:
        demonstrations: With a column per trajectory that names a state.
        mdp: The world that all share.
        goal: The column.
        names: Of `GOAL_FEATURES`, what is known of moves on the way there beside their features.

    Returns:
        The demonstrations with the goal as their world, and the world of each goal: that state is
        terminal and no other. Where `mdp` has no features, each state is one, so that a reward on
        features is shared by all goals.

    Raises:
        InputError: There is no such column, it holds something that is no state, or features of
            goals have no coordinates.
    """
    require_goal_features(mdp, names)
    goals = goals_of(demonstrations, mdp, goal)
    texts = [str(value) for value in demonstrations.trajectories[goal]]
    features, called = mdp.features, mdp.feature_names
    if features is None:
        features = np.eye(mdp.num_states)[:, None].repeat(mdp.num_actions, 1)
    if names and not called:
        called = tuple(f"feature {k + 1}" for k in range(features.shape[2]))
    worlds = {}
    for state, name in sorted({*zip(goals.tolist(), texts, strict=True)}):
        terminal = np.arange(mdp.num_states) == state
        allowed = mdp.allowed | terminal[:, None] | ~mdp.allowed.any(1, keepdims=True)
        own = np.concatenate([features, _on_the_way(mdp, state, names)], axis=2)
        told = {"features": own, "feature_names": (*called, *names)}
        worlds[name] = replace(mdp, terminal=terminal, allowed=allowed, **told)
    there = {**demonstrations.trajectories, "world": np.array(texts)}
    return replace(demonstrations, trajectories=there), worlds


def _on_the_way(mdp: MDP, goal: int, names: Sequence[str]) -> Float[np.ndarray, "S A P"]:
    """Features of a goal of each state and action: their means over next states."""
    matrix = mdp.transition_matrix.tocoo()
    tails = matrix.row // mdp.num_actions
    each = goal_features(mdp, tails, matrix.col, np.array([goal]), names)[:, 0]
    made = np.zeros((mdp.num_states * mdp.num_actions, len(names)))
    np.add.at(made, matrix.row, matrix.data[:, None] * each)
    return made.reshape(mdp.num_states, mdp.num_actions, -1)


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
