"""What a solver is given: decisions, their counts, and the world they were made in."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float
from scipy import sparse

from inverseq._core.errors import InputError
from inverseq.decisions.counts import Counts, count
from inverseq.demonstrations import Demonstrations
from inverseq.demonstrations.spaces import number_of
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.rewards.gauges import Gauge

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, steps done, steps in all)."""

Found = TypeVar("Found", covariant=True)
"""What a solver finds: a `Solution`, or a record of several."""


@dataclass(frozen=True, eq=False)
class Problem:
    """Decisions to explain.

    Attributes:
        demonstrations: The decisions; None where only their counts were given.
        given_mdp: The world; None where the solver needs none.
        given_counts: Counts that stand for the decisions; None where these were given.
        weights: `[N]` weight of each decision, or None for 1.
        progress: Called while fitting, or None.
        near: A solution of similar decisions in the same world, from which solvers that search may
            start, or None.
    """

    demonstrations: Demonstrations | None
    given_mdp: MDP | None = None
    given_counts: Counts | None = None
    weights: Float[np.ndarray, " N"] | None = None
    progress: Progress | None = None
    near: Explanation | None = None

    @property
    def mdp(self) -> MDP:
        """The world.

        Raises:
            InputError: None was given, or none is possible: the decisions are not numbered.
        """
        if self.given_mdp is None:
            if self.demonstrations is not None:
                number_of(self.demonstrations.state_space, "states")
                number_of(self.demonstrations.action_space, "actions")
            raise InputError(
                "this solver needs the world: pass mdp=..., for example "
                "mdp=inverseq.MDP.estimate(demonstrations, discount=0.95, smoothing=1.0)"
            )
        return self.given_mdp

    @cached_property
    def counts(self) -> Counts:
        """Counts of the decisions in the states of the world, with trajectories as units.

        Raises:
            InputError: The decisions, or the counts that were given, do not fit the world.
        """
        if self.given_counts is not None:
            check_counts(self.given_counts, self.given_mdp)
            return self.given_counts
        return count(self.decisions, self.mdp, weights=self.weights)

    @property
    def decisions(self) -> Demonstrations:
        """The decisions.

        Raises:
            InputError: Only counts were given.
        """
        if self.demonstrations is None:
            raise InputError("this solver needs the demonstrations themselves, not their counts")
        return self.demonstrations


@runtime_checkable
class Solver(Protocol[Found]):
    """Settings of one way to explain behaviour; a frozen dataclass with this method."""

    def solve(self, problem: Problem) -> Found:
        """The solution of `problem`; never raises for a fit that did not converge."""
        ...


@runtime_checkable
class Settles(Protocol):
    """A solver that chooses something from the data (the strength of a prior, a habit)."""

    def settle(self, problem: Problem) -> Solver[Solution]:
        """The same with that chosen, once for fits to all parts of `problem`."""
        ...


def settled(solver: Solver[Solution], problem: Problem) -> Solver[Solution]:
    """The solver with what it chooses itself chosen, once for all parts of `problem`."""
    return solver.settle(problem) if isinstance(solver, Settles) else solver


@runtime_checkable
class HasPrior(Protocol):
    """A solver that maximises the likelihood of decisions times a prior of what it finds."""

    def log_prior(self, solution: Solution) -> float:
        """Logarithm of the prior of a solution, up to a constant."""
        ...


@runtime_checkable
class Comparable(Protocol):
    """A solver that says what its rewards may be compared under."""

    @property
    def picks(self) -> Gauge:
        """The gauge in which its reward is one of the equivalent ones."""
        ...


@runtime_checkable
class Describes(Protocol):
    """A solver that finds what is done, and no reward."""

    describes_only: bool


@runtime_checkable
class LeavesOut(Protocol):
    """A solver that predicts each decision it was fitted to from the other decisions."""

    def fitted_probabilities(self, solution: Solution) -> Float[np.ndarray, "N A"]:
        """What a solution expects at the decisions that `solve` makes likely."""
        ...


class Refitted(NamedTuple):
    """What a solver finds for R counts: rewards, its free parameters, and whether each fit did."""

    rewards: Float[np.ndarray, "S A R"]
    parameters: Mapping[str, Float[np.ndarray, "R ..."]]
    converged: Bool[np.ndarray, " R"]


@runtime_checkable
class Refits(Protocol):
    """A solver that explains, at once, many counts that differ little from those of a fit."""

    def refit(self, counts: Float[np.ndarray, "S A R"], estimate: Solution) -> Refitted:
        """What it finds for R counts; what it chose for `estimate` stays as it was."""
        ...


@runtime_checkable
class AddsDecisions(Refits, Protocol):
    """A solver whose prior is decisions of each kind that were seen before the others.

    It finds the most likely log-odds of actions under that prior. How many decisions a prior of
    `smoothing` stands for is itself uncertain: as many as a gamma distribution of that shape says
    (Dirichlet shares are gamma numbers divided by their sum).
    """

    @property
    def smoothing(self) -> float:
        """Decisions added to each action that exists."""
        ...

    def counts_of(self, solution: Solution) -> Float[np.ndarray, "S A"]:
        """The decisions behind one of its solutions, those added left out."""
        ...

    def bare(self) -> Refits:
        """The same solver, which adds nothing."""
        ...


@runtime_checkable
class AddsTransitions(Protocol):
    """A solver of transitions that says nothing of what was never seen.

    What was never seen is what a prior of decisions has to stand for.
    """

    def solve_adding(
        self, problem: Problem, added: Float[np.ndarray, "S A"], *, unseen: bool = False
    ) -> Solution:
        """Where so many more decisions of each kind, or of each that was `unseen`, were made, which
        led where the world says.
        """
        ...


@runtime_checkable
class Leans(Protocol):
    """A solver with a Gaussian prior of numbers in which its reward is linear."""

    def leaning(self, estimate: Solution, draws: Sequence[np.random.Generator]) -> Refitted:
        """By how much rewards and numbers move, to first order, where what the prior expects is
        not 0 but drawn from the prior itself, once with each generator.
        """
        ...


class Response(NamedTuple):
    """What small changes of counts do to a fit.

    Attributes:
        name: The parameter in question.
        slopes: `[S * A, F]` by how much one more decision of each kind changes it.
        reward: `[S * A, F]` by how much it changes the reward.
        prior: `[F, F]` its covariance where what the prior expects is drawn from the prior.
    """

    name: str
    slopes: Float[np.ndarray, "SA F"]
    reward: sparse.csr_array
    prior: Float[np.ndarray, "F F"]


@runtime_checkable
class Responds(Protocol):
    """A solver that knows how its fits depend on the data."""

    def response(self, estimate: Solution, counts: Float[np.ndarray, "S A"]) -> Response:
        """Of the fit to `counts`."""
        ...


def check_counts(counts: Counts, mdp: MDP | None) -> None:
    """Raise an `InputError` for counts of another world, or of actions that do not exist."""
    if mdp is None:
        return
    shape = (mdp.num_states, mdp.num_actions)
    if counts.state_action.shape != shape:
        raise InputError(
            f"counts are of {counts.state_action.shape[0]} states and "
            f"{counts.state_action.shape[1]} actions, the world has {shape[0]} and {shape[1]}: "
            "count in this world, with inverseq.count(demonstrations, mdp)"
        )
    bad = (counts.state_action > 0) & ~mdp.allowed
    if bad.any():
        s, a = (int(i) for i in np.argwhere(bad)[0])
        raise InputError(
            f"action {a} was counted at state {s}, where it does not exist ({int(bad.sum())} such "
            "pairs). Correct the counts, or allow the action in the MDP."
        )
