"""Laws by which one intention gives way to another: small records of settings.

Each says where a chain of intentions begins, in which contexts it can change, and how its numbers
follow from expected transitions (the M-step). Numbers are arrays by name with restarts R first.
The transition into decision t may depend on what is known before that decision: its state, the
time, what happened before.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import log_softmax, softmax

from inverseq._core.errors import InputError
from inverseq.demonstrations import Demonstrations
from inverseq.intentions import logistic
from inverseq.intentions.contexts import (
    PREVIOUS,
    STATE,
    Contexts,
    base_of,
    find_contexts,
    same_everywhere,
)
from inverseq.intentions.law import Chances, Law, Numbers, chances_as_observed
from inverseq.mdp import MDP


class SameEverywhere:
    """What laws say that depend on nothing."""

    @property
    def on(self) -> tuple[str, ...]:
        """Nothing."""
        return ()

    def contexts(
        self, demonstrations: Demonstrations, mdp: MDP | None, constants: Numbers | None = None
    ) -> Contexts:
        """One for all."""
        return same_everywhere(demonstrations.num_decisions)

    def chances(
        self: Law, numbers: Numbers, design: Demonstrations, mdp: MDP | None, constants: Numbers
    ) -> Chances:
        """Those of the design."""
        return chances_as_observed(self, numbers, design, mdp, constants)


@dataclass(frozen=True)
class Mixture(SameEverywhere):
    """One intention per trajectory, for all of it (Zhu and others' LV variant).

    Attributes:
        smoothing: Trajectories added to each intention.
    """

    smoothing: float = 1.0

    def __post_init__(self) -> None:
        _check_positive(self.smoothing, "smoothing")

    @property
    def changes(self) -> bool:
        """Never."""
        return False

    def begins(self, demonstrations: Demonstrations) -> Bool[np.ndarray, " N"]:
        """Trajectories; what was pursued before a gap is pursued after it."""
        return demonstrations.step == 0

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
class Markov(SameEverywhere):
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

    @property
    def changes(self) -> bool:
        """Always."""
        return True

    def begins(self, demonstrations: Demonstrations) -> Bool[np.ndarray, " N"]:
        """Trajectories and what comes after gaps."""
        return ~demonstrations.continues

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

    @property
    def changes(self) -> bool:
        """Always."""
        return True

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

    def chances(
        self, numbers: Numbers, design: Demonstrations, mdp: MDP | None, constants: Numbers
    ) -> Chances:
        """The states that are met, beside the columns of the design."""
        places = [name for name in self.on if name.removeprefix(PREVIOUS) == STATE]
        columns = tuple(name for name in self.on if name not in places)
        base, size = np.zeros(0, dtype=np.int64), 0
        if places:
            base, size = base_of(mdp)
        # The weights of states come first, as in `find_contexts`.
        ends = np.cumsum([size] * len(places))
        *of_states, of_columns = np.split(numbers["weights"], ends, axis=1)
        inputs = np.zeros((design.num_decisions, 0))
        if columns:
            contexts = find_contexts(design, mdp, columns, constants)
            inputs = contexts.inputs.toarray()[contexts.context]

        def chances(
            row: np.ndarray, state: np.ndarray, before: np.ndarray, intention: np.ndarray
        ) -> np.ndarray:
            scores = numbers["bias"][intention]
            for name, weights in zip(places, of_states, strict=True):
                scores = scores + weights[intention, base[state if name == STATE else before]]
            scores = scores + np.einsum("nd,ndk->nk", inputs[row], of_columns[intention])
            return softmax(scores, axis=1)

        return chances


KnownLaw = Mixture | Markov | DependentMarkov
"""Laws that can be read from a file without being named."""


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
