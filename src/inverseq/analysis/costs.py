"""What a reward on features weighs, and how sure that is: of trips, and of several boards."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.sandwich import sandwich
from inverseq.inverse.maxent.causal import MaxEnt
from inverseq.inverse.solution import Solution


@dataclass(frozen=True, eq=False)
class Costs:
    """What a unit of each of F features is worth, in nats.

    Attributes:
        names: `[F]` of the features.
        weights: `[F]` negative: avoided.
        low: `[F]` ends of the 95 % intervals, from the sandwich over units.
        high: `[F]` the upper ones.
    """

    names: tuple[str, ...]
    weights: Float[np.ndarray, " F"]
    low: Float[np.ndarray, " F"]
    high: Float[np.ndarray, " F"]

    @classmethod
    def of(
        cls,
        names: tuple[str, ...],
        weights: Float[np.ndarray, " F"],
        covariance: Float[np.ndarray, "F F"],
        level: float = 0.95,
    ) -> "Costs":
        """Of weights with this covariance; features without names are numbered."""
        reach = float(ndtri((1 + level) / 2)) * np.sqrt(np.diag(covariance))
        called = names or tuple(f"feature {k + 1}" for k in range(weights.size))
        return cls(called, weights, weights - reach, weights + reach)

    @property
    def clearness(self) -> Float[np.ndarray, " F"]:
        """How many half widths of its interval each weight is away from zero."""
        return np.abs(self.weights) / np.maximum((self.high - self.low) / 2, 1e-300)


def weighed(solution: Solution, train: Demonstrations, by: str) -> Costs | None:
    """The weights of a planner with their intervals; None where it is none, or there is one unit.

    The intervals come from the sandwich over units, the discount being that of the fit.

    Args:
        solution: Of `Planner` with a soft optimum and without lapses.
        train: What it was fitted to.
        by: What is independent.
    """
    mdp = solution.mdp
    if mdp is None or train.units(by).max() < 1:
        return None
    solver = MaxEnt("features", strength=float(solution.settings["strength"]))
    sure = sandwich(train, solver, mdp, by=by, estimate=solution)
    return Costs.of(mdp.feature_names, solution.parameters["weights"], sure.covariance)
