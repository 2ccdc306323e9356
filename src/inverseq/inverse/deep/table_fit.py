"""Action values of numbered states fitted all at once, where a network would learn by samples."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from inverseq._core.ascent import ascend
from inverseq._core.status import Outcome, Status
from inverseq.inverse.problem import Progress
from inverseq.mdp import MDP

_ROUNDING = 1e-6
"""Gradient per decision below which a search that cannot go on has arrived."""


class Table(NamedTuple):
    """A world and the decisions counted in it, as arrays for compiled functions."""

    counts: Float[Array, "S A"]
    successors: Int[Array, "S A B"]
    probabilities: Float[Array, "S A B"]
    """0 in terminal states, after which nothing comes."""
    terminal: Bool[Array, " S"]
    allowed: Bool[Array, "S A"]
    initial: Float[Array, " S"]

    def expected(self, values: Float[Array, " S"]) -> Float[Array, "S A"]:
        """Mean of `values` over the next states of each state and action."""
        return (self.probabilities * values[self.successors]).sum(-1)


def table_of(mdp: MDP, counts: Float[np.ndarray, "S A"]) -> Table:
    """The arrays of a world, in double precision under `jax.enable_x64`."""
    goes_on = np.where(mdp.terminal[:, None, None], 0.0, mdp.probabilities)
    return Table(
        jnp.asarray(counts),
        jnp.asarray(mdp.successors),
        jnp.asarray(goes_on),
        jnp.asarray(mdp.terminal),
        jnp.asarray(mdp.allowed),
        jnp.asarray(mdp.initial),
    )


def fit_table(
    loss: Callable[[Float[Array, "S A"], Table], Float[Array, ""]],
    mdp: MDP,
    counts: Float[np.ndarray, "S A"],
    *,
    strength: float,
    tolerance: float = 1e-9,
    max_steps: int = 5000,
    progress: Progress | None = None,
) -> tuple[Float[np.ndarray, "S A"], Status, Float[np.ndarray, " steps"]]:
    """The action values that minimise a loss plus strength / 2 times the sum of their squares.

    Args:
        loss: Of action values and the table, summed over decisions.
        mdp: The world.
        counts: `[S, A]` weight of the decisions.
        strength: Weight of the prior, in decisions.
        tolerance: Largest gradient per decision at which the fit has converged.
        max_steps: Evaluations at most.
        progress: Called while fitting.

    Returns:
        Action values (0 where no action exists), how the fit ended, and the negative loss per
        decision at each evaluation.
    """
    total = max(float(counts.sum()), 1e-300)
    report = None
    if progress is not None:
        report = lambda made: progress("action values", made, max_steps)  # noqa: E731
    with jax.enable_x64(True):
        table = table_of(mdp, counts)

        @jax.jit
        def slope_of(numbers: jax.Array) -> tuple[jax.Array, jax.Array]:
            def whole(numbers: jax.Array) -> jax.Array:
                q = jnp.zeros(mdp.allowed.shape).at[mdp.allowed].set(numbers)
                return (loss(q, table) + 0.5 * strength * jnp.sum(numbers**2)) / total

            return jax.value_and_grad(whole)(numbers)

        def objective(numbers: np.ndarray) -> tuple[float, np.ndarray]:
            value, slope = slope_of(jnp.asarray(numbers))
            return -float(value), -np.asarray(slope)

        start = np.zeros(int(mdp.allowed.sum()))
        numbers, status, trace = ascend(
            objective, start, tolerance=tolerance, max_steps=max_steps, report=report
        )
    if not status.ok and status.residual <= _ROUNDING:
        words = "as far as rounding allows"
        status = Status(Outcome.CONVERGED, status.steps, status.residual, words)
    q = np.zeros(mdp.allowed.shape)
    q[mdp.allowed] = numbers
    return q, status, trace
