"""The form of every law of switching, and what can be asked of all of them."""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from inverseq.demonstrations import Demonstrations
from inverseq.intentions.contexts import Contexts
from inverseq.mdp import MDP

Numbers = Mapping[str, np.ndarray]
"""The numbers of a law by name: "initial" `[R, K]`, and others of `[R, K]` or `[R, K, ..., K]`."""
Chances = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From rows of a design, states, states before and intentions before, `[n]` each, to `[n, K]`
probabilities of the next intentions."""


@runtime_checkable
class Law(Protocol):
    """A law of switching."""

    @property
    def changes(self) -> bool:
        """Whether an intention can give way to another before its chain ends."""
        ...

    @property
    def on(self) -> tuple[str, ...]:
        """Names of what a change depends on, "previous X" for X one row earlier; none where it is
        always the same.
        """
        ...

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

    def chances(
        self, numbers: Numbers, design: Demonstrations, mdp: MDP | None, constants: Numbers
    ) -> Chances:
        """How intentions change along the rows of `design` where other states may be met.

        Args:
            numbers: Those of a fit, without restarts.
            design: Its columns hold, whatever is drawn.
            mdp: The world.
            constants: Those of the fit.
        """
        ...


def transitions_in(law: Law, numbers: Numbers, contexts: Contexts) -> Float[np.ndarray, "M K K"]:
    """p(j | i) in each context under numbers without restarts."""
    stacked = {name: value[None] for name, value in numbers.items()}
    return np.exp(law.log_transition(stacked, contexts)[:, 0])


def chances_as_observed(
    law: Law, numbers: Numbers, design: Demonstrations, mdp: MDP | None, constants: Numbers
) -> Chances:
    """The `chances` of a law that does not look at states."""
    contexts = law.contexts(design, mdp, constants or None)
    tables = transitions_in(law, numbers, contexts)
    return lambda row, state, before, intention: tables[contexts.context[row], intention]
