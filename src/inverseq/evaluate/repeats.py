"""The same thing many times over, with a seed of its own each time."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from joblib import Parallel

from inverseq._core.errors import InputError
from inverseq.inverse.problem import Progress


def seeds_of(seed: int, repeats: int) -> list[int]:
    """One seed for each of `repeats` runs.

    Raises:
        InputError: `repeats` is below 1.
    """
    if repeats < 1:
        raise InputError(f"repeats must be 1 or more; got {repeats}")
    return [int(s) for s in np.random.SeedSequence(seed).generate_state(repeats)]


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
