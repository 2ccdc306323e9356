"""Conditional count tables that back off to shorter pasts: a policy without a reward."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.arrays import freeze, numbered
from inverseq._core.errors import InputError
from inverseq.decisions.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP
from inverseq.mdp.history import Memory, history_rows
from inverseq.policies.policy import FinitePolicy

Tree = tuple[np.ndarray, ...]
"""One array per level of a tree, the level below the root first."""


@dataclass(frozen=True, eq=False)
class BackoffTable(FinitePolicy):
    """How often each action followed each past, and how these counts are smoothed.

    Pasts form a tree: a past of n entries (present state first) is a past of n - 1 entries and
    one entry more. With n(a) the counts after a past, m the number of actions that exist and
    p' the probabilities after the next shorter past,

        p(a) = (n(a) + m * shorter * p'(a) + even) / (sum n + m * (shorter + even)).

    Attributes:
        of: What is remembered beyond the present state: earlier "states" or "actions".
        parents: For each order from 1, `[M]` the number of the next shorter past.
        symbols: For each order from 1, `[M]` the entry a past adds to it: the present state, then
            the state or action before; -1 where there is none. Sorted by (parent, symbol).
        counts: For each order from 0, `[M, A]` weight of each action after each past.
        marginal: `[A]` share of each action where all exist; where some do not, the others share
            in the same proportions.
        smoothing: `[order, 2]` for each order from 1, what the shorter past and what equal shares
            are worth, in decisions per action that exists ("shorter" and "even" above).
        allowed: `[S, A]` the actions that exist at each state, or None where all do.
    """

    of: Memory
    parents: tuple[Int[np.ndarray, " _"], ...]
    symbols: tuple[Int[np.ndarray, " _"], ...]
    counts: tuple[Float[np.ndarray, "_ A"], ...]
    marginal: Float[np.ndarray, " A"]
    smoothing: Float[np.ndarray, "order 2"]
    allowed: Bool[np.ndarray, "S A"] | None = None

    def __post_init__(self) -> None:
        freeze(self, np.int64, "parents", "symbols")
        freeze(self, np.float64, "counts", "marginal", "smoothing")
        freeze(self, bool, "allowed")

    @property
    def order(self) -> int:
        """Entries looked at: 0 is the marginal, 1 the present state, 2 the one before as well."""
        return len(self.parents)

    @property
    def num_actions(self) -> int:
        """A."""
        return len(self.marginal)

    @property
    def present_only(self) -> bool:
        """Whether the present state is all it looks at."""
        return self.order <= 1

    def probabilities(
        self, demonstrations: Demonstrations, mdp: MDP | None
    ) -> Float[np.ndarray, "N A"]:
        """What was done after the past of each decision.

        Raises:
            InputError: A decision does not fit the world, or nothing was counted in its world.
        """
        if mdp is not None:
            _check_worlds(self, demonstrations, mdp)
        pasts = past_columns(demonstrations, mdp, self.order, self.of)
        # A table without a world knows no actions that are missing, but the decisions may.
        known = self.allowed is not None
        return table_policy(self, pasts, None if known else self.exists(demonstrations, None))

    def within(self, mdp: MDP) -> "BackoffTable":
        """The same counts where other actions of the same states exist.

        Raises:
            InputError: The world has other states.
        """
        allowed = allowed_without_history(mdp)
        if self.allowed is not None and len(self.allowed) != len(allowed):
            raise InputError(
                f"the habit was counted in {len(self.allowed)} states, the new world has "
                f"{len(allowed)}: what is usually done there is unknown"
            )
        return replace(self, allowed=allowed)

    def per_state(self, mdp: MDP | None) -> Float[np.ndarray, "S A"]:
        """What is done in each state, where no more than the present state is looked at."""
        if mdp is None or not self.present_only:
            return super().per_state(mdp)
        base = np.arange(mdp.num_states) if mdp.history is None else mdp.history.base
        return table_policy(self, base[:, None])


def grow(
    columns: Int[np.ndarray, "N columns"], order: int
) -> tuple[Tree, Tree, Int[np.ndarray, "N levels"]]:
    """The tree of all pasts in a table.

    Args:
        columns: `[N, order or more]` pasts, present state first; -1 where there is nothing.
        order: Entries to look at.

    Returns:
        `parents` and `symbols` as in `BackoffTable`, and `[N, order + 1]` the number of the past
        of each row at each order from 0.
    """
    parents, symbols = [], []
    levels = np.zeros((len(columns), order + 1), dtype=np.int32)
    for level in range(1, order + 1):
        symbol = columns[:, level - 1]
        radix = int(symbol.max(initial=-1)) + 2
        keys, levels[:, level] = numbered(symbol + 1 + levels[:, level - 1] * np.int64(radix))
        parents.append(keys // radix)
        symbols.append(keys % radix - 1)
    return tuple(parents), tuple(symbols), levels


def locate(
    table: BackoffTable, columns: Int[np.ndarray, "N columns"]
) -> Int[np.ndarray, "N levels"]:
    """`[N, order + 1]` the number of the past of each row at each order; -1 where never seen."""
    levels = np.zeros((len(columns), table.order + 1), dtype=np.int64)
    for level, (parent, symbol) in enumerate(zip(table.parents, table.symbols, strict=True), 1):
        radix = int(symbol.max(initial=-1)) + 2
        keys = parent * radix + symbol + 1
        above, entry = levels[:, level - 1], columns[:, level - 1]
        wanted = above * radix + entry + 1
        place = np.minimum(np.searchsorted(keys, wanted), keys.size - 1)
        # A larger entry than any seen would wrap around to another past.
        known = (above >= 0) & (entry < radix - 1) & (keys[place] == wanted)
        levels[:, level] = np.where(known, place, -1)
    return levels


def table_policy(
    table: BackoffTable,
    columns: Int[np.ndarray, "N columns"],
    exists: Bool[np.ndarray, "N A"] | None = None,
) -> Float[np.ndarray, "N A"]:
    """Probability of each action after each past, 0 where the action does not exist.

    Args:
        table: What was counted.
        columns: `[N, order or more, at least 1]` pasts, present state first.
        exists: Which actions exist; None for what the table says of the present state.
    """
    if exists is None:
        exists = allowed_at(table.allowed, columns[:, 0], table.num_actions)
    actions = exists.sum(axis=1, keepdims=True)
    policy = shared(table.marginal, exists)
    levels = locate(table, columns)
    for level in range(1, table.order + 1):
        shorter, even = table.smoothing[level - 1]
        seen = levels[:, level, None] >= 0
        counts = np.where(seen & exists, table.counts[level][levels[:, level]], 0.0)
        total = counts.sum(axis=1, keepdims=True) + actions * (shorter + even)
        mixed = counts + actions * shorter * policy + exists * even
        # Neither counts nor smoothing: nothing speaks for any action.
        policy = np.where(total > 0, mixed, exists) / np.where(total > 0, total, actions)
    return policy


def allowed_at(
    allowed: Bool[np.ndarray, "S A"] | None, states: Int[np.ndarray, " N"], num_actions: int
) -> Bool[np.ndarray, "N A"]:
    """The actions that exist at each of `states`; all of them where `allowed` is None."""
    return np.ones((len(states), num_actions), dtype=bool) if allowed is None else allowed[states]


def shared(
    marginal: Float[np.ndarray, "*units A"], exists: Bool[np.ndarray, "N A"]
) -> Float[np.ndarray, "N A"]:
    """`marginal` among the actions that exist, in equal shares where it is 0 at all of them."""
    kept = marginal * exists
    total = kept.sum(axis=1, keepdims=True)
    return np.where(total > 0, kept, exists) / np.where(
        total > 0, total, exists.sum(axis=1, keepdims=True)
    )


def allowed_without_history(mdp: MDP) -> Bool[np.ndarray, "S A"]:
    """The actions that exist at each state without history."""
    if mdp.history is None:
        return mdp.allowed
    made = np.zeros((mdp.history.num_base_states, mdp.num_actions), dtype=bool)
    made[mdp.history.base] = mdp.allowed
    return made


def past_columns(
    demonstrations: Demonstrations, mdp: MDP | None, order: int, of: Memory
) -> Int[np.ndarray, "N columns"]:
    """`[N, max(order, 1)]` the present state of each decision and what came before it.

    States are those of `mdp` without history (offset by world in a union), or as numbered in the
    table where there is no MDP. -1 stands for "before the trajectory or the gap".

    Features are no past to count after, but an order of 0 looks at none.

    Raises:
        InputError: States are features, or the decisions do not fit the MDP.
    """
    base = demonstrations.states
    if base.ndim != 1:
        if order > 0:
            raise InputError("a count table needs states numbered from 0; bin the features first")
        base = np.zeros(len(base), dtype=np.int64)
    if mdp is not None:
        base = align(demonstrations, mdp)
        base = base if mdp.history is None else mdp.history.base[base]
    length = max(order, 1)
    memory = cast(Memory, of)  # a solver's `of` is checked when the solver is made
    past = history_rows(base, demonstrations.actions, demonstrations.continues, length, memory)
    return np.concatenate([base[:, None], past], axis=1)


def _check_worlds(table: BackoffTable, demonstrations: Demonstrations, mdp: MDP) -> None:
    """Raise an `InputError` where a table has counted nothing in a world it is asked about."""
    worlds = mdp.worlds
    if worlds is None or table.order == 0 or "world" not in demonstrations.trajectories:
        return
    # The present states come first in a past: each belongs to one world.
    counted = np.unique(np.searchsorted(worlds.offsets, table.symbols[0], side="right") - 1)
    seen = {worlds.names[i] for i in counted}
    unseen = sorted({str(name) for name in demonstrations.trajectories["world"]} - seen)
    if unseen:
        raise InputError(
            f"a count table cannot be carried to a world it has not seen: nothing was counted in "
            f"{unseen[0]!r} (counted: {sorted(seen)[:20]}). Fit a reward that the worlds share, "
            "MaxEnt with features, say"
        )
