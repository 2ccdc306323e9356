"""How much nearer to an end each move leads: by the way there, or as the crow flies."""

from typing import Literal

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.mdp.record import MDP

Nearer = Literal["path", "line"]


def nearer_by(mdp: MDP, way: Nearer) -> Float[np.ndarray, "S A"]:
    """Steps by which each move shortens the way to the nearest end of its world.

    Moves that stay, moves that do not exist, and all moves at an end and where there is no way to
    one are worth 0.

    Args:
        mdp: With ends and certain moves.
        way: "path", the fewest moves to an end; or "line", the sum of the differences of
            coordinates, whatever is between.

    Raises:
        InputError: There is no end, a move is uncertain, or states lie nowhere.
    """
    matrix = mdp.transition_matrix
    if not mdp.terminal.any():
        raise InputError(
            "no way leads nearer to an end, because this world has none: mark terminal states, a G "
            "in a maze"
        )
    if (np.diff(matrix.indptr) > 1).any():
        raise InputError("a way to an end is one of certain moves; in this world some are not")
    left = path_lengths(mdp) if way == "path" else _distances(mdp)
    pairs = np.flatnonzero(np.diff(matrix.indptr))
    with np.errstate(invalid="ignore"):
        gain = left[pairs // mdp.num_actions] - left[matrix.indices]
    made = np.zeros(mdp.num_states * mdp.num_actions)
    made[pairs] = np.where(np.isfinite(gain), gain, 0.0)
    return made.reshape(mdp.num_states, -1)


def path_lengths(mdp: MDP) -> Float[np.ndarray, " S"]:
    """Moves from each state to an end at least, where moves are certain; infinite without a way."""
    matrix = mdp.transition_matrix
    tails = np.flatnonzero(np.diff(matrix.indptr)) // mdp.num_actions
    lengths = np.where(mdp.terminal, 0.0, np.inf)
    while True:
        shorter = lengths.copy()
        np.minimum.at(shorter, tails, lengths[matrix.indices] + 1)
        if (shorter == lengths).all():
            return lengths
        lengths = shorter


def _distances(mdp: MDP) -> Float[np.ndarray, " S"]:
    """From each state to the nearest end of its world, as if nothing were between."""
    if mdp.coordinates is None:
        raise InputError(
            "a straight line needs coordinates, and the states of this world lie nowhere"
        )
    at, world = np.asarray(mdp.coordinates, dtype=float), np.zeros(mdp.num_states, dtype=np.int64)
    if mdp.worlds is not None:
        plain = np.arange(mdp.num_states) if mdp.history is None else mdp.history.base
        world = np.searchsorted(mdp.worlds.offsets, plain, side="right")
    made = np.full(mdp.num_states, np.inf)
    for number in np.unique(world):
        here = np.flatnonzero(world == number)
        ends = at[here[mdp.terminal[here]]]
        if len(ends):
            made[here] = np.abs(at[here][:, None] - ends).sum(2).min(1)
    return made
