"""Where each decision stands in an MDP: world, history and names taken into account."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Int

from inverseq._core.arrays import names_or_numbers
from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.spaces import number_of, numbers_meant
from inverseq.mdp import MDP
from inverseq.mdp.history import history_rows


def align(demonstrations: Demonstrations, mdp: MDP) -> Int[np.ndarray, " N"]:
    """The state of `mdp` in which each decision was made.

    Adds the world's offset in a union of worlds and looks up the remembered states or actions in
    an MDP with history. In an MDP that was estimated from other data, a past that cannot occur
    there counts as no past at all.

    Args:
        demonstrations: With integer states.
        mdp: The world, the union of worlds, or either with history.

    Returns:
        `[N]` states of `mdp`.

    Raises:
        InputError: A state or action is outside the world, a world has no name there, or a past
            is impossible; the message names the row.
    """
    _check_names(demonstrations, mdp)
    demonstrations = in_numbers(demonstrations, mdp)
    _check_fit(demonstrations, mdp)
    base = demonstrations.states + world_shift(demonstrations, mdp)
    if mdp.history is None:
        return base
    past = history_rows(
        base,
        demonstrations.actions,
        demonstrations.continues,
        mdp.history.length,
        mdp.history.of,
    )
    found = mdp.history.find(base, past)
    lost = found < 0
    if lost.any() and "estimated" not in mdp.notes:
        row = int(np.argmax(lost))
        raise InputError(
            f"row {demonstrations.row(row)}: state {base[row]} after {past[row].tolist()} cannot "
            f"happen in this world ({int(lost.sum())} such rows). Run inverseq doctor to see the "
            "impossible transitions; remove them or mark gaps there."
        )
    found[lost] = mdp.history.find(base[lost], np.full_like(past[lost], -1))
    return found


def in_numbers(demonstrations: Demonstrations, mdp: MDP) -> Demonstrations:
    """The demonstrations with the numbers of a world without names, where their names are these.

    A table whose numbers leave some out numbers those that occur, and keeps the rest in names.
    """
    changes: dict[str, Any] = {}
    meant = None if mdp.state_names else numbers_meant(demonstrations.state_names)
    if meant is not None:
        led = demonstrations.following
        following = replace(led, states=np.where(led.states < 0, -1, meant[led.states]))
        states = meant[demonstrations.states]
        changes |= {"states": states, "following": following, "state_names": ()}
    meant = None if mdp.action_names else numbers_meant(demonstrations.action_names)
    if meant is not None:
        changes |= {"actions": np.append(meant, -1)[demonstrations.actions], "action_names": ()}
    return replace(demonstrations, **changes) if changes else demonstrations


def world_shift(demonstrations: Demonstrations, mdp: MDP) -> Int[np.ndarray, " N"] | int:
    """What to add to each state's number in a union of worlds; 0 in a single world."""
    if mdp.worlds is None:
        return 0
    names = demonstrations.trajectories.get("world")
    if names is None:
        raise InputError(
            "several worlds need the trajectory column 'world' that says which is whose; there are "
            f"{[*demonstrations.trajectories]}"
        )
    number = {name: i for i, name in enumerate(mdp.worlds.names)}
    unknown = sorted({str(n) for n in names} - set(number))
    if unknown:
        raise InputError(f"no MDP for world {unknown[0]!r}; there are {[*number][:20]}")
    which = np.array([number[str(n)] for n in names])[demonstrations.trajectory_of]
    sizes = np.diff(mdp.worlds.offsets)[which]
    if (demonstrations.states >= sizes).any():
        row = int(np.argmax(demonstrations.states >= sizes))
        raise InputError(
            f"row {demonstrations.row(row)}: state {demonstrations.states[row]} is outside its "
            f"world, which has {sizes[row]} states"
        )
    return mdp.worlds.offsets[which]


def _check_fit(demonstrations: Demonstrations, mdp: MDP) -> None:
    """Raise an `InputError` where states or actions do not exist in the world at all."""
    number_of(demonstrations.state_space, "states")
    number_of(demonstrations.action_space, "actions")
    num_states = mdp.num_states if mdp.history is None else mdp.history.num_base_states
    for what, values, count in (
        ("state", demonstrations.states, num_states),
        ("action", demonstrations.actions, mdp.num_actions),
    ):
        if (values >= count).any():
            row = int(np.argmax(values >= count))
            raise InputError(
                f"row {demonstrations.row(row)}: {what} {values[row]} is outside the world, which "
                f"has {count} {what}s numbered 0 to {count - 1}"
            )


def _check_names(demonstrations: Demonstrations, mdp: MDP) -> None:
    """Raise an `InputError` where numbers stand for other things than in the world."""
    for what, first, mine, theirs in name_conflicts(demonstrations, mdp):
        raise InputError(
            f"{what}s are named {_some(mine)} in the table and {_some(theirs)} in the world, from "
            f"number {first} on: read the table with {what}_names= in the order of the world"
        )


def _some(names: tuple[str, ...]) -> str:
    """The first names, for a message."""
    return ", ".join(names[:5]) + " ..." * (len(names) > 5) if names else "no more"


def name_conflicts(
    demonstrations: Demonstrations, mdp: MDP
) -> list[tuple[str, int, tuple[str, ...], tuple[str, ...]]]:
    """Where the numbers of a table stand for other things than those of the world.

    Returns:
        For each conflict "state" or "action", the first number that stands for something else, and
        the names from there on, in the table and in the world (which may have no more).
    """
    theirs = mdp.action_names
    if numbers_meant(demonstrations.action_names) is not None:
        theirs = names_or_numbers(theirs, mdp.num_actions)
    pairs = [("action", demonstrations.action_names, theirs)]
    if mdp.worlds is None:
        pairs.append(("state", demonstrations.state_names, mdp.state_names))
    else:
        # A table of several worlds may name more states than one of them has.
        known = set(map(str, demonstrations.trajectories.get("world", ())))
        for name, (first, end) in zip(mdp.worlds.names, pairwise(mdp.worlds.offsets), strict=True):
            if name in known:
                theirs = mdp.state_names[first:end]
                pairs.append(("state", demonstrations.state_names[: len(theirs)], theirs))
    # Numbers beside names that are numbers too are these, not places in the list of names.
    named = [
        (what, names_or_numbers(mine, len(theirs)), theirs)
        for what, mine, theirs in pairs
        if theirs and (mine or numbers_meant(theirs) is not None)
    ]
    conflicts = []
    for what, mine, theirs in named:
        differ = (i for i, name in enumerate(mine) if theirs[i : i + 1] != (name,))
        if (first := next(differ, None)) is not None:
            conflicts.append((what, first, mine[first:], theirs[first:]))
    return conflicts


def check_existing(demonstrations: Demonstrations, mdp: MDP, states: Int[np.ndarray, " N"]) -> None:
    """Raise an `InputError` naming the first row whose action does not exist at its state."""
    acted = demonstrations.acted
    bad = acted & ~mdp.allowed[states, np.maximum(demonstrations.actions, 0)]
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"row {demonstrations.row(row)}: action {demonstrations.actions[row]} does not exist "
            f"at state {demonstrations.states[row]} ({int(bad.sum())} such rows). Correct the "
            "table, or allow the action in the MDP."
        )
