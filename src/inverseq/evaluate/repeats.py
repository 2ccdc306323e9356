"""The same thing many times over, with a seed of its own each time."""

from dataclasses import fields, is_dataclass, replace

import numpy as np

from inverseq._core.errors import InputError
from inverseq.inverse.problem import Found, Solver


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
