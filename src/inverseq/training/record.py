"""What is kept of a training beside what was learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import freeze
from inverseq.training.loop import Training


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """What was measured in each block of a training beside its own play.

    Attributes:
        losses: By network, `[blocks]` mean loss of the training steps of each block.
        ratio: `[blocks]` mean distance ratio of the test games after each block, lost games counted
            with the moves of the limit; NaN where not tested.
        won: `[blocks]` share of the test games that the world ended: won, if it ends no other way.
        moves: `[blocks]` mean moves of the test games.
        earned: `[blocks]` mean sum of rewards of the test games.
    """

    losses: Mapping[str, Float[np.ndarray, " blocks"]]
    ratio: Float[np.ndarray, " blocks"]
    won: Float[np.ndarray, " blocks"]
    moves: Float[np.ndarray, " blocks"]
    earned: Float[np.ndarray, " blocks"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "losses", "ratio", "won", "moves", "earned")

    @property
    def loss(self) -> Float[np.ndarray, " blocks"]:
        """`[blocks]` the losses of all networks together."""
        return np.sum([*self.losses.values()], axis=0)


def measured_in(training: Training) -> dict[str, Any]:
    """The fields of `Measured` by name."""
    kept = jax.tree.map(np.asarray, training.curves)
    return {"losses": kept.loss} | kept.games._asdict()
