"""What a policy is worth, and where it goes: two exact linear solves."""

from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq._core.errors import InputError
from inverseq._core.linear import System, prepare
from inverseq.forward.records import Plan, policy_for, reward_of
from inverseq.mdp import MDP
from inverseq.mdp.backup import action_values, policy_value
from inverseq.mdp.build import ends_surely


def policy_evaluation(mdp: MDP, policy: Any, reward: Any = None) -> Plan:
    """Values of a policy: V = (I - gamma P)^-1 r, with P and r its mean transitions and reward.

    Args:
        mdp: The world.
        policy: `[S, A]` probabilities of actions.
        reward: `[S, A]` or `[S]`; the world's own where left out.

    Returns:
        Values and action values of `policy`, which is returned with them.

    Raises:
        InputError: There is no reward, the policy is none in this world, or the discount is 1 and
            the policy does not end.
    """
    earned = reward_of(mdp, reward)
    followed = policy_for(mdp, policy)
    values, status = _system(mdp, followed).solve(policy_value(earned, followed))
    return Plan(values, action_values(mdp, earned, values), followed, status, np.zeros(0))


def occupancy(mdp: MDP, policy: Any) -> Float[np.ndarray, " S"]:
    """Discounted state occupancy: the expected sum over time of gamma^t [the state at t is s].

    Where nothing ends it sums to 1 / (1 - gamma); times (1 - gamma) it is a distribution. It is
    the adjoint of evaluation: its product with a policy's mean reward equals the product of
    `mdp.initial` with the policy's values, also at a discount of 1.

    Args:
        mdp: The world; behaviour begins at `mdp.initial`.
        policy: `[S, A]` probabilities of actions.

    Returns:
        `[S]` expected discounted visits.

    Raises:
        InputError: The policy is none in this world, the discount is 1 and the policy does not
            end, or the linear system could not be solved.
    """
    visits, status = _system(mdp, policy_for(mdp, policy)).solve(mdp.initial, transposed=True)
    if not status.ok:
        raise InputError(f"occupancy could not be computed: {status.message}")
    return visits


def _system(mdp: MDP, policy: Float[np.ndarray, "S A"]) -> System:
    """The linear system of a policy, (I - gamma P) x = b."""
    transitions = mdp.under_policy(policy)
    if mdp.discount == 1 and not ends_surely(transitions, mdp.terminal):
        raise InputError(
            "under this policy some state never reaches an end, so that at a discount of 1 its "
            "value is infinite. Lower the discount (0.99, say) or give every action some "
            "probability."
        )
    return prepare(transitions, mdp.discount)
