"""The record of a fit with several intentions."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from inverseq._core.arrays import freeze
from inverseq._core.display import Fact, Shown
from inverseq._core.errors import InputError, argument
from inverseq._core.status import Status
from inverseq.decisions.alignment import align, check_existing
from inverseq.demonstrations import Demonstrations
from inverseq.intentions.chains import chains
from inverseq.intentions.law import Law, Numbers
from inverseq.intentions.messages import Model, forward, smooth
from inverseq.intentions.switching import KnownLaw, Mixture
from inverseq.inverse.explanation import Explanation, check_arguments
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.policies.policy import draw_rows, log_taken

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
        freeze(self, np.float64, "objective", "agreement")
        freeze(self, np.int64, "steps", "converged")


@dataclass(frozen=True, eq=False)
class IntentionSolution(Shown):
    """K intentions, each with a solution of its own, and the law by which they change.

    Intentions are numbered by how much of the training data they explain, most first, until
    `renumber` gives them the numbers of another fit.

    Attributes:
        solver: "Intentions".
        settings: Of `Intentions`.
        intentions: One solution per intention.
        switching: The law of switching.
        numbers: Its numbers by name: "initial" `[K]`, and "transition" `[K, K]`, or "bias" `[K, K]`
            and "weights" `[K, D, K]`, or those of a law of your own (see
            `inverseq.intentions.switching`).
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
    switching: Law | KnownLaw
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
    provenance: Mapping[str, Any] = field(default_factory=dict, metadata={"content": False})

    def __post_init__(self) -> None:
        freeze(self, np.float64, "filtered", "smoothed", "occupancy", "trace")
        freeze(self, np.int64, "path")
        freeze(self, None, "numbers", "constants")

    def _facts(self) -> Iterable[Fact]:
        return (
            ("intentions", self.num_intentions),
            ("solver", self.intentions[0].solver),
            ("switching", type(self.switching).__name__),
            ("status", str(self.status.outcome)),
            ("decisions", len(self.path)),
            ("log-likelihood", f"{self.log_likelihood:,.1f} nats"),
            ("parameters", self.num_parameters),
            ("occupancy", " ".join(f"{share:.0%}" for share in self.occupancy)),
        )

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

    @property
    def num_actions(self) -> int | None:
        """A, or None where actions are continuous."""
        return self.intentions[0].num_actions

    @property
    def present_only(self) -> bool:
        """Whether a decision depends on its own row alone: beliefs need those before it."""
        return False

    def exists(self, demonstrations: Demonstrations) -> Bool[np.ndarray, "N A"]:
        """The actions that exist at each decision; all of them where no world says which.

        Raises:
            InputError: A decision does not fit the world.
        """
        return self.intentions[0].exists(demonstrations)

    def probabilities(self, demonstrations: Demonstrations) -> Float[np.ndarray, "N A"]:
        """As `inverseq.action_probabilities`: intentions weighed by the filter.

        Raises:
            InputError: A decision does not fit the world, or a column is missing.
        """
        each = [part.probabilities(demonstrations) for part in self.intentions]
        logs = [log_taken(one, demonstrations) for one in each]
        beliefs = forward(self.model(demonstrations, logs))
        return np.einsum("nk,kna->na", np.exp(beliefs.predicted[:, 0]), np.stack(each))

    def log_likelihoods(self, demonstrations: Demonstrations) -> Float[np.ndarray, " N"]:
        """Logarithm of the probability (density) of each action taken; 0 where missing."""
        return forward(self.model(demonstrations)).evidence[:, 0]

    def beliefs(self, demonstrations: Demonstrations) -> Float[np.ndarray, "N K"]:
        """p(intention | all decisions of the chain) of each decision."""
        model = self.model(demonstrations)
        return smooth(model, forward(model)).smoothed[:, 0]

    def act(
        self, rng: np.random.Generator, demonstrations: Demonstrations
    ) -> Shaped[np.ndarray, "N *D"]:
        """An action drawn at each decision, of an intention drawn from what came before it."""
        beliefs = np.exp(forward(self.model(demonstrations)).predicted[:, 0])
        which = draw_rows(rng, beliefs)
        each = np.stack([part.act(rng, demonstrations) for part in self.intentions])
        return each[which, np.arange(len(which))]

    def model(
        self,
        demonstrations: Demonstrations,
        logs: Sequence[Float[np.ndarray, " N"]] | None = None,
    ) -> Model:
        """What inference in chains reads of `demonstrations`.

        Args:
            demonstrations: N decisions.
            logs: For each intention what `log_likelihoods` of its solution says, where known.

        Raises:
            InputError: A decision does not fit the world, or a column is missing.
        """
        data, law = demonstrations, self.switching
        if self.mdp is not None:
            check_existing(data, self.mdp, align(data, self.mdp))
        contexts = law.contexts(data, self.mdp, self.constants or None)
        numbers = {name: value[None] for name, value in self.numbers.items()}
        logs = logs or [part.log_likelihoods(data) for part in self.intentions]
        return Model(
            initial=np.log(numbers["initial"]),
            transition=law.log_transition(numbers, contexts),
            likelihood=np.stack(logs, axis=1)[:, None],
            context=contexts.context,
            chains=chains(law.begins(data)),
        )


def switching_of(solution: Explanation) -> tuple[Law, Numbers, Numbers]:
    """The law of switching, its numbers and its constants; one intention is never left."""
    if isinstance(solution, IntentionSolution):
        return solution.switching, solution.numbers, solution.constants
    return Mixture(), {"initial": np.ones(1)}, {}


def several(solution: object, demonstrations: object, asking: str) -> IntentionSolution:
    """The solution, where several intentions and demonstrations were given.

    Raises:
        InputError: Something else was.
    """
    check_arguments(solution, demonstrations, asking)
    if isinstance(solution, IntentionSolution):
        return solution
    name = getattr(solution, "solver", "solution")
    raise InputError(
        f"{asking} asks about intentions that switch; this {name} solution has one for all "
        "decisions. Fit with Intentions(k, ...)"
    )


def empty_note(occupancy: Float[np.ndarray, " K"]) -> str:
    """How many intentions explain hardly anything, and what to do; nothing where none does."""
    empty = int((occupancy < EMPTY).sum())
    if not empty:
        return ""
    return (
        f"{empty} of {occupancy.size} intentions explains less than {EMPTY:.1%} of the decisions: "
        f"fewer intentions say as much. Use {argument('k', occupancy.size - empty)}."
    )


def reorder(values: np.ndarray, order: Int[np.ndarray, " K"]) -> np.ndarray:
    """Numbers of a law with the intentions in another order: `[K]` or `[K, ..., K]`."""
    return values[order] if values.ndim == 1 else values[order][..., order]
