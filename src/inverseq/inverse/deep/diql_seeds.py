"""Several trainings of deep inverse Q-learning at once, interrupted and carried on."""

import os
from collections.abc import Sequence
from dataclasses import replace

import jax
from jaxtyping import Float
from numpy import ndarray

from inverseq._core.errors import FitError, InputError
from inverseq._core.status import Outcome
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.deep.dciql import DCIQL
from inverseq.inverse.deep.diql import DIQL
from inverseq.inverse.deep.learning import REMEDY
from inverseq.inverse.deep.network_fit import enrolled, taught_in
from inverseq.inverse.explanation import check_demonstrations
from inverseq.inverse.problem import Problem, Progress
from inverseq.inverse.solution import Solution
from inverseq.training.shown import content
from inverseq.training.trainer import train


def train_diql(
    solver: DIQL | DCIQL,
    demonstrations: Demonstrations,
    seeds: Sequence[int],
    *,
    weights: Float[ndarray, " N"] | None = None,
    checkpoint: str | os.PathLike | None = None,
    every: int = 500,
    together: bool | None = None,
    accept_failure: bool = False,
    progress: Progress | None = None,
) -> tuple[Solution, ...]:
    """Deep inverse Q-learning with several seeds, compiled once.

    Args:
        solver: Settings; its own seed does not matter.
        demonstrations: With features as states.
        seeds: Of the networks and the order of transitions; each gives what `fit` gives with it.
        weights: `[N]` weight of each decision; 1 where left out.
        checkpoint: File that the trainings are written to now and then, and carried on from where
            it exists, with exactly the result of trainings that were not interrupted.
        every: Training steps between two writings, and between two calls of `progress`.
        together: Whether all run as one vectorised program, with the same numbers up to rounding;
            None does so on an accelerator, and takes a thread for each seed on processors.
        accept_failure: Return solutions of trainings that diverged instead of raising.
        progress: Called with (what is done, steps made, steps in all).

    Returns:
        A solution per seed.

    Raises:
        InputError: There is no seed, the decisions cannot be learned from, or the checkpoint is of
            another training.
        FitError: A training diverged and `accept_failure` is false.
    """
    check_demonstrations(demonstrations, "train_diql")
    if not len(seeds):
        raise InputError("give one seed or more: seeds=(0, 1, 2)")
    learner, problem = solver.learner, Problem(demonstrations, weights=weights)
    rule, next_safe = solver.rule(problem)
    seen = learner.seen(problem)
    how = learner.lessons, learner.num_actions, next_safe, seen.judged
    course, shown = enrolled(seen.problem, rule, *how)
    trainings = train(
        course,
        [jax.random.key(seed) for seed in seeds],
        shown,
        settings=f"{rule!r} on {content(demonstrations, weights, next_safe, seen.judged)}",
        checkpoint=checkpoint,
        every=every,
        progress=progress,
        together=together,
    )
    made = []
    for seed, training in zip(seeds, trainings, strict=True):
        taught = taught_in(course, training, REMEDY)
        if taught.status.outcome is not Outcome.CONVERGED and not accept_failure:
            raise FitError(f"seed {seed}: {taught.status.outcome}. {taught.status.message}")
        told = {"source": demonstrations.source, "data_sha256": demonstrations.fingerprint}
        made.append(replace(solver.with_seed(seed).solution(taught, seen), provenance=told))
    return tuple(made)
