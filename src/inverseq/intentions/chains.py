"""Runs of decisions through which an intention can be followed, whatever their lengths."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError


@dataclass(frozen=True, eq=False)
class Chains:
    """N decisions in C chains, laid out by time so that all chains are walked together.

    Chains are sorted by length, longest first: at step t the chains that are still running are the
    first ones. No padding, so memory is linear in decisions.

    Attributes:
        rows: `[N]` the decisions, all first decisions of chains, then all second ones, and so on.
        offsets: `[steps + 1]` decisions `rows[offsets[t]:offsets[t + 1]]` are those at step t.
        chain_of: `[N]` chain of each decision, in the order of the decisions.
    """

    rows: Int[np.ndarray, " N"]
    offsets: Int[np.ndarray, " T1"]
    chain_of: Int[np.ndarray, " N"]

    def __post_init__(self) -> None:
        freeze(self, np.int64, "rows", "offsets", "chain_of")

    @property
    def num_decisions(self) -> int:
        """N."""
        return len(self.rows)

    @property
    def num_chains(self) -> int:
        """C."""
        return int(self.offsets[1])

    @property
    def num_steps(self) -> int:
        """Decisions in the longest chain."""
        return len(self.offsets) - 1

    @cached_property
    def at(self) -> list[slice]:
        """Where the decisions of each step stand in `rows`."""
        bounds = self.offsets.tolist()
        return [slice(*ends) for ends in pairwise(bounds)]

    @cached_property
    def before(self) -> list[slice]:
        """Where the decisions before those of each step stand, from the second step on: chains are
        sorted by length.
        """
        made = [slice(b.start, b.start + h.stop - h.start) for b, h in pairwise(self.at)]
        return [slice(0, 0), *made]


def chains(begins: Bool[np.ndarray, " N"]) -> Chains:
    """Chains of decisions that stand one after the other.

    Args:
        begins: `[N]` whether each decision is the first of a chain.

    Raises:
        InputError: There are no decisions, or the first does not begin a chain.
    """
    if begins.size == 0 or not begins[0]:
        raise InputError("the first decision must begin a chain of decisions")
    first = np.flatnonzero(begins)
    lengths = np.diff(np.append(first, begins.size))
    order = np.argsort(-lengths, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    chain_of = np.repeat(np.arange(first.size), lengths)
    step = np.arange(begins.size) - first[chain_of]
    rows = np.lexsort((rank[chain_of], step))
    offsets = np.append(0, np.cumsum(np.bincount(step)))
    return Chains(rows, offsets, chain_of)
