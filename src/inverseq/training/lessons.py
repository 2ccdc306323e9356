"""How long and how a network learns from demonstrations."""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from inverseq._core.errors import InputError

Schedule = Literal["constant", "cosine"]
"""Of a learning rate: as it is, or falling to 0 along a half cosine."""


def check_schedule(schedule: str) -> None:
    """`InputError` where there is no such schedule."""
    if schedule not in get_args(Schedule):
        raise InputError(f'schedule must be "constant" or "cosine"; got {schedule!r}')


def adam(learning_rate: float, schedule: Schedule, steps: int) -> optax.GradientTransformation:
    """Adam whose step size follows a schedule over so many steps."""
    rate: Any = learning_rate
    if schedule == "cosine":
        rate = optax.cosine_decay_schedule(rate, steps)
    return optax.adam(rate)


@dataclass(frozen=True)
class Lessons:
    """How long and how a network learns from demonstrations.

    Attributes:
        steps: Training steps.
        batch: Transitions in one.
        learning_rate: Of Adam.
        schedule: "cosine" lets the learning rate fall to 0 along a half cosine; "constant" not.
        decay: Weight of half the sum of squares of all parameters in the loss.
        noise: Uniform noise in [0, noise) is added to every number of an observation, drawn anew
            each time that one is seen.

    Raises:
        InputError: A number is out of range.
    """

    steps: int = 2000
    batch: int = 32
    learning_rate: float = 1e-3
    schedule: Schedule = "cosine"
    decay: float = 0.0
    noise: float = 0.0

    def __post_init__(self) -> None:
        if self.steps < 1 or self.batch < 1:
            raise InputError(
                f"steps and batch must be 1 or more; got {self.steps} and {self.batch}"
            )
        if not (self.learning_rate > 0 and self.decay >= 0 and self.noise >= 0):
            raise InputError(
                "learning_rate must be above 0, decay and noise 0 or more; got "
                f"{self.learning_rate}, {self.decay} and {self.noise}"
            )
        check_schedule(self.schedule)

    @property
    def optimiser(self) -> optax.GradientTransformation:
        """Adam; the step size constant, or falling to zero along a half cosine ("cosine")."""
        return adam(self.learning_rate, self.schedule, self.steps)

    def penalty(self, network: Any) -> Float[Array, ""]:
        """What `decay` adds to the loss of a network."""
        squares = [jnp.sum(leaf**2) for leaf in jax.tree.leaves(network)]
        return 0.5 * self.decay * jnp.sum(jnp.stack(squares))
