"""Laws by which one intention gives way to another: small records of settings.

Each says where a chain of intentions begins, in which contexts it can change, and how its numbers
follow from expected transitions (the M-step). Numbers are arrays by name with restarts R first.
The transition into decision t may depend on what is known before that decision: its state, the
time, what happened before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import log_softmax

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.intentions import logistic
from inverseq.intentions.contexts import STATE, Contexts, find_contexts, same_everywhere
from inverseq.mdp import MDP

Numbers = Mapping[str, np.ndarray]
"""The numbers of a law by name, `[R, ...]` each."""


@runtime_checkable
class Law(Protocol):
    """A law of switching."""

    def begins(self, demonstrations: Demonstrations) -> Bool[np.ndarray, " N"]:
        """Where the intention is drawn anew."""
        ...

    def contexts(
        self, demonstrations: Demonstrations, mdp: MDP | None, constants: Numbers | None = None
    ) -> Contexts:
        """The circumstances of each decision; `constants` are those of the fit."""
        ...

    def start(self, k: int, contexts: Contexts, restarts: int) -> Numbers:
        """Where the search for the numbers begins."""
        ...

    def log_transition(self, numbers: Numbers, contexts: Contexts) -> Float[np.ndarray, "M R K K"]:
        """Logarithm of p(j | i) in each context."""
        ...

    def update(
        self,
        numbers: Numbers,
        initial: Float[np.ndarray, "R K"],
        transitions: Float[np.ndarray, "M R K K"],
        contexts: Contexts,
    ) -> Numbers:
        """Numbers that make the expected beginnings and transitions more likely."""
        ...

    def log_prior(self, numbers: Numbers) -> Float[np.ndarray, " R"]:
        """Logarithm of the prior of the numbers, up to a constant."""
        ...

    def num_parameters(self, k: int, contexts: Contexts) -> int:
        """How many numbers are free."""
        ...


@dataclass(frozen=True)
class Mixture:
    """One intention per trajectory, for all of it (Zhu and others' LV variant).

    Attributes:
        smoothing: Trajectories added to each intention.
    """

    smoothing: float = 1.0

    def __post_init__(self) -> None:
        _check_positive(self.smoothing, "smoothing")

    def begins(self, demonstrations: Demonstrations) -> Bool[np.ndarray, " N"]:
        """Trajectories; what was pursued before a gap is pursued after it."""
        return demonstrations.step == 0

    def contexts(
        self, demonstrations: Demonstrations, mdp: MDP | None, constants: Numbers | None = None
    ) -> Contexts:
        """One for all."""
        return same_everywhere(demonstrations.num_decisions)

    def start(self, k: int, contexts: Contexts, restarts: int) -> Numbers:
        """Equal shares."""
        return {"initial": np.full((restarts, k), 1.0 / k)}

    def log_transition(self, numbers: Numbers, contexts: Contexts) -> Float[np.ndarray, "1 R K K"]:
        """No change."""
        restarts, k = numbers["initial"].shape
        never = np.where(np.eye(k, dtype=bool), 0.0, -np.inf)
        return np.broadcast_to(never, (1, restarts, k, k)).copy()

    def update(
        self,
        numbers: Numbers,
        initial: Float[np.ndarray, "R K"],
        transitions: Float[np.ndarray, "M R K K"],
        contexts: Contexts,
    ) -> Numbers:
        """Smoothed shares."""
        return {"initial": _shares(initial + self.smoothing)}

    def log_prior(self, numbers: Numbers) -> Float[np.ndarray, " R"]:
        """A Dirichlet prior."""
        return self.smoothing * np.log(numbers["initial"]).sum(axis=-1)

    def num_parameters(self, k: int, contexts: Contexts) -> int:
        """Shares."""
        return k - 1


@dataclass(frozen=True)
class Markov:
    """The intention depends on the one before it, always in the same way (HIQL).

    A chain begins with each trajectory and after each gap.

    Attributes:
        stay: Where the search begins: probability of keeping an intention.
        smoothing: Beginnings and transitions added to each intention.
    """

    stay: float = 0.95
    smoothing: float = 1.0

    def __post_init__(self) -> None:
        _check_stay(self.stay)
        _check_positive(self.smoothing, "smoothing")

    def begins(self, demonstrations: Demonstrations) -> Bool[np.ndarray, " N"]:
        """Trajectories and what comes after gaps."""
        return ~demonstrations.continues

    def contexts(
        self, demonstrations: Demonstrations, mdp: MDP | None, constants: Numbers | None = None
    ) -> Contexts:
        """One for all."""
        return same_everywhere(demonstrations.num_decisions)

    def start(self, k: int, contexts: Contexts, restarts: int) -> Numbers:
        """Equal shares, and `stay`."""
        return {
            "initial": np.full((restarts, k), 1.0 / k),
            "transition": np.broadcast_to(_staying(self.stay, k), (restarts, k, k)).copy(),
        }

    def log_transition(self, numbers: Numbers, contexts: Contexts) -> Float[np.ndarray, "1 R K K"]:
        """The same at each decision."""
        return np.log(numbers["transition"])[None]

    def update(
        self,
        numbers: Numbers,
        initial: Float[np.ndarray, "R K"],
        transitions: Float[np.ndarray, "M R K K"],
        contexts: Contexts,
    ) -> Numbers:
        """Smoothed shares."""
        return {
            "initial": _shares(initial + self.smoothing),
            "transition": _shares(transitions.sum(axis=0) + self.smoothing),
        }

    def log_prior(self, numbers: Numbers) -> Float[np.ndarray, " R"]:
        """Dirichlet priors."""
        logs = np.log(numbers["initial"]).sum(-1) + np.log(numbers["transition"]).sum((-2, -1))
        return self.smoothing * logs

    def num_parameters(self, k: int, contexts: Contexts) -> int:
        """Shares and rows."""
        return (k - 1) * (k + 1)


@dataclass(frozen=True)
class DependentMarkov:
    """The intention depends on the one before it and on the circumstances (a softmax).

    log p(j | i, circumstances) = bias[i, j] + inputs . weights[i, :, j], normalised over j, with a
    Gaussian prior on the weights. With the state it is the law of the published switching-reward
    model (Ke and others 2025), which has a small network in place of one number per state.

    Attributes:
        on: "state" (that of the decision, without history), "step" (decisions since the
            trajectory began), "time", any column per decision, or "previous X" for its value one
            row earlier, "previous state" among them. A value must be known before the decision of
            its row is made: name "previous reward" rather than the reward that the decision brings.
        stay: Where the search begins: probability of keeping an intention.
        strength: Weight of the prior on the weights, in decisions.
        smoothing: Beginnings added to each intention, and transitions where all inputs are 0.
    """

    on: tuple[str, ...] = (STATE,)
    stay: float = 0.95
    strength: float = 1.0
    smoothing: float = 1.0

    def __post_init__(self) -> None:
        _check_stay(self.stay)
        _check_positive(self.strength, "strength")
        _check_positive(self.smoothing, "smoothing")
        if isinstance(self.on, str) or not self.on:
            raise InputError(
                f'on must be a tuple of names such as ("state",) or ("step", "previous reward"); '
                f"got {self.on!r}"
            )

    def begins(self, demonstrations: Demonstrations) -> Bool[np.ndarray, " N"]:
        """Trajectories and what comes after gaps."""
        return ~demonstrations.continues

    def contexts(
        self, demonstrations: Demonstrations, mdp: MDP | None, constants: Numbers | None = None
    ) -> Contexts:
        """States, combinations of values, or both."""
        return find_contexts(demonstrations, mdp, self.on, constants)

    def start(self, k: int, contexts: Contexts, restarts: int) -> Numbers:
        """Equal shares, and `stay` everywhere."""
        bias = np.log(_staying(self.stay, k))
        bias -= bias.mean(axis=-1, keepdims=True)
        return {
            "initial": np.full((restarts, k), 1.0 / k),
            "bias": np.broadcast_to(bias, (restarts, k, k)).copy(),
            "weights": np.zeros((restarts, k, contexts.inputs.shape[1], k)),
        }

    def log_transition(self, numbers: Numbers, contexts: Contexts) -> Float[np.ndarray, "M R K K"]:
        """One table per context."""
        return logistic.log_probabilities(numbers["bias"], numbers["weights"], contexts.inputs)

    def update(
        self,
        numbers: Numbers,
        initial: Float[np.ndarray, "R K"],
        transitions: Float[np.ndarray, "M R K K"],
        contexts: Contexts,
    ) -> Numbers:
        """A few steps of regression from where the numbers are."""
        bias, weights = numbers["bias"].copy(), numbers["weights"].copy()
        for r, i in np.ndindex(*initial.shape):
            bias[r, i], weights[r, i] = logistic.improve(
                bias[r, i],
                weights[r, i],
                contexts.inputs,
                transitions[:, r, i],
                self.strength,
                self.smoothing,
            )
        shares = _shares(initial + self.smoothing)
        return {"initial": shares, "bias": bias, "weights": weights}

    def log_prior(self, numbers: Numbers) -> Float[np.ndarray, " R"]:
        """Gaussian on the weights, Dirichlet elsewhere."""
        squares = (numbers["weights"] ** 2).sum(axis=(-3, -2, -1))
        shares = np.log(numbers["initial"]).sum(-1) + log_softmax(numbers["bias"], -1).sum((-2, -1))
        return self.smoothing * shares - self.strength / 2 * squares

    def num_parameters(self, k: int, contexts: Contexts) -> int:
        """Shares, and those of the biases and weights that differ in some context."""
        return (k - 1) * (1 + k * contexts.rank)


Switching = Mixture | Markov | DependentMarkov
"""The laws there are."""


def _staying(stay: float, k: int) -> Float[np.ndarray, "K K"]:
    """`stay` on the diagonal, the rest shared equally."""
    if k == 1:
        return np.ones((1, 1))
    return np.where(np.eye(k, dtype=bool), stay, (1 - stay) / (k - 1))


def _shares(counts: np.ndarray) -> np.ndarray:
    """Divided by their sum."""
    return counts / counts.sum(axis=-1, keepdims=True)


def _check_stay(stay: float) -> None:
    if not 0 < stay < 1:
        raise InputError(f"stay is a probability between 0 and 1, 0.95 say; got {stay}")


def _check_positive(value: float, name: str) -> None:
    if not 0 < value < np.inf:
        raise InputError(f"{name} must be a number above 0; got {value}")
