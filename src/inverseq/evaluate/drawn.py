"""What is drawn anew in a bootstrap: how much each unit weighs, and what a prior of decisions saw.

Where the prior of a solver is decisions that were seen before the others (`AddsDecisions`), a
bootstrap that adds the same number in every replicate takes a guess for knowledge: of an action
that was never taken, every replicate says what the smoothing says. So the prior is drawn as well,
as many decisions as a gamma distribution of its shape says, and units have gamma weights (Rubin
1981, "The Bayesian bootstrap"; the prior as decisions of random weight: Fong, Lyddon and Holmes
2019, "Scalable nonparametric sampling from multimodal posteriors with the posterior bootstrap").
Where every unit is one decision, shares of actions then are draws of the Dirichlet posterior, whose
most likely log-odds the estimate is; decisions that come in units vary as much as units do.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int

from inverseq.intentions.solver import Intentions
from inverseq.inverse.problem import AddsDecisions, Solver
from inverseq.inverse.solution import Solution

PRIOR_DRAWS = 100
"""Draws, at most, of what the prior alone says."""

_LEAST = 1e-280  # of a drawn number of decisions, so that its share of any total is above zero
_ALIKE = 1e-6  # numbers of decisions closer than this share are the same


def adding(solver: Solver) -> AddsDecisions | None:
    """The solver, or that of its intentions, if it adds decisions."""
    inner = solver.solver if isinstance(solver, Intentions) else solver
    return inner if isinstance(inner, AddsDecisions) else None


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


def redrawn(
    solver: AddsDecisions,
    estimate: Solution,
    counts: Float[np.ndarray, "S A r"],
    numbers: Int[np.ndarray, " r"],
    *,
    seed: int,
    intention: int = 0,
) -> Float[np.ndarray, "r SA"]:
    """Rewards of counts, with what the prior saw drawn for each replicate."""
    prior = _drawn(solver, counts.shape[:2], numbers, seed, intention)
    return _rewards(solver, estimate, counts + prior)


def of_prior_alone(
    solver: AddsDecisions,
    estimate: Solution,
    numbers: Int[np.ndarray, " r"],
    *,
    seed: int,
    intention: int = 0,
) -> Float[np.ndarray, "r SA"]:
    """Rewards of the data as they are, where only what the prior saw is drawn, and only of actions
    of which it says more than the data do: fewer were taken than are added.
    """
    counts = solver.counts_of(estimate)[..., None]
    prior = _drawn(solver, counts.shape[:2], numbers, seed, intention)
    thin = counts < (1 - _ALIKE) * solver.smoothing
    return _rewards(solver, estimate, counts + np.where(thin, prior, solver.smoothing))


def _drawn(
    solver: AddsDecisions,
    shape: tuple[int, ...],
    numbers: Int[np.ndarray, " r"],
    seed: int,
    intention: int,
) -> Float[np.ndarray, "S A r"]:
    """The decisions that a prior saw; the same for the same replicate, whatever the batches."""
    if solver.smoothing == 0:
        return np.zeros((*shape, len(numbers)))
    made = np.empty((*shape, len(numbers)))
    for column, number in enumerate(numbers):
        rng = np.random.default_rng(
            np.random.SeedSequence(seed, spawn_key=(int(number), intention))
        )
        made[..., column] = _gamma(rng, solver.smoothing, shape)
    return np.maximum(made, _LEAST, out=made)


def _gamma(
    rng: np.random.Generator, smoothing: float, shape: tuple[int, ...]
) -> Float[np.ndarray, "S A"]:
    """Gamma numbers of this shape; of one half, the usual one, squares of normal ones, which are
    made several times as fast.
    """
    if smoothing == 0.5:
        return 0.5 * rng.standard_normal(shape) ** 2
    return rng.standard_gamma(smoothing, shape)


def _rewards(
    solver: AddsDecisions, estimate: Solution, weights: Float[np.ndarray, "S A r"]
) -> Float[np.ndarray, "r SA"]:
    """Of weights that contain what is added."""
    made = solver.bare().refit(weights, estimate).rewards
    return made.reshape(-1, weights.shape[2]).T
