"""Conditional count tables that back off to shorter pasts: a policy without a reward."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from inverseq._core.arrays import frozen_array
from inverseq.mdp.history import Memory

Tree = tuple[np.ndarray, ...]
"""One array per level of a tree, the level below the root first."""


@dataclass(frozen=True, eq=False)
class BackoffTable:
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

    of: Memory | str
    parents: tuple[Int[np.ndarray, " _"], ...]
    symbols: tuple[Int[np.ndarray, " _"], ...]
    counts: tuple[Float[np.ndarray, "_ A"], ...]
    marginal: Float[np.ndarray, " A"]
    smoothing: Float[np.ndarray, "order 2"]
    allowed: Bool[np.ndarray, "S A"] | None = None

    def __post_init__(self) -> None:
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        for name, kind in (("parents", np.int64), ("symbols", np.int64), ("counts", np.float64)):
            put(name, tuple(frozen_array(level, kind, name) for level in getattr(self, name)))
        put("marginal", frozen_array(self.marginal, np.float64, "marginal"))
        put("smoothing", frozen_array(self.smoothing, np.float64, "smoothing"))
        if self.allowed is not None:
            put("allowed", frozen_array(self.allowed, bool, "allowed"))

    @property
    def order(self) -> int:
        """Entries looked at: 0 is the marginal, 1 the present state, 2 the one before as well."""
        return len(self.parents)

    @property
    def num_actions(self) -> int:
        """A."""
        return len(self.marginal)


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
    levels = np.zeros((len(columns), order + 1), dtype=np.int64)
    for level in range(1, order + 1):
        symbol = columns[:, level - 1]
        radix = int(symbol.max(initial=-1)) + 2
        keys, levels[:, level] = np.unique(
            levels[:, level - 1] * radix + symbol + 1, return_inverse=True
        )
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
    table: BackoffTable, columns: Int[np.ndarray, "N columns"]
) -> Float[np.ndarray, "N A"]:
    """Probability of each action after each past, 0 where the action does not exist.

    Args:
        table: What was counted.
        columns: `[N, order or more, at least 1]` pasts, present state first.
    """
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
