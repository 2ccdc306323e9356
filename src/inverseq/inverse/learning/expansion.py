"""The likelihood of a learner as a quadratic in its numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.optimize import OptimizeResult, minimize

from inverseq._core.errors import FitError, InputError
from inverseq.decisions.counts import decision_weights
from inverseq.inverse.hierarchy.expansion import Meaning, Numbers, Quadratic
from inverseq.inverse.problem import Problem
from inverseq.mdp import MDP
from inverseq.policies.each import Members
from inverseq.policies.leading import Leading
from inverseq.policies.learning import (
    BIAS,
    HABIT,
    PLACES,
    REPETITION,
    VALUE,
    Course,
    LearnerPolicy,
    chances,
    course_of,
    in_own_units,
)

TYPICAL = {VALUE: 2.0, PLACES: 1.0, HABIT: 0.5, REPETITION: 0.5}
"""Numbers that a search begins with; the others begin at 0."""

_USUAL = (0.2, 30.0)
"""Sizes of the largest payment between which the fit hardly depends on its unit."""

_WEAK = 0.1
"""Weight of the prior under which a search for numbers of all animals together begins."""


class Seen(NamedTuple):
    """What the decisions of one animal say.

    Attributes:
        course: What was done and paid.
        rows: `[n]` decisions with an action and a weight.
        weights: `[n]` theirs.
    """

    course: Course
    rows: Int[np.ndarray, " n"]
    weights: Float[np.ndarray, " n"]


@dataclass(frozen=True, eq=False)
class LearnerExpansion:
    """The exact gradient, and the information of decisions given what came before each in place of
    the curvature, so that it is never negative.

    Attributes:
        reward: Column of what an action paid.
        terms: Names of the F numbers.
        exists: `[N, A]` actions that exist at each decision.
        mdp: The world, or None.
        leading: Where actions lead, or None where that does not count.
    """

    reward: str
    terms: tuple[str, ...]
    exists: Bool[np.ndarray, "N A"]
    mdp: MDP | None = None
    leading: Leading | None = None

    @cached_property
    def penalty(self) -> Float[np.ndarray, "F F"]:
        """That of the prior."""
        return penalty_of(self.terms)

    @property
    def blocks(self) -> Int[np.ndarray, " F"]:
        """Each number varies as it does, biases alike."""
        first = sum(not name.startswith(BIAS) for name in self.terms)
        return np.minimum(np.arange(len(self.terms)), first)

    @property
    def cautious(self) -> bool:
        """Yes: each number has a variance of its own, of which a few animals say little."""
        return True

    def seen(self, problem: Problem, animal: Int[np.ndarray, " N"]) -> list[Seen]:
        """What was done and paid, animal by animal.

        Raises:
            InputError: The column of rewards cannot be used, or pays in too small or large a unit.
        """
        data = problem.decisions
        course = course_of(data, self.reward, self.exists, self.leading)
        _require_usual(course, self.reward)
        weights = decision_weights(problem.weights, data.num_decisions)
        made = []
        for number in range(int(animal.max()) + 1):
            own = np.flatnonzero(animal == number)
            used = np.flatnonzero((course.actions[own] >= 0) & (weights[own] > 0))
            made.append(Seen(course.take(own), used, weights[own][used]))
        return made

    def start(self, seen: Sequence[Seen]) -> Float[np.ndarray, " F"]:
        """The most probable numbers of all decisions together, under a weak prior.

        Raises:
            FitError: There are none.
        """
        begin = np.array([TYPICAL.get(name, 0.0) for name in self.terms])
        found = self.search(seen, begin, _WEAK, 1e-4, 500)
        if not np.isfinite(found.fun):
            raise FitError("all decisions together could not be fitted: no likelihood is finite")
        return found.x

    def search(
        self,
        seen: Sequence[Seen],
        begin: Float[np.ndarray, " F"],
        strength: float,
        tolerance: float,
        max_steps: int,
    ) -> OptimizeResult:
        """The most probable numbers of several animals together, a Gaussian prior around 0."""

        def cost(numbers: np.ndarray) -> tuple[float, np.ndarray]:
            parts = [self.quadratic(one, numbers, None) for one in seen]
            pull = strength * self.penalty @ numbers
            value = sum(one.value for one in parts) - 0.5 * float(numbers @ pull)
            return -value, pull - np.sum([one.slope for one in parts], axis=0)

        limits = {"maxiter": max_steps, "gtol": tolerance, "ftol": 1e-14}
        return minimize(cost, begin, jac=True, method="L-BFGS-B", options=limits)

    def quadratic(self, seen: Seen, weights: Float[np.ndarray, " F"], near: None) -> Quadratic:
        """Sums over decisions: sum_a (dp(a) dp(a)') / p(a) is what one is expected to say."""
        made = chances(self.terms, weights, seen.course, self.leading)
        policy, slopes = made.chances[seen.rows], made.slopes[seen.rows]
        taken = np.arange(seen.rows.size), seen.course.actions[seen.rows]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            value = float(seen.weights @ np.log(policy[taken]))
            slope = (seen.weights / policy[taken]) @ slopes[taken]
            heavy = np.where(policy > 0, seen.weights[:, None] / policy, 0.0)
            scaled = slopes * np.sqrt(heavy)[:, :, None]
            flat = scaled.reshape(-1, len(self.terms))
            information = flat.T @ flat
        return Quadratic(value, slope, information, None)

    def meaning(self, found: Numbers, seen: Sequence[Seen]) -> Meaning:
        """A policy that knows whose decision it is; there is no reward to find, it is given."""
        members = found.members
        assert isinstance(members, Members)  # learners do not walk
        policy = LearnerPolicy(self.reward, self.terms, found.values, members, self.leading)
        return Meaning(
            policy,
            fields={"mdp": self.mdp},
            settings={"numbers": self.terms},
            parameters={
                "animals": found.values[:-1],
                "spread": found.spread,
                "own_units": in_own_units(self.terms, found.values[:-1]),
            },
        )


def _require_usual(course: Course, reward: str) -> None:
    """Raise an `InputError` unless payments are of a size that the prior and the beginning of the
    search are made for.
    """
    most = float(np.abs(course.rewards).max(initial=0.0))
    smallest, largest = _USUAL
    if most > 0 and not smallest <= most <= largest:
        raise InputError(
            f"column {reward!r} pays up to {most:g}, and a learner's prior is made for payments of "
            f"about 1: divide the column by {most:g}"
        )


def penalty_of(terms: tuple[str, ...]) -> Float[np.ndarray, "F F"]:
    """Numbers vary by themselves, and biases as differences of what every action has, so that it
    does not matter which action is the first.
    """
    made = np.eye(len(terms))
    biases = [number for number, name in enumerate(terms) if name.startswith(BIAS)]
    made[np.ix_(biases, biases)] -= 1 / (len(biases) + 1)
    return made
