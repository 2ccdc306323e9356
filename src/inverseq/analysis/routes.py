"""What a reward for trips to destinations says: weights, elasticities, moves expected and made."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from inverseq.analysis.costs import Costs
from inverseq.analysis.findings import Findings
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.planning import TowardsGoals
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP


@dataclass(frozen=True, eq=False)
class Routes:
    """Of F features and E ways between places.

    Attributes:
        costs: What each feature weighs.
        elasticities: `[F]` by how many per cent the total of each changes when it counts one per
            cent more.
        segments: `[E, 2, 2]` ends of the ways; None where the network has no places.
        taken: `[E]` how often each was gone, both directions together.
        expected: `[E]` how often by the reward.
    """

    costs: Costs
    elasticities: Float[np.ndarray, " F"]
    segments: Float[np.ndarray, "E 2 2"] | None
    taken: Float[np.ndarray, " E"]
    expected: Float[np.ndarray, " E"]


def routes_of(solution: Explanation | None) -> Routes | None:
    """The routes of a solution; None where it is no reward for trips to destinations.

    Args:
        solution: Of a fit, or None.
    """
    if not isinstance(solution, Solution) or not isinstance(solution.planning, TowardsGoals):
        return None
    found, mdp = solution.parameters, solution.mdp
    assert mdp is not None  # routes lie in a network
    segments, (taken, expected) = flows(mdp, found["taken"], found["expected"])
    return Routes(
        costs=Costs.of(_names(mdp, solution), found["weights"], found["robust"]),
        elasticities=np.diag(found["elasticities"]),
        segments=segments,
        taken=taken,
        expected=expected,
    )


def _names(mdp: MDP, solution: Solution) -> tuple[str, ...]:
    """Names of the features, those of goals last."""
    assert mdp.features is not None  # the reward depends on them
    own = mdp.feature_names or tuple(f"feature {k + 1}" for k in range(mdp.features.shape[2]))
    return (*own, *solution.settings["goal_features"])


def costs_of(findings: Findings) -> Costs | None:
    """What the reward that is shown weighs; None where it is no reward on features alone."""
    routes = routes_of(findings.solution)
    return findings.costs if routes is None else routes.costs


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
