"""Animals whose rewards change with a dose, a day or an age: an intercept and slopes for each.

The weights of animal i under covariates x are theta_i0 + sum_c z_c theta_ic, and the numbers of the
hierarchy are all theta_i = (theta_i0, theta_i1, ...): each animal has slopes of its own, drawn from
those of its group. Where a covariate is the same in all decisions of an animal (its age, its dose),
its slope is that between animals, and no animal has one of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import stdtrit

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.covariates import Cases, CovariateReward, Covariates, covariates_of
from inverseq.inverse.hierarchy.evidence import Levels
from inverseq.inverse.hierarchy.expansion import Expansion, Meaning, Numbers, Quadratic
from inverseq.inverse.planning import HardOptimum, SoftOptimum, planned
from inverseq.inverse.problem import Problem
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.policies.each import Members
from inverseq.rewards.each import KnownTable


@runtime_checkable
class Linear(Expansion, Protocol):
    """An expansion in a world whose rewards are linear in its numbers."""

    @property
    def mdp(self) -> MDP:
        """The world."""
        ...

    @property
    def planning(self) -> SoftOptimum | HardOptimum:
        """How the agent plans for its reward."""
        ...

    def reward(self, weights: Float[np.ndarray, " F"]) -> KnownTable:
        """The reward with these weights."""
        ...


class SeenUnder(NamedTuple):
    """What an animal's decisions under some covariates say.

    Attributes:
        units: `[1 + C]` 1, and each covariate in units of the fit.
        seen: What the expansion within sees of them.
    """

    units: Float[np.ndarray, " C1"]
    seen: Any


@dataclass(frozen=True, eq=False)
class SlopedExpansion:
    """The likelihood of an animal in its intercept and slopes.

    Attributes:
        within: The likelihood of decisions under the same covariates, with F numbers.
        covariates: The C columns.
        still: `[C]` covariates that are the same in all decisions of each animal.
    """

    within: Linear
    covariates: Covariates
    still: Bool[np.ndarray, " C"]

    @property
    def penalty(self) -> Float[np.ndarray, "F F"]:
        """Intercepts and slopes vary by themselves."""
        return np.kron(np.eye(1 + self.still.size), self.within.penalty)

    @property
    def blocks(self) -> Int[np.ndarray, " F"]:
        """Intercepts, and slopes of each covariate, vary as they do."""
        own = self.within.blocks
        size = int(own.max()) + 1
        return np.concatenate([own + number * size for number in range(1 + self.still.size)])

    @property
    def alike(self) -> tuple[int, ...]:
        """Blocks in which animals do not differ: none has a slope of its own of what never changes
        for it.
        """
        same = np.repeat(np.append(False, self.still), int(self.within.blocks.max()) + 1)
        return tuple(np.flatnonzero(same).tolist())

    @property
    def cautious(self) -> bool:
        """As the expansion within."""
        return self.within.cautious

    def seen(self, problem: Problem, animal: Int[np.ndarray, " N"]) -> list[list[SeenUnder]]:
        """What the decisions of each animal say, under each of its covariates."""
        units = self.covariates.of(problem.decisions)[problem.decisions.trajectory_of]
        cases, back = np.unique(np.column_stack([animal, units]), axis=0, return_inverse=True)
        made: list[list[SeenUnder]] = [[] for _ in range(int(animal.max()) + 1)]
        for case, one in zip(cases, self.within.seen(problem, back.ravel()), strict=True):
            made[int(case[0])].append(SeenUnder(np.append(1.0, case[1:]), one))
        return made

    def start(self, seen: Sequence[list[SeenUnder]]) -> Float[np.ndarray, " F"]:
        """All decisions together, and no slopes.

        Raises:
            FitError: They cannot be fitted.
        """
        middle = self.within.start([part.seen for one in seen for part in one])
        return np.append(middle, np.zeros(self.still.size * middle.size))

    def quadratic(
        self, seen: list[SeenUnder], weights: Float[np.ndarray, " F"], near: Any
    ) -> Quadratic:
        """The sum over covariates: weights are linear in what they hang on."""
        table = weights.reshape(1 + self.still.size, -1)
        near = [None] * len(seen) if near is None else near
        parts = [
            self.within.quadratic(part.seen, part.units @ table, one)
            for part, one in zip(seen, near, strict=True)
        ]
        units = np.stack([part.units for part in seen])
        slopes, curvatures = (np.stack([one[at] for one in parts]) for at in (1, 2))
        curvature = np.einsum("kc,kd,kfg->cfdg", units, units, curvatures)
        return Quadratic(
            sum(one.value for one in parts),
            (units.T @ slopes).ravel(),
            curvature.reshape(weights.size, weights.size),
            [one.near for one in parts],
        )

    def meaning(self, found: Numbers, seen: Sequence[list[SeenUnder]]) -> Meaning:
        """A reward that is linear in covariates, and what is done for it."""
        within, count = self.within, 1 + self.still.size
        assert isinstance(found.members, Members)  # nobody walks
        each = tuple(
            tuple(within.reward(part) for part in one.reshape(count, -1)) for one in found.values
        )
        reward = CovariateReward(
            Cases(found.members, self.covariates), each, found.values[:-1], found.spread
        )
        made = planned(within.planning, within.mdp, reward)
        fields = {
            "reward_function": reward,
            "planning": within.planning,
            "mdp": within.mdp,
            "q": None if made.plan is None else made.plan.q,
            "v": None if made.plan is None else made.plan.v,
            "visits": np.sum([part.seen for one in seen for part in one], axis=(0, 2)),
        }
        return Meaning(made.policy, fields, {"discount": within.mdp.discount})


def sloped(
    expansion: Any,
    decisions: Demonstrations,
    names: tuple[str, ...],
    members: Members,
    animal: Int[np.ndarray, " T"],
) -> SlopedExpansion:
    """The likelihood with slopes of these columns; `animal` is that of each trajectory.

    Raises:
        InputError: The solver's rewards are not linear in what it finds, a column cannot be used,
            or there are too few animals to tell how much slopes differ.
    """
    if not isinstance(expansion, Linear):
        raise InputError(
            "covariates need rewards that are linear in their weights: take MaxEnt() on states, "
            "state-actions or features"
        )
    covariates = covariates_of(decisions, names)
    values = covariates.of(decisions)
    varies = np.array([np.ptp(values[animal == i], axis=0) > 0 for i in np.unique(animal)])
    for name, times in zip(names, varies.sum(axis=0), strict=True):
        if times == 1:
            raise InputError(
                f"{name} changes in one {members.by} alone, so that nothing says how much slopes "
                f"differ: leave it out, or take a finer column as by"
            )
    still = np.logical_not(np.any(varies, axis=0)).reshape(len(names))
    free = len(members.animals) - max(len(members.groups), 1) - int(still.sum())
    if still.any() and free < 1:
        raise InputError(
            f"{len(members.animals)} of {members.by} are too few for slopes of "
            f"{[n for n, same in zip(names, still, strict=True) if same]} between them: leave some "
            "out, or leave out the group"
        )
    return SlopedExpansion(expansion, covariates, still)


@dataclass(frozen=True, eq=False)
class Slopes:
    """What one unit of each covariate adds to the weights of a reward.

    Attributes:
        covariates: Names of the C columns.
        groups: Names of the G groups; "" where there are none.
        estimate: `[G, C, F]` of each group, per unit of the column.
        low: `[G, C, F]` lower end of the interval over animals.
        high: `[G, C, F]` upper end.
        animals: Names of the n animals.
        each: `[n, C, F]` of each animal; its group's where the column is constant for it.
        spread: `[n, C, F]` how unsure each is: one standard deviation.
    """

    covariates: tuple[str, ...]
    groups: tuple[str, ...]
    estimate: Float[np.ndarray, "G C F"]
    low: Float[np.ndarray, "G C F"]
    high: Float[np.ndarray, "G C F"]
    animals: tuple[str, ...]
    each: Float[np.ndarray, "n C F"]
    spread: Float[np.ndarray, "n C F"]

    @property
    def clear(self) -> Bool[np.ndarray, "G C F"]:
        """Whether the interval leaves out zero."""
        return (self.low > 0) | (self.high < 0)


def slopes_of(solution: Solution, *, level: float = 0.95) -> Slopes:
    """How the reward of a `Hierarchical` solution changes with its covariates.

    Intervals are Student's t over animals: as many degrees of freedom as animals of the group in
    which the column changes, less one; for a column that is constant for each animal, all animals
    less groups and such columns. Standard deviations are those of the hierarchy, which know how
    few decisions an animal has and how much animals differ.

    Args:
        solution: Of `fit` with `Hierarchical(..., covariates=...)`.
        level: Of the intervals.

    Raises:
        InputError: The solution has no covariates, or the level is no share.
    """
    reward = solution.reward_function
    if not isinstance(reward, CovariateReward) or reward.cases.members is None:
        raise InputError(
            f"{solution.solver} has no slopes for all animals: fit Hierarchical(..., "
            'covariates=("day",))'
        )
    if not 0 < level < 1:
        raise InputError(f"level must be a share between 0 and 1; got {level}")
    members, covariates = reward.cases.members, reward.cases.covariates
    n, middle = len(members.animals), solution.parameters["slopes"]
    freedom, wide = solution.parameters["freedom"], solution.parameters["slopes_spread"]
    wide = wide * stdtrit(freedom, (1 + level) / 2)[:, :, None]
    return Slopes(
        covariates=covariates.names,
        groups=members.groups or ("",),
        estimate=middle,
        low=middle - wide,
        high=middle + wide,
        animals=members.animals,
        each=_in_own_units(reward.numbers[:n], covariates),
        spread=_in_own_units(reward.spread[:n], covariates),
    )


def slope_parameters(
    expansion: SlopedExpansion,
    seen: Sequence[list[SeenUnder]],
    group: Int[np.ndarray, " n"],
    found: Levels,
) -> dict[str, np.ndarray]:
    """Weights in the middle of the covariates, slopes of the G groups (of all, where there are
    none) per unit of the columns, how unsure these are, and the degrees of freedom of that.
    """
    groups = int(group.max()) + 1
    varies = np.array(
        [np.ptp([part.units[1:] for part in one], axis=0) > 0 for one in seen], dtype=np.float64
    )
    within = np.stack([varies[group == g].sum(axis=0) - 1 for g in range(groups)])
    between = len(seen) - groups - expansion.still.sum()
    return {
        "weights": found.pooled[: expansion.within.blocks.size],
        "slopes": _in_own_units(found.groups, expansion.covariates),
        "slopes_spread": _in_own_units(found.group_spread, expansion.covariates),
        "freedom": np.where(expansion.still, between, np.maximum(within, 1.0)),
    }


def _in_own_units(
    numbers: Float[np.ndarray, "k F"], covariates: Covariates
) -> Float[np.ndarray, "k C G"]:
    """Slopes among the numbers, per unit of the columns."""
    shaped = numbers.reshape(len(numbers), 1 + len(covariates.names), -1)
    return shaped[:, 1:] / covariates.scale[:, None]
