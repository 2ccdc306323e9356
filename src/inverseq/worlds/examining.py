"""What a world looks like before anybody behaves in it: ways in, ways out, actions that repeat."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse
from scipy.sparse import csgraph

from inverseq.mdp import MDP


@dataclass(frozen=True, eq=False)
class Examined:
    """What was found in a world of S states.

    Attributes:
        states: S.
        actions: A.
        pairs: Pairs of a state and an action that exist, ends left out.
        features: Names of its features.
        ends: `[E]` terminal states.
        unreachable: States to which no way leads from where behaviour begins.
        closed: States that are no ends and cannot be left.
        endless: States from which no end can be reached; none where the world has no ends.
        duplicates: `[D, 3]` a state and two of its actions that lead to the same next states with
            the same features.
    """

    states: int
    actions: int
    pairs: int
    features: tuple[str, ...]
    ends: Int[np.ndarray, " E"]
    unreachable: Int[np.ndarray, " U"]
    closed: Int[np.ndarray, " C"]
    endless: Int[np.ndarray, " N"]
    duplicates: Int[np.ndarray, "D 3"]


def examine(mdp: MDP) -> Examined:
    """Look at a world without any behaviour.

    Args:
        mdp: One world.
    """
    matrix = mdp.transition_matrix.tocoo()
    source = matrix.row // mdp.num_actions
    shape = (mdp.num_states, mdp.num_states)
    graph = sparse.csr_array((np.ones(matrix.nnz), (source, matrix.col)), shape=shape)
    leaves = np.zeros(mdp.num_states, dtype=bool)
    leaves[source[matrix.col != source]] = True
    lives = ~mdp.terminal
    ends = np.flatnonzero(mdp.terminal)
    out = _reached(graph.T.tocsr(), mdp.terminal) if ends.size else np.ones(mdp.num_states, bool)
    return Examined(
        states=mdp.num_states,
        actions=mdp.num_actions,
        pairs=int(mdp.allowed[lives].sum()),
        features=mdp.feature_names,
        ends=ends,
        unreachable=np.flatnonzero(~_reached(graph, mdp.initial > 0)),
        closed=np.flatnonzero(lives & ~leaves),
        endless=np.flatnonzero(~out),
        duplicates=_duplicates(mdp),
    )


def _reached(graph: sparse.csr_array, start: Bool[np.ndarray, " S"]) -> Bool[np.ndarray, " S"]:
    """The states to which edges lead from those of the start, itself included."""
    size = start.size
    begins = np.flatnonzero(start)
    edges = graph.tocoo()
    # One more node leads to every beginning.
    rows = np.concatenate([edges.row, np.full(begins.size, size)])
    columns = np.concatenate([edges.col, begins])
    more = sparse.csr_array((np.ones(rows.size), (rows, columns)), shape=(size + 1, size + 1))
    order = csgraph.breadth_first_order(more, size, return_predecessors=False)
    found = np.zeros(size + 1, dtype=bool)
    found[order] = True
    return found[:size]


def _duplicates(mdp: MDP) -> Int[np.ndarray, "D 3"]:
    """Pairs of actions of one state that nothing tells apart; moves that stay are no such pairs."""
    matrix = mdp.transition_matrix
    found: list[tuple[int, int, int]] = []
    seen: dict[tuple[int, bytes, bytes, bytes], int] = {}
    for s, a in np.argwhere(mdp.allowed & ~mdp.terminal[:, None]).tolist():
        row = s * mdp.num_actions + a
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        order = np.argsort(matrix.indices[part])
        led, chance = matrix.indices[part][order], matrix.data[part][order]
        if (led == s).all():
            continue
        told = np.zeros(0) if mdp.features is None else mdp.features[s, a]
        key = (s, led.tobytes(), chance.tobytes(), told.tobytes())
        if key in seen:
            found.append((s, seen[key], a))
        else:
            seen[key] = a
    return np.array(found, dtype=np.int64).reshape(-1, 3)


def segments(mdp: MDP) -> Float[np.ndarray, "E 2 2"]:
    """The ways between places, each pair of neighbours once: for drawing a network."""
    matrix = mdp.transition_matrix.tocoo()
    pairs = np.sort(np.stack([matrix.row // mdp.num_actions, matrix.col], axis=1), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)
    return np.asarray(mdp.coordinates, dtype=float)[pairs]
