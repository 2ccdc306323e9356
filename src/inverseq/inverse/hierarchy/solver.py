"""A reward for each animal, drawn from its group's, with how alike animals are learned."""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Int

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.covariates import CovariatePolicy, CovariateReward
from inverseq.inverse.hierarchy.expansion import Expands, Numbers
from inverseq.inverse.hierarchy.search import Search
from inverseq.inverse.hierarchy.slopes import SlopedExpansion, slope_parameters, sloped
from inverseq.inverse.problem import Comparable, Problem
from inverseq.inverse.solution import Solution
from inverseq.policies.each import Members
from inverseq.rewards.each import EachReward
from inverseq.rewards.gauges import Gauge


@dataclass(frozen=True)
class Hierarchical:
    """Rewards of animals that are alike: animal from group, group from all.

    Numbers of each animal (weights of features, rewards of states or pairs; with IAVI, log-odds of
    actions, of which its reward is read; with Learner, how it learns) are Gaussian around its
    group's, those of groups around one mean. How much animals and groups differ is learned from the
    decisions by empirical Bayes: nothing is set by hand, and no folds are needed. Animals with few
    decisions are drawn to their group, those with many speak for themselves; an animal that was
    never seen is expected to be as its group.

    The evidence is that of Laplace's method: exact gradients and curvatures of the likelihood of
    each animal at its most probable numbers (of learners, whose likelihood is not concave, the
    information in place of the curvature), all levels integrated in closed form. A strength or a
    smoothing of the solver within is not used.

    With `covariates`, the weights of each animal are linear in columns of the table, with slopes of
    its own drawn from its group's (`slopes_of` says how sure they are); of what is the same in all
    its decisions, such as its age, the slope is that between animals. Decisions under values never
    seen are planned for on the same line.

    To compare groups, leave `group` out: rewards drawn towards those of their group differ more
    between groups than the animals do.

    Attributes:
        solver: What explains each animal: `MaxEnt`, `IAVI` or `Learner`.
        by: Trajectory column that names the animals.
        group: Trajectory column that names the groups, or None.
        covariates: Trajectory columns of numbers that rewards are linear in ("day", "dose"), of
            `MaxEnt`, whose rewards are linear in their weights.
        tolerance: Largest change of a number, in units of the temperature, at which the search has
            converged.
        max_steps: Expansions of all animals, at most.
    """

    solver: Any
    by: str = "subject"
    group: str | None = None
    covariates: tuple[str, ...] = ()
    tolerance: float = 1e-3
    max_steps: int = 50

    @property
    def picks(self) -> Gauge:
        """That of the solver within."""
        return self.solver.picks if isinstance(self.solver, Comparable) else Gauge("minimum-norm")

    def solve(self, problem: Problem) -> Solution:
        """The rewards of all animals; `fit` calls this.

        Raises:
            InputError: The solver has no likelihood that can be expanded, or nothing says who is an
                animal, or an animal is in several groups, or a covariate cannot be used.
            FitError: All decisions together cannot be fitted.
        """
        members, search = self.begin(problem)
        status = search.run(self.tolerance, self.max_steps, problem.progress)
        found, expansion = search.levels, search.expansion
        slopes = isinstance(expansion, SlopedExpansion)
        own = len(members.groups)
        values = np.concatenate([found.animals, found.groups[:own], found.pooled[None]])
        spread = np.concatenate([found.spread, found.group_spread[:own]])
        near = [one.near for one in search.quadratics]
        near += [near[0]] * (len(values) - len(near))
        meaning = expansion.meaning(Numbers(members, values, spread, near), search.seen)
        blocks = int(expansion.blocks.max()) + 1
        deviations = np.exp(search.log_variances / 2)
        return Solution(
            solver="Hierarchical",
            settings={**asdict(self), "within": type(self.solver).__name__, **meaning.settings},
            policy=meaning.policy,
            status=status,
            parameters={
                "weights": found.pooled,
                **(slope_parameters(expansion, search.seen, search.group, found) if slopes else {}),
                "between_animals": deviations[:blocks],
                "between_groups": deviations[blocks:-1, None] * deviations[:blocks],
                **meaning.parameters,
            },
            num_parameters=round(found.effective) + deviations.size,
            trace=np.array(search.trace),
            **meaning.fields,
        )

    def begin(self, problem: Problem) -> tuple[Members, Search]:
        """Who the animals are, and the search for their numbers before its first step.

        Raises:
            InputError: As of `solve`.
            FitError: All decisions together cannot be fitted.
        """
        if not isinstance(self.solver, Expands):
            raise InputError(
                f"Hierarchical takes a solver whose likelihood hangs on numbers, MaxEnt(), IAVI() "
                f"or Learner(); got {type(self.solver).__name__}"
            )
        members, group, animal = self._members(problem.decisions)
        expansion = self.solver.expand(problem)
        if self.covariates:
            expansion = sloped(expansion, problem.decisions, self.covariates, members, animal)
        seen = expansion.seen(problem, animal[problem.decisions.trajectory_of])
        alike = expansion.alike if isinstance(expansion, SlopedExpansion) else ()
        return members, Search(expansion, seen, group, alike)

    def _members(
        self, data: Demonstrations
    ) -> tuple[Members, Int[np.ndarray, " n"], Int[np.ndarray, " T"]]:
        """Animals and groups, the group of each animal, and the animal of each trajectory.

        Raises:
            InputError: A column is missing, or an animal is in several groups.
        """
        for name in (self.by, self.group):
            if name is not None and name not in data.trajectories:
                raise InputError(
                    f"there is no column {name!r} that is constant in a trajectory; there are "
                    f"{[*data.trajectories]}"
                )
        names = [str(name) for name in data.trajectories[self.by]]
        animals = tuple(dict.fromkeys(names))
        animal = np.array([animals.index(name) for name in names])
        if self.group is None:
            return Members(self.by, animals), np.zeros(len(animals), dtype=np.int64), animal
        levels = [str(level) for level in data.trajectories[self.group]]
        own: dict[str, str] = {}
        for name, level in zip(names, levels, strict=True):
            if own.setdefault(name, level) != level:
                raise InputError(
                    f"{self.by} {name} is in several groups of {self.group}: {own[name]} and "
                    f"{level}. Groups of a hierarchy are of animals; take one column that joins "
                    "both as by, or another group"
                )
        groups = tuple(sorted(set(levels)))
        group = np.array([groups.index(own[name]) for name in animals])
        return Members(self.by, animals, self.group, groups), group, animal


def each_of(solution: Solution) -> dict[str, Solution]:
    """The solution of each animal of a hierarchy, by name, as if it had been fitted alone.

    Raises:
        InputError: The solution is none of `Hierarchical`.
    """
    policy: Any = solution.policy
    reward = solution.reward_function
    whose = policy.cases if isinstance(policy, CovariatePolicy) else policy
    members = getattr(whose, "members", None)
    if not isinstance(members, Members):
        raise InputError(
            f"{solution.solver} has one reward for all; fit Hierarchical(...) for each"
        )
    return {
        name: replace(
            solution,
            policy=policy.alone(i),
            reward_function=_own(reward, i),
            q=None,
            v=None,
            visits=None,
            parameters=_weights(solution, i),
        )
        for i, name in enumerate(members.animals)
    }


def _own(reward: Any, member: int) -> Any:
    """The reward of one member, if any."""
    if isinstance(reward, CovariateReward):
        return reward.alone(member)
    return reward.each[member] if isinstance(reward, EachReward) else None


def _weights(solution: Solution, member: int) -> dict[str, np.ndarray]:
    """The numbers of one member."""
    reward = solution.reward_function
    if isinstance(reward, CovariateReward):
        return {"weights": reward.numbers[member, : solution.parameters["weights"].size]}
    if not isinstance(reward, EachReward):
        return {"weights": solution.parameters["animals"][member]}
    weights = getattr(reward.each[member], "weights", None)
    return {} if weights is None else {"weights": weights}
