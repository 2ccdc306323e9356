"""How often something is tried: a little with fixed seeds, much with others by `make attack`."""

import os

import numpy as np

_SEED = os.environ.get("INVERSEQ_ATTACKS")


def times(short: int, long: int) -> int:
    """`long` by `make attack`, which sets INVERSEQ_ATTACKS to a seed; `short` otherwise."""
    return short if _SEED is None else long


def chance(*place: int) -> np.random.Generator:
    """Where random choices at one place of the tests come from."""
    return np.random.default_rng([int(_SEED or 0), *place])
