"""What every fit returns, whether one reward explains the behaviour or several in turn."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Shaped

from inverseq._core.errors import InputError
from inverseq._core.status import Status
from inverseq.demonstrations import Demonstrations
from inverseq.mdp import MDP


@runtime_checkable
class Explanation(Protocol):
    """An explanation of behaviour: a `Solution`, or an `IntentionSolution` of K of them."""

    @property
    def solver(self) -> str:
        """Name of the solver."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its settings, and what it chose itself."""
        ...

    @property
    def status(self) -> Status:
        """How the fit ended."""
        ...

    @property
    def parameters(self) -> Mapping[str, np.ndarray]:
        """Free parameters by name."""
        ...

    @property
    def num_parameters(self) -> int:
        """How many numbers were free."""
        ...

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Where it comes from."""
        ...

    @property
    def mdp(self) -> MDP | None:
        """The world fitted in."""
        ...

    @property
    def intentions(self) -> tuple[Any, ...]:
        """The solution of each intention; itself alone where there is one."""
        ...

    @property
    def num_actions(self) -> int | None:
        """A, or None where actions are continuous."""
        ...

    @property
    def present_only(self) -> bool:
        """Whether a decision depends on its own row alone."""
        ...

    def exists(self, demonstrations: Demonstrations) -> Bool[np.ndarray, "N A"]:
        """The actions that exist at each decision."""
        ...

    def probabilities(self, demonstrations: Demonstrations) -> Float[np.ndarray, "N A"]:
        """Probability of each action at each decision, from what came before it."""
        ...

    def log_likelihoods(self, demonstrations: Demonstrations) -> Float[np.ndarray, " N"]:
        """Logarithm of the probability (density) of each action taken; 0 where missing."""
        ...

    def beliefs(self, demonstrations: Demonstrations) -> Float[np.ndarray, "N K"]:
        """p(intention | all decisions of the chain) of each decision."""
        ...

    def act(
        self, rng: np.random.Generator, demonstrations: Demonstrations
    ) -> Shaped[np.ndarray, "N *D"]:
        """An action drawn at each decision."""
        ...


def check_explanation(solution: object, asking: str) -> None:
    """Raise an `InputError` where what should be an explanation is something else.

    Args:
        solution: What should be one.
        asking: Name of the function, for the message.
    """
    if not isinstance(solution, Explanation):
        raise InputError(
            f"{asking} takes first what inverseq.fit returned; got a {type(solution).__name__}"
        )


def check_arguments(solution: object, demonstrations: object, asking: str) -> None:
    """Raise an `InputError` unless an explanation comes first and demonstrations second."""
    if isinstance(solution, Demonstrations) and isinstance(demonstrations, Explanation):
        raise InputError(f"{asking} takes the solution first: {asking}(solution, demonstrations)")
    check_explanation(solution, asking)
    check_demonstrations(demonstrations, asking)


def check_demonstrations(demonstrations: object, asking: str) -> None:
    """Raise an `InputError` where what should be demonstrations is something else."""
    if not isinstance(demonstrations, Demonstrations):
        raise InputError(
            f"{asking} takes Demonstrations; got a {type(demonstrations).__name__}. "
            "inverseq.read_table makes them from a file or a data frame, "
            "inverseq.Demonstrations.from_arrays from arrays"
        )


def action_probabilities(
    solution: Explanation, demonstrations: Demonstrations
) -> Float[np.ndarray, "N A"]:
    """Probability of each action at each decision, rows with a missing action included.

    A row depends on the present state and the trajectory before it, never on the action taken
    there nor on anything later. Several intentions are weighed by the filter: p(intention |
    decisions before).

    Args:
        solution: What `fit` returned.
        demonstrations: N decisions, in the world (or worlds) of `solution.mdp`; observations where
            the policy is a network.

    Returns:
        `[N, A]`; 0 at actions that do not exist, rows sum to one.

    Raises:
        InputError: A decision does not fit the world or the network, or a count table is asked
            about a world in which it has counted nothing.
    """
    check_arguments(solution, demonstrations, "action_probabilities")
    return solution.probabilities(demonstrations)


def transition_rewards(
    solution: Explanation, demonstrations: Demonstrations
) -> Float[np.ndarray, " N"]:
    """The reward of each row under the reward that a solution found.

    Args:
        solution: With a reward. That of a network of action values is read out of it:
            r = Q(s, a) - gamma V(s').
        demonstrations: N rows of any agent, or all transitions there are.

    Returns:
        `[N]` in units of the temperature; NaN where the action, or a next state that counts, is
        unknown.

    Raises:
        InputError: The solution has several intentions or no reward, or rows do not fit it.
    """
    check_arguments(solution, demonstrations, "transition_rewards")
    if len(solution.intentions) != 1:
        raise InputError(
            "each intention has a reward of its own: ask for one of solution.intentions at a time"
        )
    (one,) = solution.intentions
    if one.reward_function is None:
        raise InputError(
            f"{one.solver} finds no reward; fit one that does, such as IAVI, MaxEnt or IQLearn"
        )
    return one.reward_function.values(demonstrations, one.mdp)
