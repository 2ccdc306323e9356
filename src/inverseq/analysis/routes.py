"""What a reward for trips to destinations says: weights, elasticities, moves expected and made."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from inverseq.inverse.explanation import Explanation
from inverseq.inverse.planning import TowardsGoals
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP


@dataclass(frozen=True, eq=False)
class Routes:
    """Of F features and E ways between places.

    Attributes:
        names: `[F]` names of the features.
        weights: `[F]` in nats per unit.
        low: `[F]` ends of the 95 % intervals, from the sandwich over units.
        high: `[F]` the upper ones.
        elasticities: `[F]` by how many per cent the total of each changes when it counts one per
            cent more.
        segments: `[E, 2, 2]` ends of the ways; None where the network has no places.
        taken: `[E]` how often each was gone, both directions together.
        expected: `[E]` how often by the reward.
    """

    names: tuple[str, ...]
    weights: Float[np.ndarray, " F"]
    low: Float[np.ndarray, " F"]
    high: Float[np.ndarray, " F"]
    elasticities: Float[np.ndarray, " F"]
    segments: Float[np.ndarray, "E 2 2"] | None
    taken: Float[np.ndarray, " E"]
    expected: Float[np.ndarray, " E"]

    @property
    def clearness(self) -> Float[np.ndarray, " F"]:
        """How many half widths of its interval each weight is away from zero."""
        return np.abs(self.weights) / np.maximum((self.high - self.low) / 2, 1e-300)


def routes_of(solution: Explanation | None, level: float = 0.95) -> Routes | None:
    """The routes of a solution; None where it is no reward for trips to destinations.

    Args:
        solution: Of a fit, or None.
        level: Of the intervals.
    """
    if not isinstance(solution, Solution) or not isinstance(solution.planning, TowardsGoals):
        return None
    found, mdp = solution.parameters, solution.mdp
    assert mdp is not None  # routes lie in a network
    reach = float(ndtri((1 + level) / 2)) * np.sqrt(np.diag(found["robust"]))
    weights = found["weights"]
    names = mdp.feature_names or tuple(f"feature {k + 1}" for k in range(weights.size))
    segments, (taken, expected) = flows(mdp, found["taken"], found["expected"])
    return Routes(
        names=names,
        weights=weights,
        low=weights - reach,
        high=weights + reach,
        elasticities=np.diag(found["elasticities"]),
        segments=segments,
        taken=taken,
        expected=expected,
    )


def flows(
    mdp: MDP, *moves: Float[np.ndarray, "S A"]
) -> tuple[Float[np.ndarray, "E 2 2"] | None, list[Float[np.ndarray, " E"]]]:
    """Numbers of moves along the ways between places, both directions together.

    Returns:
        `[E, 2, 2]` ends of the ways, None without places in the plane; and each `[E]`.
    """
    matrix = mdp.transition_matrix.tocoo()
    ends = np.sort(np.stack([matrix.row // mdp.num_actions, matrix.col], axis=1), axis=1)
    leads = ends[:, 0] != ends[:, 1]  # what stays is no way
    pairs, way = np.unique(ends[leads], axis=0, return_inverse=True)
    row, chance = matrix.row[leads], matrix.data[leads]
    made = [np.bincount(way.ravel(), each.ravel()[row] * chance, len(pairs)) for each in moves]
    plane = mdp.coordinates is not None and mdp.coordinates.shape[1] == 2
    return (np.asarray(mdp.coordinates, dtype=float)[pairs] if plane else None), made
