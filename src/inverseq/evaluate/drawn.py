"""What is drawn anew in a bootstrap: how much each unit weighs, and what a prior says.

A bootstrap whose prior says the same in every replicate takes a guess for knowledge: of what was
never done, every replicate says what the prior says. So the prior is drawn as well, in the way of
the solver. Where it is decisions that were seen before the others (`AddsDecisions`), as many are
drawn as a gamma distribution of its shape says, and units have gamma weights (Rubin 1981, "The
Bayesian bootstrap"; the prior as decisions of random weight: Fong, Lyddon and Holmes 2019,
"Scalable nonparametric sampling from multimodal posteriors with the posterior bootstrap"). Where
every unit is one decision, shares of actions then are draws of the Dirichlet posterior, whose most
likely log-odds the estimate is; decisions that come in units vary as much as units do. A solver
that says nothing of what was never seen (`AddsTransitions`) sees half a decision of each kind, as
Jeffreys' prior has it. Where the prior is Gaussian (`Leans`), what it expects is drawn from it: of
what the data say nothing, replicates then are draws of the prior.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from inverseq.intentions.solver import Intentions
from inverseq.inverse.explanation import Explanation
from inverseq.inverse.problem import (
    AddsDecisions,
    AddsTransitions,
    Leans,
    Problem,
    Refits,
    Refitted,
    Solver,
)
from inverseq.inverse.solution import Solution

PRIOR_DRAWS = 100
"""Draws, at most, of what the prior alone says."""

_LEAST = 1e-280  # of a drawn number of decisions, so that its share of any total is above zero
_ALIKE = 1e-6  # numbers of decisions closer than this share are the same
_JEFFREYS = 0.5  # decisions of each kind


def unit_weights(
    units: int, replicates: int, size: int, seed: int, *, smooth: bool
) -> Iterator[tuple[Float[np.ndarray, "r U"], Int[np.ndarray, " r"]]]:
    """How much each unit weighs in each replicate, and the replicates' numbers, `size` at a time.

    Whole numbers, how often each is drawn with replacement; or, where `smooth`, gamma numbers of
    shape 1 - 1 / U, of which means vary as much.
    """
    rng = np.random.default_rng(seed)
    for first in range(0, replicates, size):
        rows = min(size, replicates - first)
        numbers = np.arange(first, first + rows)
        if smooth:
            yield np.maximum(rng.standard_gamma(1 - 1 / units, (rows, units)), _LEAST), numbers
            continue
        drawn = rng.integers(0, units, (rows, units)) + units * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * units)
        yield times.reshape(rows, units).astype(np.float64), numbers


class Prior(NamedTuple):
    """A solver whose prior can be drawn, and the seed by which it is."""

    solver: AddsDecisions | AddsTransitions | Leans
    seed: int

    @property
    def of_decisions(self) -> bool:
        """Whether units have gamma weights, as decisions that a prior saw have."""
        return not isinstance(self.solver, Leans)

    def refit(
        self,
        solver: Refits,
        estimate: Solution,
        counts: Float[np.ndarray, "S A r"],
        numbers: Int[np.ndarray, " r"],
    ) -> Refitted:
        """What counts say, the prior being drawn."""
        if isinstance(self.solver, AddsDecisions):
            return self._adding(self.solver, estimate, counts, numbers)
        made = solver.refit(counts, estimate)
        if isinstance(self.solver, AddsTransitions):  # it has no counts to refit
            return made
        return _moved(made, self.solver.leaning(estimate, self._draws(numbers, 0)))

    def solve(
        self, solver: Solver, problem: Problem, estimate: Solution, number: Int[np.ndarray, " 1"]
    ) -> Explanation:
        """One replicate, before `redraw`."""
        if not isinstance(self.solver, AddsTransitions):
            return solver.solve(problem)
        drawn = self._decisions(_shape(estimate), _JEFFREYS, number)
        return self.solver.solve_adding(problem, drawn[..., 0])

    def redraw(
        self, made: Solution, estimate: Solution, number: Int[np.ndarray, " 1"], intention: int = 0
    ) -> Refitted:
        """One replicate, the prior being drawn."""
        if isinstance(self.solver, AddsDecisions):
            counts = self.solver.counts_of(made)[..., None]
            return self._adding(self.solver, made, counts, number, intention)
        if isinstance(self.solver, AddsTransitions):  # see `solve`
            return as_found(made)
        return _moved(as_found(made), self.solver.leaning(estimate, self._draws(number, intention)))

    def alone(
        self,
        problem: Problem,
        estimate: Solution,
        numbers: Int[np.ndarray, " r"],
        intention: int = 0,
    ) -> Refitted:
        """What the data say as they are, where only the prior is drawn; one of decisions only where
        it says more than the data do: where fewer were made than are added.
        """
        if isinstance(self.solver, Leans):
            return _moved(
                as_found(estimate), self.solver.leaning(estimate, self._draws(numbers, intention))
            )
        if isinstance(self.solver, AddsDecisions):
            counts, smoothing = self.solver.counts_of(estimate)[..., None], self.solver.smoothing
            drawn = self._decisions(counts.shape[:2], smoothing, numbers, intention)
            thin = counts < (1 - _ALIKE) * smoothing
            return self.solver.bare().refit(counts + np.where(thin, drawn, smoothing), estimate)
        drawn = self._decisions(_shape(estimate), _JEFFREYS, numbers, intention)
        made = [
            as_found(self.solver.solve_adding(problem, drawn[..., n], unseen=True))
            for n in range(numbers.size)
        ]
        rewards = np.concatenate([one.rewards for one in made], axis=2)
        return Refitted(rewards, {}, np.concatenate([one.converged for one in made]))

    def _adding(
        self,
        solver: AddsDecisions,
        estimate: Solution,
        counts: Float[np.ndarray, "S A r"],
        numbers: Int[np.ndarray, " r"],
        intention: int = 0,
    ) -> Refitted:
        """Of counts, and of decisions of the prior that are drawn."""
        prior = self._decisions(counts.shape[:2], solver.smoothing, numbers, intention)
        return solver.bare().refit(counts + prior, estimate)

    def _draws(self, numbers: Int[np.ndarray, " r"], intention: int) -> list[np.random.Generator]:
        """The same for the same replicate, whatever the batches."""
        keys = ((int(number), intention) for number in numbers)
        return [
            np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key)) for key in keys
        ]

    def _decisions(
        self,
        shape: tuple[int, ...],
        smoothing: float,
        numbers: Int[np.ndarray, " r"],
        intention: int = 0,
    ) -> Float[np.ndarray, "S A r"]:
        """How many decisions of each kind a prior saw, as a gamma distribution says."""
        if smoothing == 0:
            return np.zeros((*shape, numbers.size))
        drawn = [_gamma(rng, smoothing, shape) for rng in self._draws(numbers, intention)]
        return np.maximum(np.stack(drawn, axis=-1), _LEAST)


def prior_of(solver: Solver, seed: int) -> Prior | None:
    """The prior of a solver, or of that of its intentions, if it can be drawn."""
    inner = solver.solver if isinstance(solver, Intentions) else solver
    several = inner is not solver  # transitions of one intention are no problem of their own
    if isinstance(inner, AddsDecisions | Leans) or (
        isinstance(inner, AddsTransitions) and not several
    ):
        return Prior(inner, seed)
    return None


def as_found(made: Solution) -> Refitted:
    """A solution as one replicate."""
    rewards = np.zeros((0, 0, 1)) if made.reward is None else made.reward[..., None]
    numbers = {name: np.asarray(value)[None] for name, value in made.parameters.items()}
    return Refitted(rewards, numbers, np.array([made.status.ok]))


def _moved(made: Refitted, by: Refitted) -> Refitted:
    """Replicates, and by how much each moves."""
    numbers = {name: made.parameters[name] + moved for name, moved in by.parameters.items()}
    return Refitted(
        made.rewards + by.rewards, {**made.parameters, **numbers}, made.converged & by.converged
    )


def _shape(estimate: Solution) -> tuple[int, ...]:
    """Of a table of rewards."""
    assert estimate.mdp is not None  # a solver of transitions hands one back
    return estimate.mdp.allowed.shape


def _gamma(
    rng: np.random.Generator, smoothing: float, shape: tuple[int, ...]
) -> Float[np.ndarray, "S A"]:
    """Gamma numbers of this shape; of one half, the usual one, squares of normal ones, which are
    made several times as fast.
    """
    if smoothing == 0.5:
        return 0.5 * rng.standard_normal(shape) ** 2
    return rng.standard_gamma(smoothing, shape)
