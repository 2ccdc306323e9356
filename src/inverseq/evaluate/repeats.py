"""The same thing many times over, with a seed of its own each time."""

from collections.abc import Iterable
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
from joblib import Parallel

from inverseq._core.errors import InputError
from inverseq.inverse.problem import Found, Progress, Solver


def seeds_of(seed: int, repeats: int) -> list[int]:
    """One seed for each of `repeats` runs.

    Raises:
        InputError: `repeats` is below 1.
    """
    if repeats < 1:
        raise InputError(f"repeats must be 1 or more; got {repeats}")
    return [int(s) for s in np.random.SeedSequence(seed).generate_state(repeats)]


def seeded(solver: Solver[Found], seed: int) -> Solver[Found]:
    """The solver with another seed; itself where it makes no random choice."""
    if not is_dataclass(solver) or all(f.name != "seed" for f in fields(solver)):
        return solver
    return replace(solver, seed=seed)


def run_all(
    tasks: Iterable[Any], total: int, jobs: int, progress: Progress | None, what: str
) -> list[Any]:
    """What all delayed `tasks` return, in their order, with a word to `progress` after each."""
    made = []
    for one in Parallel(n_jobs=jobs, return_as="generator")(tasks):
        made.append(one)
        if progress is not None:
            progress(what, len(made), total)
    return made
