"""The way to the goal of a maze as a feature of each move: given to an agent, not planned by it."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from inverseq.mdp import MDP

PATH_FEATURES = ("nearer by path", "nearer by line")
"""Steps by which a move shortens the way to the goal, and the distance without walls."""


def with_paths(mdp: MDP) -> MDP:
    """The world of a maze with `PATH_FEATURES` added to its features.

    Moves that do not change the cell are worth 0, and so is every move from where nothing is
    known to be nearer: at the goal.

    Args:
        mdp: Of `worlds.maze` or `maze_features`: coordinates, certain moves, a goal that ends.
    """
    distance = path_lengths(mdp)
    coordinates = np.asarray(mdp.coordinates)
    goal = coordinates[np.flatnonzero(mdp.terminal)[0]]
    line = np.abs(coordinates - goal).sum(1)
    following = mdp.successors[:, :, 0]
    gains = [d[:, None] - d[following] for d in (distance, line)]
    gains = np.where(mdp.terminal[:, None, None], 0.0, np.stack(gains, axis=-1))
    features = gains if mdp.features is None else np.concatenate([mdp.features, gains], axis=2)
    names = (*mdp.feature_names, *PATH_FEATURES)
    return replace(mdp, features=features, feature_names=names)


def path_lengths(mdp: MDP) -> Float[np.ndarray, " S"]:
    """Moves from each state to the goal at least, where moves are certain."""
    lengths = np.where(mdp.terminal, 0.0, np.inf)
    while True:
        ahead = lengths[mdp.successors[:, :, 0]].min(1) + 1
        shorter = np.where(mdp.terminal, 0.0, np.minimum(lengths, ahead))
        if (shorter == lengths).all():
            return lengths
        lengths = shorter
