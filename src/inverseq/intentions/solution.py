"""The record of a fit with several intentions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.arrays import frozen_array
from inverseq._core.status import Status
from inverseq.intentions.switching import DependentMarkov, Markov, Mixture
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP

EMPTY = 0.005
"""Share of the decisions below which an intention is reported as empty."""


@dataclass(frozen=True, eq=False)
class Restarts:
    """How the searches from different beginnings ended, best first.

    Attributes:
        objective: `[R]` log-likelihood and log prior of the training decisions, in nats.
        steps: `[R]` iterations made.
        converged: `[R]` 1 where the search ended by itself, 0 where the limit ended it.
        agreement: `[R]` share of the training decisions with the same most probable intention as in
            the best one, after matching labels.
    """

    objective: Float[np.ndarray, " R"]
    steps: Int[np.ndarray, " R"]
    converged: Int[np.ndarray, " R"]
    agreement: Float[np.ndarray, " R"]

    def __post_init__(self) -> None:
        for name, kind in (
            ("objective", np.float64),
            ("steps", np.int64),
            ("converged", np.int64),
            ("agreement", np.float64),
        ):
            object.__setattr__(self, name, frozen_array(getattr(self, name), kind, name))


@dataclass(frozen=True, eq=False)
class IntentionSolution:
    """K intentions, each with a solution of its own, and the law by which they change.

    Intentions are numbered by how much of the training data they explain, most first, until
    `renumber` gives them the numbers of another fit.

    Attributes:
        solver: "Intentions".
        settings: Of `Intentions`.
        intentions: One solution per intention.
        switching: The law of switching.
        numbers: Its numbers by name: "initial" `[K]`, and "transition" `[K, K]`, or "bias" `[K, K]`
            and "weights" `[K, D, K]` (see `inverseq.intentions.switching`).
        constants: What turns columns of the table into inputs of the law.
        status: How the fit ended; the message names intentions that explain nothing.
        filtered: `[N, K]` p(intention | decisions up to this one) of the training decisions.
        smoothed: `[N, K]` p(intention | all decisions of the chain).
        path: `[N]` the most likely intentions as a whole (Viterbi).
        occupancy: `[K]` share of the training decisions that each intention explains.
        log_likelihood: Of the training decisions, each given those before it, in nats.
        num_parameters: How many numbers were free in the fit.
        trace: `[steps]` objective of the best search, in nats.
        restarts: How the searches ended.
        provenance: Version, seed, hash of the data and the like, filled in by `fit`.
    """

    solver: str
    settings: Mapping[str, Any]
    intentions: tuple[Solution, ...]
    switching: Mixture | Markov | DependentMarkov
    numbers: Mapping[str, np.ndarray]
    constants: Mapping[str, np.ndarray]
    status: Status
    filtered: Float[np.ndarray, "N K"]
    smoothed: Float[np.ndarray, "N K"]
    path: Int[np.ndarray, " N"]
    occupancy: Float[np.ndarray, " K"]
    log_likelihood: float
    num_parameters: int
    trace: Float[np.ndarray, " steps"]
    restarts: Restarts
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        put = lambda name, value: object.__setattr__(self, name, value)  # noqa: E731
        for name in ("filtered", "smoothed", "occupancy", "trace"):
            put(name, frozen_array(getattr(self, name), np.float64, name))
        put("path", frozen_array(self.path, np.int64, "path"))
        for name in ("numbers", "constants"):
            table = getattr(self, name)
            put(name, {k: frozen_array(v, v.dtype, k) for k, v in table.items()})

    @property
    def num_intentions(self) -> int:
        """K."""
        return len(self.intentions)

    @property
    def mdp(self) -> MDP | None:
        """The world that all intentions share."""
        return self.intentions[0].mdp

    @property
    def parameters(self) -> Mapping[str, np.ndarray]:
        """The numbers of the law of switching."""
        return self.numbers


def empty_note(occupancy: Float[np.ndarray, " K"]) -> str:
    """Which intentions explain hardly anything, and what to do; nothing where none does."""
    empty = np.flatnonzero(occupancy < EMPTY)
    if not empty.size:
        return ""
    names = ", ".join(str(i + 1) for i in empty)
    return (
        f"Intention {names} of {occupancy.size} explains less than {EMPTY:.1%} of the decisions: "
        f"fewer intentions say as much. Use k={occupancy.size - empty.size}."
    )


def reorder(values: np.ndarray, order: Int[np.ndarray, " K"]) -> np.ndarray:
    """Numbers of a law with the intentions in another order: `[K]`, `[K, K]` or `[K, D, K]`."""
    return values[order] if values.ndim == 1 else values[order][..., order]
