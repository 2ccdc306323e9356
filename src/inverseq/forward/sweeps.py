"""Values as released code often leaves them: swept in place, and stopped early."""

import numpy as np
from jaxtyping import Float

from inverseq.mdp import MDP


def swept_values(
    mdp: MDP,
    reward: Float[np.ndarray, "S A"],
    policy: Float[np.ndarray, "S A"] | None = None,
    *,
    stop: float,
) -> Float[np.ndarray, " S"]:
    """Values of a policy, or of the best action in each state, swept from 0 until none changes by
    more than `stop`.

    They fall short of the exact ones (`policy_evaluation`, `policy_iteration`) by up to
    stop / (1 - discount), which some published numbers contain. Every state is updated in order
    from values that may already be of this sweep (Gauss and Seidel).

    Args:
        mdp: The world, with all actions and without an end.
        reward: `[S, A]`.
        policy: `[S, A]` probabilities of actions; the best action where left out.
        stop: Change of a value at which the sweeps end.
    """
    values, change = np.zeros(mdp.num_states), np.inf
    while change > stop:
        change = 0.0
        for s in range(mdp.num_states):
            ahead = (mdp.probabilities[s] * values[mdp.successors[s]]).sum(1)
            q = reward[s] + mdp.discount * ahead
            value = q.max() if policy is None else policy[s] @ q
            change = max(change, abs(value - values[s]))
            values[s] = value
    return values
