"""Conditional count tables that back off to shorter pasts: a policy without a reward."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import frozen_array


@dataclass(frozen=True, eq=False)
class BackoffTable:
    """Counts of actions after the last `order` states, and how they are smoothed.

    Attributes:
        order: States looked at; 0 is the marginal share of each action.
        contexts: For each order from 0 to `order`, `[M, order]` the pasts seen, present state
            first, -1 for "before the trajectory began".
        counts: For each order, `[M, A]` weight of each action after each past.
        concentration: For each order, how many decisions the next shorter past is worth.
    """

    order: int
    contexts: tuple[Int[np.ndarray, "M n"], ...]
    counts: tuple[Float[np.ndarray, "M A"], ...]
    concentration: Float[np.ndarray, " orders"]

    def __post_init__(self) -> None:
        value = frozen_array(self.concentration, np.float64, "concentration")
        object.__setattr__(self, "concentration", value)
