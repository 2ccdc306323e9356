"""A reward for each animal, drawn from its group's, with how alike animals are learned."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq._core.status import Outcome, Status
from inverseq.decisions.counts import count
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.hierarchy.evidence import Quadratics, learned, levels, precisions
from inverseq.inverse.hierarchy.expansion import Expands, Expansion, Quadratic
from inverseq.inverse.problem import Comparable, Problem, Progress
from inverseq.inverse.solution import Solution
from inverseq.policies import TabularPolicy
from inverseq.policies.each import EachPolicy, Members
from inverseq.rewards.each import EachReward
from inverseq.rewards.gauges import Gauge

_SHORTEST = 2.0**-12
"""Share of a step below which no better point is looked for."""

_UNRELATED = 2.0
"""Logarithm of the variance of all animals' mean that a search begins with, in squared units of the
temperature; less of it, that of the variances between animals."""


_REACH = 0.7
"""Change of the logarithm of a variance in one step. The evidence is that of expansions around the
present numbers: far from them it may promise what is not there, and animals would run after it."""


@dataclass(frozen=True)
class Hierarchical:
    """Rewards of animals that are alike: animal from group, group from all.

    Numbers of each animal's reward (weights of features, rewards of states or pairs; with IAVI,
    log-odds of actions, of which its reward is read) are Gaussian around its group's, those of
    groups around one mean. How much animals and groups differ is learned from the decisions by
    empirical Bayes: nothing is set by hand, and no folds are needed. Animals with few decisions are
    drawn to their group, those with many speak for themselves; an animal that was never seen is
    expected to be as its group.

    The evidence is that of Laplace's method: exact gradients and curvatures of the likelihood of
    each animal at its most probable numbers, all levels integrated in closed form. A strength or
    a smoothing of the solver within is not used.

    To compare groups, leave `group` out: rewards drawn towards those of their group differ more
    between groups than the animals do.

    Attributes:
        solver: What explains each animal: `MaxEnt` or `IAVI`.
        by: Trajectory column that names the animals.
        group: Trajectory column that names the groups, or None.
        tolerance: Largest change of a number, in units of the temperature, at which the search has
            converged.
        max_steps: Expansions of all animals, at most.
    """

    solver: Any
    by: str = "subject"
    group: str | None = None
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
                animal, or an animal is in several groups.
            FitError: All decisions together cannot be fitted.
        """
        if not isinstance(self.solver, Expands):
            raise InputError(
                f"Hierarchical takes a solver whose reward hangs on numbers with a likelihood, "
                f"MaxEnt() or IAVI(); got {type(self.solver).__name__}"
            )
        data, mdp = problem.decisions, problem.mdp
        members, group, of = self._members(data)
        units = count(data, mdp, weights=problem.weights, by=self.by).units
        assert units is not None  # `count` makes them
        counts = units.toarray().reshape(-1, *mdp.allowed.shape)[of]
        expansion = self.solver.expand(mdp)
        search = _Search(expansion, counts, group)
        status = search.run(self, problem.progress)
        found = search.levels
        own = len(members.groups)
        numbers = np.concatenate([found.animals, found.groups[:own], found.pooled[None]])
        spread = np.concatenate([found.spread, found.group_spread[:own]])
        near = [one.near for one in search.quadratics]
        near += [near[0]] * (len(numbers) - len(near))
        told = [expansion.explain(w, n) for w, n in zip(numbers, near, strict=True)]
        blocks = int(expansion.blocks.max()) + 1
        deviations = np.exp(search.log_variances / 2)
        return Solution(
            solver="Hierarchical",
            settings={
                **asdict(self),
                "within": type(self.solver).__name__,
                "discount": mdp.discount,
            },
            policy=EachPolicy(members, np.stack([one.policy for one in told])),
            status=status,
            mdp=mdp,
            reward_function=EachReward(
                members, tuple(one.reward for one in told), numbers[:-1], spread
            ),
            planning=expansion.planning,
            q=told[-1].q,
            v=told[-1].v,
            visits=counts.sum(axis=(0, 2)),
            parameters={
                "weights": found.pooled,
                "between_animals": deviations[:blocks],
                "between_groups": deviations[blocks:-1, None] * deviations[:blocks],
            },
            num_parameters=round(found.effective) + deviations.size,
            trace=np.array(search.trace),
        )

    def _members(
        self, data: Demonstrations
    ) -> tuple[Members, Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
        """Animals and groups, the group of each animal, and its number among the units.

        Raises:
            InputError: A column is missing, or an animal is in several groups.
        """
        for name in (self.by, self.group):
            if name is not None and name not in data.trajectories:
                raise InputError(
                    f"there is no column {name!r} that is constant in a trajectory; there are "
                    f"{[*data.trajectories]}"
                )
        units = data.units(self.by)
        names = [str(name) for name in data.trajectories[self.by]]
        animals = tuple(dict.fromkeys(names))
        of = np.array([units[names.index(animal)] for animal in animals])
        if self.group is None:
            return Members(self.by, animals), np.zeros(len(animals), dtype=np.int64), of
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
        group = np.array([groups.index(own[animal]) for animal in animals])
        return Members(self.by, animals, self.group, groups), group, of


def each_of(solution: Solution) -> dict[str, Solution]:
    """The solution of each animal of a hierarchy, by name, as if it had been fitted alone.

    Raises:
        InputError: The solution is none of `Hierarchical`.
    """
    policy, reward = solution.policy, solution.reward_function
    if not isinstance(policy, EachPolicy) or not isinstance(reward, EachReward):
        raise InputError(
            f"{solution.solver} has one reward for all; fit Hierarchical(...) for each"
        )
    assert solution.planning is not None  # what has a reward for each has one
    assert solution.mdp is not None
    return {
        name: replace(
            solution,
            policy=TabularPolicy(policy.tables[i]),
            reward_function=reward.each[i],
            q=None,
            v=None,
            visits=None,
            parameters=_weights(reward, i),
        )
        for i, name in enumerate(policy.members.animals)
    }


def _weights(reward: EachReward, member: int) -> dict[str, np.ndarray]:
    """The numbers of one member's reward."""
    weights = getattr(reward.each[member], "weights", None)
    return {} if weights is None else {"weights": weights}


class _Search:
    """The numbers of all animals, and how alike they are."""

    def __init__(
        self,
        expansion: Expansion,
        counts: Float[np.ndarray, "n S A"],
        group: Int[np.ndarray, " n"],
    ) -> None:
        self.expansion, self.counts, self.group = expansion, counts, group
        pooled = expansion.start(counts.sum(axis=0))
        self.animals = np.tile(pooled, (len(counts), 1))
        self.quadratics = self._expanded(self.animals, [None] * len(counts))
        self.log_variances = np.full(self._data().num_variances, -_UNRELATED)
        self.log_variances[int(expansion.blocks.max()) + 1 :] = 0.0
        self.log_variances[-1] = _UNRELATED
        self.levels = levels(self._data(), self.log_variances)
        self.trace: list[float] = []

    def run(self, settings: Hierarchical, progress: Progress | None) -> Status:
        """Expand, learn how alike animals are, move them; until nothing changes."""
        change = np.inf
        for step in range(settings.max_steps):
            data = self._data()
            self.log_variances = learned(data, self.log_variances, _REACH)
            self.levels = levels(data, self.log_variances)
            self.trace.append(self.levels.evidence + self._constant())
            change = self._move()
            if progress is not None:
                progress("hierarchy", step + 1, settings.max_steps)
            if change <= settings.tolerance:
                return Status(Outcome.CONVERGED, step + 1, change)
        words = "animals still moved when the steps were used up; give more max_steps"
        return Status(Outcome.LIMIT, settings.max_steps, change, words)

    def _move(self) -> float:
        """Go where all levels are most probable, or as far towards it as that is better; the
        largest change.
        """
        own, *_ = precisions(self._data(), self.log_variances)
        at = self.levels.groups[self.group]

        def value(of: Sequence[Quadratic], numbers: np.ndarray, i: np.ndarray) -> np.ndarray:
            away = numbers - at[i]
            charged = np.einsum("nf,fg,ng->n", away, own, away) / 2
            return np.array([one.value for one in of]) - charged

        # Given its group, each animal is a problem of its own.
        left = np.arange(len(self.animals))
        before = value(self.quadratics, self.animals, left)
        step, share = self.levels.animals - self.animals, 1.0
        made, moved = list(self.quadratics), self.animals.copy()
        while left.size and share > _SHORTEST:
            tried = self.animals[left] + share * step[left]
            found = self._expanded(tried, [self.quadratics[i].near for i in left], left)
            better = value(found, tried, left) >= before[left] - 1e-9 * np.abs(before[left])
            for i, one, numbers, took in zip(left, found, tried, better, strict=True):
                if took:
                    made[i], moved[i] = one, numbers
            left, share = left[~better], share / 2
        change = float(np.abs(moved - self.animals).max(initial=0.0))
        self.animals, self.quadratics = moved, made
        return change

    def _expanded(
        self,
        animals: Float[np.ndarray, "k F"],
        near: Sequence[Any],
        which: Int[np.ndarray, " k"] | None = None,
    ) -> list[Quadratic]:
        """The likelihoods of some animals around their numbers."""
        chosen = range(len(self.counts)) if which is None else which
        return [
            self.expansion.quadratic(self.counts[i], numbers, n)
            for i, numbers, n in zip(chosen, animals, near, strict=True)
        ]

    def _constant(self) -> float:
        """What the expansions are worth where all numbers are zero."""
        made = 0.0
        for one, numbers in zip(self.quadratics, self.animals, strict=True):
            bend = float(numbers @ one.curvature @ numbers)
            made += one.value - float(one.slope @ numbers) - bend / 2
        return made

    def _data(self) -> Quadratics:
        """The expansions, with slopes at zero."""
        curvatures = np.stack([one.curvature for one in self.quadratics])
        slopes = np.stack([one.slope for one in self.quadratics])
        slopes = slopes + np.einsum("nij,nj->ni", curvatures, self.animals)
        expansion = self.expansion
        return Quadratics(curvatures, slopes, self.group, expansion.penalty, expansion.blocks)
