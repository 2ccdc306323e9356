"""What a world looks like before anybody behaves in it: ways in, ways out, actions that repeat."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from inverseq.mdp import MDP
from inverseq.mdp.build import edges_of, reached


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
    edges = edges_of(mdp.transition_matrix)
    leaves = np.zeros(mdp.num_states, dtype=bool)
    leaves[edges.row[edges.col != edges.row]] = True
    lives = ~mdp.terminal
    ends = np.flatnonzero(mdp.terminal)
    out = reached(edges.T, mdp.terminal) if ends.size else np.ones(mdp.num_states, bool)
    return Examined(
        states=mdp.num_states,
        actions=mdp.num_actions,
        pairs=int(mdp.allowed[lives].sum()),
        features=mdp.feature_names,
        ends=ends,
        unreachable=np.flatnonzero(~reached(edges, mdp.initial > 0)),
        closed=np.flatnonzero(lives & ~leaves),
        endless=np.flatnonzero(~out),
        duplicates=_duplicates(mdp),
    )


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
