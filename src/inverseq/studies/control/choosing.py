"""Which settings foretell decisions best that were not learned from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inverseq.inverse.fit import fit
from inverseq.inverse.problem import Problem, Solver
from inverseq.inverse.solution import Solution


@dataclass(frozen=True)
class Chosen:
    """The one of several solvers under which held-out decisions are likeliest, fitted to all.

    Nothing but the demonstrations decides: neither a return nor a game is looked at. Decisions are
    held out one by one, because of one demonstration nothing else can be; thinned out, they lie
    moves apart.

    Attributes:
        candidates: Solvers that learn from features.
        seed: Of the parts.
        folds: Parts of the decisions, each of which is held out once.
    """

    candidates: Sequence[Solver[Solution]]
    seed: int
    folds: int = 5

    def solve(self, problem: Problem) -> Solution:
        """The solution of `problem`; `fit` calls this."""
        scores = [self.held_out(problem, candidate) for candidate in self.candidates]
        return self.candidates[int(np.argmax(scores))].solve(problem)

    def held_out(self, problem: Problem, candidate: Solver[Solution]) -> float:
        """Mean log-likelihood of decisions under fits to the others, in nats."""
        data, number = problem.decisions, problem.decisions.num_decisions
        weights = np.ones(number) if problem.weights is None else problem.weights
        rows = np.flatnonzero(weights > 0)
        folds = min(self.folds, rows.size)
        part = np.full(number, -1)
        part[np.random.default_rng(self.seed).permutation(rows)] = np.arange(rows.size) % folds
        total = 0.0
        for fold in range(folds):
            learned = np.where(part == fold, 0.0, weights)
            found = fit(data, candidate, weights=learned, accept_failure=True)
            total += float(found.log_likelihoods(data)[part == fold].sum())
        return total / rows.size
