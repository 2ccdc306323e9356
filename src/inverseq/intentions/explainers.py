"""The M-step of behaviour: from weights of decisions to policies, for R restarts at once.

What EM asks of a solver. Where the policy follows from counts in closed form (`IAVI`), all restarts
and intentions are one sparse product, and rewards are read out once at the end; any other solver is
called once per restart and intention, beginning where its last call ended.
"""

from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from inverseq.decisions.alignment import align
from inverseq.decisions.counts import Counts, decision_weights
from inverseq.inverse.problem import HasPrior, LeavesOut, Problem, Solver
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.policies.policy import log_taken


@runtime_checkable
class SolverOfCounts(Protocol):
    """A solver whose policy follows from counts in closed form."""

    def policy_of(
        self, counts: Float[np.ndarray, "S A *R"], mdp: MDP
    ) -> Float[np.ndarray, "S A *R"]:
        """Policies of R counts."""
        ...

    def log_prior_of(
        self, policy: Float[np.ndarray, "S A *R"], mdp: MDP
    ) -> Float[np.ndarray, "*R"]:
        """Logarithm of the prior that makes those policies the most likely ones."""
        ...


@runtime_checkable
class Explainer(Protocol):
    """A way from weights to policies; the form of what is explained is its own affair."""

    def explain(self, weights: Float[np.ndarray, "N R K"], before: Any) -> Any:
        """Policies of weighted decisions; `before` are those of the last call, or None."""
        ...

    def log_likelihood(self, explained: Any) -> Float[np.ndarray, "N R K"]:
        """Of each decision, times its weight; 0 where the action is missing."""
        ...

    def log_prior(self, explained: Any) -> Float[np.ndarray, " R"]:
        """Of all intentions of a restart together, up to a constant."""
        ...

    def take(self, explained: Any, chosen: Int[np.ndarray, " r"]) -> Any:
        """Some of the restarts."""
        ...


class CountedPolicies:
    """Policies in closed form; what is explained is an array `[S, A, R, K]`."""

    def __init__(self, problem: Problem, solver: SolverOfCounts) -> None:
        self.mdp, self.solver = problem.mdp, solver
        data = problem.decisions
        self.states, self.actions, self.acted = align(data, self.mdp), data.actions, data.acted
        self.cells = _cells(problem, self.states)
        self.given = decision_weights(problem.weights, data.num_decisions)

    def explain(
        self, weights: Float[np.ndarray, "N R K"], before: Float[np.ndarray, "S A R K"] | None
    ) -> Float[np.ndarray, "S A R K"]:
        """Policies of weighted decisions."""
        shape = (self.mdp.num_states, self.mdp.num_actions, *weights.shape[1:])
        counts = (self.cells @ weights.reshape(len(weights), -1)).reshape(shape)
        return self.solver.policy_of(counts, self.mdp)

    def log_likelihood(self, explained: Float[np.ndarray, "S A R K"]) -> Float[np.ndarray, "N R K"]:
        """Of each decision under each policy, times its weight; 0 where the action is missing."""
        with np.errstate(divide="ignore"):
            logs = np.log(explained).reshape(-1, *explained.shape[2:])
        cell = self.states * self.mdp.num_actions + self.actions
        return _weighed(logs.take(cell, axis=0, mode="clip"), self.acted, self.given)

    def log_prior(self, explained: Float[np.ndarray, "S A R K"]) -> Float[np.ndarray, " R"]:
        """Of all intentions together."""
        return self.solver.log_prior_of(explained, self.mdp).sum(axis=-1)

    def take(
        self, explained: Float[np.ndarray, "S A R K"], chosen: Int[np.ndarray, " r"]
    ) -> Float[np.ndarray, "S A r K"]:
        """Some of the restarts."""
        return explained[:, :, chosen]


@dataclass(frozen=True, eq=False)
class Fits:
    """Solutions of R restarts, K each."""

    solutions: tuple[tuple[Solution, ...], ...]


class FittedPolicies:
    """Policies of any solver; what is explained is K solutions for each of R restarts."""

    def __init__(self, problem: Problem, solver: Solver[Solution]) -> None:
        # Bars on a screen cannot follow the fits into other processes.
        self.problem, self.solver = replace(problem, progress=None), solver
        self.data = problem.decisions
        self.given = decision_weights(problem.weights, self.data.num_decisions)
        mdp = problem.given_mdp
        self.cells = None if mdp is None else _cells(problem, align(self.data, mdp))

    def explain(self, weights: Float[np.ndarray, "N R K"], before: Fits | None) -> Fits:
        """One fit for each restart and intention."""
        made = []
        for r in range(weights.shape[1]):
            near = None if before is None else before.solutions[r]
            made.append(
                tuple(
                    self.solve(weights[:, r, k], None if near is None else near[k])
                    for k in range(weights.shape[2])
                )
            )
        return Fits(tuple(made))

    def solve(self, weights: Float[np.ndarray, " N"], near: Solution | None = None) -> Solution:
        """The solver's explanation of decisions with these weights."""
        given, counts = self.problem, None
        if self.cells is not None:
            shape = (given.mdp.num_states, given.mdp.num_actions)
            counts = Counts((self.cells @ weights).reshape(shape))
        weights = weights * self.given
        return self.solver.solve(
            Problem(given.demonstrations, given.given_mdp, counts, weights, None, near)
        )

    def log_likelihood(self, explained: Fits) -> Float[np.ndarray, "N R K"]:
        """Of each decision under each solution, times its weight; 0 where the action is missing."""
        # A solver that predicts each decision from the others says so itself.
        own = self.solver.fitted_probabilities if isinstance(self.solver, LeavesOut) else None
        made = [
            [
                s.log_likelihoods(self.data) if own is None else log_taken(own(s), self.data)
                for s in restart
            ]
            for restart in explained.solutions
        ]
        return _weighed(np.moveaxis(np.array(made), -1, 0), self.data.acted, self.given)

    def log_prior(self, explained: Fits) -> Float[np.ndarray, " R"]:
        """Of all intentions together; 0 for solvers that have none or do not say."""
        of = self.solver.log_prior if isinstance(self.solver, HasPrior) else lambda _: 0.0
        return np.array(
            [sum(of(s) for s in restart) for restart in explained.solutions], dtype=float
        )

    def take(self, explained: Fits, chosen: Int[np.ndarray, " r"]) -> Fits:
        """Some of the restarts."""
        return Fits(tuple(explained.solutions[r] for r in chosen))


def _weighed(
    logs: Float[np.ndarray, "N R K"], acted: Bool[np.ndarray, " N"], given: Float[np.ndarray, " N"]
) -> Float[np.ndarray, "N R K"]:
    """Log-likelihoods times weights; 0 where the action is missing or has no weight."""
    counts = acted & (given > 0)
    if counts.all() and (given == 1).all():
        return logs
    return np.where(counts[:, None, None], logs, 0.0) * given[:, None, None]


def _cells(problem: Problem, states: Int[np.ndarray, " N"]) -> sparse.csr_array:
    """`[S * A, N]` the weight of each decision at its state and action; nothing where missing."""
    data, mdp = problem.decisions, problem.mdp
    rows = np.flatnonzero(data.acted)
    weights = decision_weights(problem.weights, data.num_decisions)[rows]
    cell = states[rows] * mdp.num_actions + data.actions[rows]
    shape = (mdp.num_states * mdp.num_actions, data.num_decisions)
    return sparse.csr_array((weights, (cell, rows)), shape=shape)
