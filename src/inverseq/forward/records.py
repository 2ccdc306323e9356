"""What planning returns, and the checks of what it is given."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import freeze, frozen_array, require_finite, require_shape
from inverseq._core.errors import InputError
from inverseq._core.status import Status
from inverseq.mdp import MDP

_PROBABILITY_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Plan:
    """A policy and what it is worth.

    Attributes:
        values: `[S]` V, the value of each state.
        q: `[S, A]` value of each action; meaningless at actions that do not exist.
        policy: `[S, A]` probabilities of actions.
        status: How the computation ended.
        trace: `[steps]` largest change of a value at each step; empty for a direct solution.
    """

    values: Float[np.ndarray, " S"]
    q: Float[np.ndarray, "S A"]
    policy: Float[np.ndarray, "S A"]
    status: Status
    trace: Float[np.ndarray, " steps"]

    def __post_init__(self) -> None:
        freeze(self, np.float64, "values", "q", "policy", "trace")


def reward_of(mdp: MDP, reward: Any) -> Float[np.ndarray, "S A"]:
    """The reward to plan with: `reward` where it is given, else the world's own.

    Args:
        mdp: The world.
        reward: `[S, A]`, or `[S]` for a reward of states, or None.

    Raises:
        InputError: There is neither, or it has another shape or numbers that are not finite.
    """
    if reward is None:
        if mdp.reward is None:
            raise InputError(
                "this world has no reward of its own; pass reward=, an array [S, A] or [S]"
            )
        return mdp.reward
    array = frozen_array(reward, np.float64, "reward")
    if array.ndim == 1:
        require_shape(array, (mdp.num_states,), "reward", "S")
        array = np.repeat(array[:, None], mdp.num_actions, axis=1)
    require_shape(array, (mdp.num_states, mdp.num_actions), "reward", "S, A")
    require_finite(array, "reward")
    return array


def policy_for(mdp: MDP, policy: Any) -> Float[np.ndarray, "S A"]:
    """`policy` as an array that is a policy in `mdp`.

    Raises:
        InputError: A row is no distribution over the actions that exist; the message names it.
    """
    array = frozen_array(policy, np.float64, "policy")
    require_shape(array, (mdp.num_states, mdp.num_actions), "policy", "S, A")
    require_finite(array, "policy")
    wrong = np.abs(array.sum(1) - 1) > _PROBABILITY_TOLERANCE
    wrong |= ((array < 0) | ((array > 0) & ~mdp.allowed)).any(1)
    if wrong.any():
        s = int(np.argmax(wrong))
        raise InputError(
            f"policy[{s}] = {array[s].tolist()} must be probabilities that sum to 1 and are 0 at "
            f"actions that do not exist there (allowed: {mdp.allowed[s].tolist()})"
        )
    return array
