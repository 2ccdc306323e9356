"""Whether one world lets a reward be known at all, by what leads where (Kim and others 2021).

There an agent acts for a fixed number of decisions and chooses among whole courses of them by
maximum entropy. Where moves are certain and every state can be reached from every other, the reward
of each state and action is identified up to a constant if the world is coverable: from one
beginning, every action can be the one taken after exactly so many decisions. That is so exactly
where cycles have no common divisor (Theorem 2 there), and twice as many decisions are enough.
"""

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, connected_components

from inverseq._core.words import render_text
from inverseq.mdp import MDP

_LONGEST = 20
"""Times as many steps as states within which it is seen whether a world is covered that is not
connected."""


@dataclass(frozen=True)
class WorldTests:
    """What the moves of a world let be known of a reward.

    Attributes:
        is_certain: Whether each action leads to one state. What follows is proven for such worlds.
        is_connected: Whether every state can be reached from every other.
        period: Greatest common divisor of the lengths of all cycles; 1 is aperiodic, 0 is without
            cycles.
        cover: Decisions after which, counted from the likeliest beginning, each action of the world
            can be the last one; None where there is no such number.
    """

    is_certain: bool
    is_connected: bool
    period: int
    cover: int | None

    @property
    def horizon(self) -> int | None:
        """Decisions of a trajectory that are enough, or None where none are."""
        return 2 * self.cover if self.cover is not None and self.identifies else None

    @property
    def identifies(self) -> bool:
        """Whether trajectories of fixed length tell the reward up to a constant."""
        return self.is_certain and self.is_connected and self.cover is not None

    @property
    def text(self) -> str:
        """The same in plain words."""
        return "\n".join(render_text("inverseq.evaluate", "world_tests.j2", found=self))


def world_tests(mdp: MDP) -> WorldTests:
    """Kim's tests of a world: is it connected, aperiodic, coverable?

    An end is left to nowhere, so that worlds with ends are not connected.

    Source: Kim, Garg, Shiragur and Ermon 2021 ("Reward identification in inverse reinforcement
    learning"), Theorem 2 and Corollary 2.
    """
    live = np.flatnonzero((mdp.allowed & ~mdp.terminal[:, None]).ravel())
    moves = mdp.transition_matrix[live].tocoo()
    shape = (mdp.num_states, mdp.num_states)
    entries = np.ones(moves.nnz), (live[moves.row] // mdp.num_actions, moves.col)
    links = sparse.csr_array(sparse.coo_array(entries, shape=shape).astype(bool))
    parts = connected_components(links, connection="strong", return_labels=False)
    is_connected, period, steps = int(parts) == 1, _period(links), _LONGEST * mdp.num_states
    if is_connected:  # then so many steps are enough, or none are (Wielandt 1950)
        steps = mdp.num_states**2 if period == 1 else 0
    return WorldTests(
        is_certain=bool((np.diff(mdp.transition_matrix[live].indptr) == 1).all()),
        is_connected=is_connected,
        period=period,
        cover=_cover(links, int(mdp.initial.argmax()), steps),
    )


def _period(links: sparse.csr_array) -> int:
    """Greatest common divisor of the lengths of all cycles, part by part."""
    _, part = connected_components(links, connection="strong")
    edges = links.tocoo()
    within = part[edges.row] == part[edges.col]
    start, end = edges.row[within], edges.col[within]
    inner = sparse.csr_array((np.ones(start.size), (start, end)), shape=links.shape)
    depth = np.zeros(links.shape[0], dtype=np.int64)
    for state in np.unique(part, return_index=True)[1]:
        order, before = breadth_first_order(inner, state)
        for one in order[1:]:
            depth[one] = depth[before[one]] + 1
    return int(np.gcd.reduce(depth[start] + 1 - depth[end], initial=0))


def _cover(links: sparse.csr_array, start: int, longest: int) -> int | None:
    """Decisions up to and with one that can be made anywhere, if that comes within `longest`."""
    here = np.zeros(links.shape[0], dtype=bool)
    here[start] = True
    back = sparse.csr_array(links.T)
    for steps in range(longest):
        if here.all():
            return steps + 1
        here = back @ here
    return None
