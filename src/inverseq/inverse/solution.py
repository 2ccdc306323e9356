"""The record that every fit returns and that everything after it reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import frozen_array
from inverseq._core.status import Status
from inverseq.inverse.network_policy import NetworkPolicy
from inverseq.inverse.steered_policy import Habit, SteeredPolicy
from inverseq.mdp import MDP


@dataclass(frozen=True, eq=False)
class Solution:
    """What a solver found.

    Attributes:
        solver: Name of the solver.
        settings: Its settings, and what it chose itself (a strength picked by cross-validation).
        policy: `[S, A]` probabilities; a `BackoffTable`, a `ColumnPolicy` or a `LogitPolicy` where
            the solver knows pasts or contexts, a `SteeredPolicy` where a reward steers such a
            habit; or a `NetworkPolicy` where states are features.
        status: How the fit ended.
        mdp: The world fitted in; None where the solver needs none.
        reward: `[S, A]` in units of the temperature of a Boltzmann policy, or None.
        q: `[S, A]` action values of that reward, or None.
        v: `[S]` state values, or None.
        visits: `[S]` weight of the decisions seen in each state; 0 marks states where nothing but
            the smoothing speaks. None where states are not those of an MDP.
        parameters: Free parameters by name, such as the weights of the features.
        num_parameters: How many numbers were free in the fit.
        trace: `[steps]` objective or residual while fitting.
        provenance: Version, seed, hash of the data and the like, filled in by `fit`.
    """

    solver: str
    settings: Mapping[str, Any]
    policy: Float[np.ndarray, "S A"] | Habit | SteeredPolicy | NetworkPolicy
    status: Status
    mdp: MDP | None = None
    reward: Float[np.ndarray, "S A"] | None = None
    q: Float[np.ndarray, "S A"] | None = None
    v: Float[np.ndarray, " S"] | None = None
    visits: Float[np.ndarray, " S"] | None = None
    parameters: Mapping[str, np.ndarray] = field(default_factory=dict)
    num_parameters: int = 0
    trace: Float[np.ndarray, " steps"] = field(default_factory=lambda: np.zeros(0))
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("reward", "q", "v", "visits", "trace", "policy"):
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                object.__setattr__(self, name, frozen_array(value, np.float64, name))
        read_only = {k: frozen_array(v, v.dtype, k) for k, v in self.parameters.items()}
        object.__setattr__(self, "parameters", read_only)
