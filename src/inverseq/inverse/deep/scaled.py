"""Features of any units before a network that wants them near 0 and 1."""

from dataclasses import dataclass, replace
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from inverseq.demonstrations import Demonstrations
from inverseq.inverse.problem import Problem
from inverseq.networks import FullyConnected, Network
from inverseq.networks.ensemble import Average


@dataclass(frozen=True, eq=False)
class Scale:
    """What is taken off each feature, and what it is divided by; None where they stay.

    Attributes:
        centre: `[D]`.
        spread: `[D]`, 1 for features that never change.
    """

    centre: Float[np.ndarray, " D"] | None = None
    spread: Float[np.ndarray, " D"] | None = None

    def applied(self, data: Demonstrations) -> Demonstrations:
        """Decisions whose states are in these units."""
        if self.centre is None:
            return data
        states, following = (
            (x - self.centre) / self.spread for x in (data.states, data.next_states)
        )
        return replace(data, states=states, next_states=following)

    def folded(self, module: Any) -> Any:
        """A network of features in their own units, from one of scaled features."""
        if self.centre is None or self.spread is None:
            return module
        of = (lambda m: m.members) if isinstance(module, Average) else (lambda m: m)
        first = of(module).layers[0]
        weight = np.asarray(first.weight, dtype=np.float64) / self.spread
        bias = np.asarray(first.bias, dtype=np.float64) - weight @ self.centre
        return eqx.tree_at(
            lambda m: (of(m).layers[0].weight, of(m).layers[0].bias),
            module,
            (jnp.asarray(weight, dtype=jnp.float32), jnp.asarray(bias, dtype=jnp.float32)),
        )


UNSCALED = Scale()


def scale_of(problem: Problem, network: Network) -> Scale:
    """The scale of features `[N, D]` before fully connected layers, from the decisions that have a
    weight; none for anything else.
    """
    states = problem.decisions.states
    if states.ndim != 2 or not isinstance(network, FullyConnected) or network.tiles is not None:
        return UNSCALED
    if problem.weights is not None and (problem.weights > 0).any():
        states = states[problem.weights > 0]
    centre, spread = (np.asarray(of(states, axis=0, dtype=float)) for of in (np.mean, np.std))
    # The spread of equal numbers is their rounding error.
    return Scale(centre, np.where(np.ptp(states, axis=0) > 0, spread, 1.0))
