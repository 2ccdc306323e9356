"""Rewards that walk over trials or sessions, with the length of a step learned."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq.inverse.drift.search import Search
from inverseq.inverse.hierarchy.expansion import Expands, Numbers, OfCounts
from inverseq.inverse.problem import Comparable, Problem
from inverseq.inverse.solution import Solution
from inverseq.policies.walk import Walk, walk_over
from inverseq.rewards.each import EachReward
from inverseq.rewards.gauges import Gauge

_STEP, _FIRST = -3.0, 2.0
"""Logarithms of the variances of steps and of beginnings with which a search begins, in squared
units of the temperature.
"""
_MOST = 10**8
"""Moments times the square of their numbers: a few matrices of each moment are held at once."""


@dataclass(frozen=True)
class Drifting:
    """Rewards that drift: each moment's are those of the moment before and a Gaussian step.

    What walks are the numbers of the solver within: weights of features (a few maps, where features
    are maps), rewards of states or pairs; with IAVI, log-odds of actions, of which its reward is
    read. How long steps are, of each feature by itself, is learned from the decisions by empirical
    Bayes, as is how far from zero a walk begins: the evidence is that of Laplace's method with the
    exact curvature of the likelihood, in time linear in the moments (psytrack: Roy and others
    2021; dynamic IRL: Ashwood, Jha and Pillow 2022). Where nothing drifts, steps shrink to nothing
    and one constant reward is left. A strength or a smoothing of the solver within is not used.

    Decisions at a moment that was not seen are expected to be as at the nearest that was: after the
    end of a record, as at its end. The reward of the moment alone is planned for, as if it stayed.

    Attributes:
        solver: What explains each moment: `MaxEnt` or `IAVI`.
        over: What the walk goes over: a column per trajectory or decision ("session", "trial",
            "day"), numbers by size and steps as long as these are apart, names in the order in
            which they stand; or "step", the number of a decision in its trajectory.
        of: Trajectory column that names who walks, each its own way with steps of one length; None
            where all walk together.
        step: Standard deviation of a step, in units of the temperature; None learns it.
        first: Standard deviation of the numbers with which a walk begins; None learns it.
        tolerance: Largest change of a number at which the search has converged.
        max_steps: Expansions of all moments, at most.

    Raises:
        InputError: A standard deviation is not above 0.
    """

    solver: Any
    over: str = "session"
    of: str | None = None
    step: float | None = None
    first: float | None = None
    tolerance: float = 1e-3
    max_steps: int = 50

    def __post_init__(self) -> None:
        for name in ("step", "first"):
            value = getattr(self, name)
            if value is not None and not 0 < value < np.inf:
                raise InputError(f"{name} must be a number above 0, or None; got {value}")

    @property
    def picks(self) -> Gauge:
        """That of the solver within."""
        return self.solver.picks if isinstance(self.solver, Comparable) else Gauge("minimum-norm")

    def solve(self, problem: Problem) -> Solution:
        """The rewards of all moments; `fit` calls this.

        Raises:
            InputError: The solver has no likelihood that can be expanded moment by moment,
                nothing says when a decision was, or there are too many moments and numbers.
            FitError: All decisions together cannot be fitted.
        """
        expansion = self.solver.expand(problem) if isinstance(self.solver, Expands) else None
        if not isinstance(expansion, OfCounts):
            raise InputError(
                "Drifting takes a solver that looks at the present state alone, MaxEnt() or "
                f"IAVI(); got {type(self.solver).__name__}"
            )
        data = problem.decisions
        walk = walk_over(data, self.over, self.of)
        if walk.whose.size * expansion.blocks.size**2 > _MOST:
            raise InputError(
                f"{walk.whose.size:,} moments of {expansion.blocks.size:,} numbers each are too "
                f"many to be held: let them walk over something coarser than {self.over}, or take "
                'a few features, MaxEnt("features")'
            )
        seen = expansion.seen(problem, walk.which(data))
        seen += [np.zeros_like(seen[0])] * (walk.whose.size - len(seen))
        blocks = int(expansion.blocks.max()) + 1
        begin = np.append(
            np.full(blocks, _STEP if self.step is None else 2 * np.log(self.step)),
            _FIRST if self.first is None else 2 * np.log(self.first),
        )
        free = np.append(np.full(blocks, self.step is None), self.first is None)
        search = Search(expansion, seen, walk, begin, free)
        status = search.run(self.tolerance, self.max_steps, problem.progress)
        found = search.known
        total = np.array([one.sum() for one in seen])
        mean = total @ found.means / max(float(total.sum()), 1e-300)
        near = [one.near for one in search.quadratics]
        numbers = Numbers(
            walk, np.vstack([found.means, mean]), found.spread, [*near, near[len(near) // 2]]
        )
        meaning = expansion.meaning(numbers, seen)
        deviations = np.exp(search.log_variances / 2)
        return Solution(
            solver="Drifting",
            settings={**asdict(self), "within": type(self.solver).__name__, **meaning.settings},
            policy=meaning.policy,
            status=status,
            parameters={
                "weights": mean,
                "step": deviations[:-1],
                "first": deviations[-1:],
                **meaning.parameters,
            },
            num_parameters=round(found.effective) + int(free.sum()),
            trace=np.array(search.trace),
            **meaning.fields,
        )


@dataclass(frozen=True, eq=False)
class Drift:
    """How the numbers of one walk went.

    Attributes:
        moments: `[M]` names of the moments.
        times: `[M]` when they were.
        weights: `[M, F]` the numbers at each.
        spread: `[M, F]` how unsure each is: one standard deviation, given all decisions.
    """

    moments: np.ndarray
    times: Float[np.ndarray, " M"]
    weights: Float[np.ndarray, "M F"]
    spread: Float[np.ndarray, "M F"]


def drift_of(solution: Solution) -> dict[str, Drift]:
    """How the rewards of a `Drifting` solution went, by who walks ("" where all walk together).

    Raises:
        InputError: The solution is none of `Drifting`.
    """
    reward = solution.reward_function
    if not isinstance(reward, EachReward) or not isinstance(reward.members, Walk):
        raise InputError(
            f"{solution.solver} has rewards that stay; fit Drifting(...) to see a walk"
        )
    walk = reward.members
    return {
        who: Drift(walk.moments[at], walk.times[at], reward.numbers[at], reward.spread[at])
        for who, at in walk.chains.items()
    }
