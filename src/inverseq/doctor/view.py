"""The table and the world side by side, without refusing anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int

from inverseq._core.errors import InputError
from inverseq.decisions.alignment import name_conflicts
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.spaces import number_of
from inverseq.doctor.record import Finding, Severity
from inverseq.mdp import MDP, unite

MOST_ROWS = 5


@dataclass(frozen=True, eq=False)
class View:
    """Where each row of the table stands in the world, as far as it does.

    Attributes:
        demonstrations: The table.
        mdp: The world (several are united), or None.
        states: `[N]` state of each row in the world; -1 where it is outside.
        next_states: `[N]` the same of the next state; -1 where it is outside or unknown.
        actions: `[N]` action of each row; -1 where it is missing or outside.
        num_states: S.
        allowed: `[S, A]` the actions that exist.
    """

    demonstrations: Demonstrations
    mdp: MDP | None
    states: Int[np.ndarray, " N"]
    next_states: Int[np.ndarray, " N"]
    actions: Int[np.ndarray, " N"]
    num_states: int
    allowed: Bool[np.ndarray, "S A"]

    @cached_property
    def decided(self) -> Bool[np.ndarray, " N"]:
        """Rows whose state and action are known and in the world."""
        return (self.states >= 0) & (self.actions >= 0)

    @cached_property
    def terminal(self) -> Bool[np.ndarray, " S"]:
        """States after which the world says that nothing follows."""
        none = np.zeros(self.num_states, dtype=bool)
        return none if self.mdp is None else self.mdp.terminal

    @cached_property
    def pairs(self) -> Int[np.ndarray, "S A"]:
        """How often each action was taken at each state."""
        shape = self.allowed.shape
        cell = self.states[self.decided] * shape[1] + self.actions[self.decided]
        return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)

    @cached_property
    def visits(self) -> Int[np.ndarray, " S"]:
        """How often each state was acted in or arrived at."""
        seen = np.concatenate([self.states, self.next_states[self.ends]])
        return np.bincount(seen[seen >= 0], minlength=self.num_states)

    @cached_property
    def ends(self) -> Bool[np.ndarray, " N"]:
        """Rows that the next row does not go on from."""
        return np.append(~self.demonstrations.continues[1:], True)

    def rows(self, mask: Bool[np.ndarray, " N"]) -> tuple[int, ...]:
        """Rows of the source where `mask` is true, the first few."""
        return tuple(self.demonstrations.row(i) for i in np.flatnonzero(mask)[:MOST_ROWS].tolist())

    def state_names(self, mask: Bool[np.ndarray, " S"], most: int = 8) -> str:
        """The states where `mask` is true as a person knows them."""
        chosen = np.flatnonzero(mask)
        return ", ".join(map(self._state_name, chosen[:most].tolist())) + (
            ", ..." if chosen.size > most else ""
        )

    def _state_name(self, state: int) -> str:
        """The name of one state; in a union, the world's name and the number there."""
        if self.mdp is not None and self.mdp.worlds is not None:
            offsets = self.mdp.worlds.offsets
            world = int(np.searchsorted(offsets, state, side="right")) - 1
            return f"{state - offsets[world]} of {self.mdp.worlds.names[world]}"
        names = self.demonstrations.state_names or (
            () if self.mdp is None else self.mdp.state_names
        )
        return names[state] if state < len(names) else str(state)

    def action_name(self, action: int) -> str:
        """The name of one action."""
        names = self.demonstrations.action_names
        names = names or (() if self.mdp is None else self.mdp.action_names)
        return names[action] if action < len(names) else str(action)


def look(
    demonstrations: Demonstrations, world: MDP | Mapping[str, MDP] | None
) -> tuple[View, list[Finding]]:
    """The view of the table in its world, and what does not fit into it at all.

    Raises:
        InputError: States are features, actions are continuous, or the world has a history.
    """
    number_of(demonstrations.state_space, "states")
    number_of(demonstrations.action_space, "actions")
    if world is None:
        shape = (demonstrations.num_states, max(demonstrations.num_actions, 1))
        d = demonstrations
        view = View(d, None, d.states, d.next_states, d.actions, shape[0], np.ones(shape, bool))
        return view, []
    mdp = world if isinstance(world, MDP) else unite(world)
    if mdp.history is not None:
        raise InputError("give the doctor the world without history; call with_history afterwards")
    shift, size, findings = _shift(demonstrations, mdp)
    placed = lambda s: np.where((s >= 0) & (s < size) & (shift >= 0), s + shift, -1)  # noqa: E731
    states, following = placed(demonstrations.states), placed(demonstrations.next_states)
    actions = np.where(demonstrations.actions < mdp.num_actions, demonstrations.actions, -1)
    view = View(demonstrations, mdp, states, following, actions, mdp.num_states, mdp.allowed)
    outside = (shift >= 0) & (states < 0)
    findings += _outside(view, "state", outside, int(np.max(size, initial=0)))
    lost = (demonstrations.next_states >= 0) & (shift >= 0) & (following < 0)
    findings += _outside(view, "next state", lost & ~outside, int(np.max(size, initial=0)))
    findings += _outside(view, "action", demonstrations.actions >= mdp.num_actions, mdp.num_actions)
    return view, findings + _names_differ(demonstrations, mdp)


def _shift(
    demonstrations: Demonstrations, mdp: MDP
) -> tuple[Int[np.ndarray, " N"], Int[np.ndarray, " N"], list[Finding]]:
    """First state (-1 where unknown) and number of states of each row's world."""
    count = demonstrations.num_decisions
    if mdp.worlds is None:
        return np.zeros(count, np.int64), np.full(count, mdp.num_states), []
    column = demonstrations.trajectories.get("world")
    known = {name: i for i, name in enumerate(mdp.worlds.names)}
    names = [""] * demonstrations.num_trajectories if column is None else [*map(str, column)]
    which = np.array([known.get(name, -1) for name in names])[demonstrations.trajectory_of]
    shift = np.where(which >= 0, mdp.worlds.offsets[which], -1)
    size = np.where(which >= 0, np.diff(mdp.worlds.offsets)[which], 0)
    lost = which < 0
    if not lost.any():
        return shift, size, []
    missing = sorted(set(names) - set(known))
    finding = Finding(
        Severity.ERROR,
        "worlds without an MDP",
        "there is no trajectory column 'world'"
        if column is None
        else f"trajectories are in worlds that were not given: {', '.join(missing[:5])}",
        f'Name the column with world="..."; the worlds given are {", ".join([*known][:12])}.',
        int(lost.sum()),
        tuple(demonstrations.row(i) for i in np.flatnonzero(lost)[:MOST_ROWS].tolist()),
    )
    return shift, size, [finding]


def _outside(view: View, what: str, mask: Bool[np.ndarray, " N"], count: int) -> list[Finding]:
    """States or actions with numbers that the world does not have."""
    if not mask.any():
        return []
    return [
        Finding(
            Severity.ERROR,
            f"{what} outside the world",
            f"{int(mask.sum()):,} rows have a {what} that the world does not have; it has {count}, "
            f"numbered 0 to {count - 1}",
            "Correct these rows, or give the world that they were recorded in.",
            int(mask.sum()),
            view.rows(mask),
        )
    ]


def _names_differ(demonstrations: Demonstrations, mdp: MDP) -> list[Finding]:
    """Names in the table that stand for other numbers in the world."""
    return [
        Finding(
            Severity.ERROR,
            f"{what} names differ",
            f"the table numbers its {what}s {', '.join(mine[:6])}, the world "
            f"{', '.join(theirs[:6])}",
            f"Read the table with {what}_names= in the order of the world.",
            len(mine),
        )
        for what, mine, theirs in name_conflicts(demonstrations, mdp)
    ]
