"""The table and the world side by side, without refusing anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Int

from inverseq._core.errors import InputError
from inverseq._core.memory import available, size_of
from inverseq.decisions.alignment import in_numbers, name_conflicts
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.spaces import number_of, numbers_meant
from inverseq.doctor.record import About, Finding, Severity, Value
from inverseq.mdp import MDP, unite
from inverseq.mdp.build import bytes_of_estimate, bytes_of_fit

MOST_ROWS = 5
MOST_NAMES = 8


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
        features: Whether states are numbered observations, of which no world knows anything.
    """

    demonstrations: Demonstrations
    mdp: MDP | None
    states: Int[np.ndarray, " N"]
    next_states: Int[np.ndarray, " N"]
    actions: Int[np.ndarray, " N"]
    num_states: int
    allowed: Bool[np.ndarray, "S A"]
    features: bool = False

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

    def finding(
        self, severity: Severity, about: About, mask: Bool[np.ndarray, " N"], **values: Value
    ) -> Finding:
        """What is to be said of the rows where `mask` is true."""
        return Finding(severity, about, int(mask.sum()), self.rows(mask), values)

    def state_names(self, mask: Bool[np.ndarray, " S"]) -> tuple[str, ...]:
        """The first few of the states where `mask` is true, as a person knows them."""
        return tuple(map(self.state_name, np.flatnonzero(mask)[:MOST_NAMES].tolist()))

    def state_name(self, state: int) -> str:
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
    demonstrations: Demonstrations,
    world: MDP | Mapping[str, MDP] | None,
    allowed: Bool[np.ndarray, "S A"] | None,
) -> tuple[View, list[Finding]]:
    """The view of the table in its world, and what does not fit into it at all.

    Where there is no world, `allowed` says which actions exist, and None that all do.

    Raises:
        InputError: States are features, actions are continuous, or the world has a history.
    """
    number_of(demonstrations.state_space, "states")
    number_of(demonstrations.action_space, "actions")
    if world is None:
        shape = (demonstrations.num_states, max(demonstrations.num_actions, 1))
        d = demonstrations
        findings = _numbered(d) + _room(d, *shape)
        existing = np.ones(shape, bool) if allowed is None else allowed
        view = View(d, None, d.states, d.next_states, d.actions, shape[0], existing)
        return view, findings
    mdp = world if isinstance(world, MDP) else unite(world)
    demonstrations = in_numbers(demonstrations, mdp)
    if mdp.history is not None:
        raise InputError("give the doctor the world without history; call with_history afterwards")
    shift, size, findings = _shift(demonstrations, mdp)
    placed = lambda s: np.where((s >= 0) & (s < size) & (shift >= 0), s + shift, -1)  # noqa: E731
    states, following = placed(demonstrations.states), placed(demonstrations.next_states)
    actions = np.where(demonstrations.actions < mdp.num_actions, demonstrations.actions, -1)
    view = View(demonstrations, mdp, states, following, actions, mdp.num_states, mdp.allowed)
    outside, most = (shift >= 0) & (states < 0), int(np.max(size, initial=0))
    findings += _outside(view, About.STATE_OUTSIDE, outside, most)
    lost = (demonstrations.next_states >= 0) & (shift >= 0) & (following < 0)
    findings += _outside(view, About.NEXT_STATE_OUTSIDE, lost & ~outside, most)
    beyond = demonstrations.actions >= mdp.num_actions
    findings += _outside(view, About.ACTION_OUTSIDE, beyond, mdp.num_actions)
    return view, findings + _names_differ(demonstrations, mdp)


def _numbered(demonstrations: Demonstrations) -> list[Finding]:
    """States whose numbers leave some out."""
    meant = numbers_meant(demonstrations.state_names)
    if meant is None or (last := int(meant.max())) < meant.size:
        return []
    return [Finding(Severity.NOTE, About.RENUMBERED, meant.size, values={"last": last})]


def _room(demonstrations: Demonstrations, states: int, actions: int) -> list[Finding]:
    """More transitions of an estimated world than fit into memory, at the most."""
    visits = np.bincount(demonstrations.states, minlength=states)
    most = demonstrations.num_decisions + actions * int(np.minimum(visits, states).sum())
    pairs, free = states * actions, available()
    needed = max(bytes_of_estimate(pairs, most), bytes_of_fit(pairs))
    if needed <= free:
        return []
    told = {"needed": size_of(needed), "free": size_of(free)}
    return [Finding(Severity.WARNING, About.TOO_LARGE, states, values=told)]


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
    missing = () if column is None else sorted(set(names) - set(known))
    told = {"lost": tuple(missing[:5]), "known": tuple([*known][:12])}
    rows = tuple(demonstrations.row(i) for i in np.flatnonzero(lost)[:MOST_ROWS].tolist())
    return shift, size, [Finding(Severity.ERROR, About.WORLDS, int(lost.sum()), rows, told)]


def _outside(view: View, about: About, mask: Bool[np.ndarray, " N"], size: int) -> list[Finding]:
    """States or actions with numbers that the world does not have."""
    return [view.finding(Severity.ERROR, about, mask, size=size)] if mask.any() else []


def _names_differ(demonstrations: Demonstrations, mdp: MDP) -> list[Finding]:
    """Names in the table that stand for other numbers in the world."""
    about = {"state": About.STATE_NAMES, "action": About.ACTION_NAMES}
    return [
        Finding(
            Severity.ERROR,
            about[what],
            len(mine),
            values={"first": first, "mine": mine[:6], "theirs": theirs[:6]},
        )
        for what, first, mine, theirs in name_conflicts(demonstrations, mdp)
    ]
