"""What a solution expects at each decision, from what came before it alone."""

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.errors import InputError
from inverseq.alignment import align
from inverseq.demonstrations import Demonstrations
from inverseq.inverse.backoff import BackoffTable, allowed_at, table_policy
from inverseq.inverse.column_policy import column_probabilities
from inverseq.inverse.count_table import past_columns
from inverseq.inverse.logit_policy import LogitPolicy, logit_probabilities
from inverseq.inverse.network_policy import NetworkPolicy, network_probabilities
from inverseq.inverse.solution import Solution
from inverseq.inverse.steered_policy import Habit, SteeredPolicy, steer


def action_probabilities(
    solution: Solution, demonstrations: Demonstrations
) -> Float[np.ndarray, "N A"]:
    """Probability of each action at each decision, rows with a missing action included.

    A row depends on the present state and the trajectory before it, never on the action taken
    there nor on anything later.

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
    policy = solution.policy
    if isinstance(policy, NetworkPolicy):
        return network_probabilities(policy, demonstrations.states)
    if isinstance(policy, Habit):
        return _counted(solution, policy, demonstrations)
    if isinstance(policy, SteeredPolicy):
        assert solution.mdp is not None  # a reward needs a world
        with np.errstate(divide="ignore"):
            habit = np.log(_counted(solution, policy.habit, demonstrations))
        return np.exp(steer(habit, policy.q[align(demonstrations, solution.mdp)]))
    if solution.mdp is None:
        raise InputError(
            f"this {solution.solver} solution has a policy per state but no world: fit it with "
            "mdp=..."
        )
    return policy[align(demonstrations, solution.mdp)]


def _counted(
    solution: Solution, policy: Habit, demonstrations: Demonstrations
) -> Float[np.ndarray, "N A"]:
    """What a habit says of each decision."""
    if not isinstance(policy, BackoffTable):
        exists = existing_actions(solution, demonstrations)
        if isinstance(policy, LogitPolicy):
            return logit_probabilities(policy, demonstrations, exists)
        return column_probabilities(policy, demonstrations, exists)
    _check_worlds(solution, policy, demonstrations)
    columns = past_columns(demonstrations, solution.mdp, policy.order, policy.of)
    return table_policy(policy, columns)


def existing_actions(solution: Solution, demonstrations: Demonstrations) -> Bool[np.ndarray, "N A"]:
    """The actions that exist at each decision; all of them where no world says which.

    Raises:
        InputError: A decision does not fit the world.
    """
    if solution.mdp is not None:
        return solution.mdp.allowed[align(demonstrations, solution.mdp)]
    if isinstance(solution.policy, NetworkPolicy):
        shape = (demonstrations.num_decisions, solution.policy.network.num_actions)
        return np.ones(shape, dtype=bool)
    # A table that was fitted without a world knows how many actions there are, and no more.
    num_actions = len(solution.parameters["marginal"])
    return allowed_at(None, demonstrations.states, num_actions)


def _check_worlds(solution: Solution, table: BackoffTable, demonstrations: Demonstrations) -> None:
    """Raise an `InputError` where a table has counted nothing in a world it is asked about."""
    worlds = None if solution.mdp is None else solution.mdp.worlds
    if worlds is None or table.order == 0 or "world" not in demonstrations.trajectories:
        return
    # The present states come first in a past: each belongs to one world.
    counted = np.unique(np.searchsorted(worlds.offsets, table.symbols[0], side="right") - 1)
    seen = {worlds.names[i] for i in counted}
    unseen = sorted({str(name) for name in demonstrations.trajectories["world"]} - seen)
    if unseen:
        raise InputError(
            f"a count table cannot be carried to a world it has not seen: nothing was counted in "
            f"{unseen[0]!r} (counted: {sorted(seen)[:20]}). Fit a reward that the worlds share, "
            "MaxEnt with features, say"
        )
