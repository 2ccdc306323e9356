"""What a solution says about each state, its memory averaged out."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from inverseq._core.errors import InputError
from inverseq.forward import occupancy
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP

_SEEN = 0.01
"""Share of all visits from which on a place is visited often."""

_CLEAR = 0.05
"""Reward, in units of the temperature, from which on a place is wanted."""


@dataclass(frozen=True, eq=False)
class Places:
    """One row per state without history, P of them; averages over pasts go by visits.

    Attributes:
        reward: `[P]` expected reward of a decision there under the fitted policy, less its mean
            over all decisions: a constant added to every reward changes no behaviour.
        rewards: `[P, A]` reward of each action, less the same mean; NaN where it does not exist.
        value: `[P]` state value, less its mean over all decisions.
        policy: `[P, A]` fitted probabilities.
        visits: `[P]` weight of the decisions seen.
    """

    reward: Float[np.ndarray, " P"]
    rewards: Float[np.ndarray, "P A"]
    value: Float[np.ndarray, " P"]
    policy: Float[np.ndarray, "P A"]
    visits: Float[np.ndarray, " P"]

    @property
    def often(self) -> Int[np.ndarray, " n"]:
        """Places that are visited often enough to speak of."""
        if not self.visits.any():
            return np.zeros(0, dtype=int)
        # In a large world no place has its hundredth part of the visits.
        least = np.median(self.visits[self.visits > 0])
        return np.flatnonzero(self.visits >= min(_SEEN * self.visits.sum(), least))

    @property
    def wanted(self) -> Int[np.ndarray, " n"]:
        """The place that is rewarded most among them, and the next where it is not far behind;
        none where all are alike.
        """
        often = self.often
        top = often[np.argsort(-self.reward[often], kind="stable")][:2]
        return top[self.reward[top] >= max(_CLEAR, *(self.reward[top[:1]] / 4))]


def has_places(solution: Solution) -> bool:
    """Whether a reward and values stand in the states of a world, which alone decide."""
    parts = (solution.mdp, solution.reward_function, solution.v, solution.visits)
    if any(part is None for part in parts):
        return False
    try:
        solution.policy.per_state(solution.mdp)
    except InputError:
        return False
    return True


def places(solution: Solution) -> Places:
    """The places of a solution that has a reward.

    Raises:
        InputError: It has none.
    """
    mdp, reward, value = solution.mdp, solution.reward, solution.v
    visits = solution.visits
    if mdp is None or reward is None or value is None or visits is None:
        raise InputError(f"{solution.solver} has no reward to show; choose IAVI or MaxEnt")
    policy = solution.policy.per_state(mdp)
    base = np.arange(mdp.num_states) if mdp.history is None else mdp.history.base
    earned = (policy * np.where(mdp.allowed, reward, 0.0)).sum(1)
    decided = visits / visits.sum()
    centre, middle = float(decided @ earned), float(decided @ value)
    exists = np.zeros((int(base.max()) + 1, mdp.num_actions), dtype=bool)
    exists[base] = mdp.allowed
    rewards = averaged(np.where(mdp.allowed, reward, 0.0), base, visits) - centre
    return Places(
        reward=averaged(earned, base, visits) - centre,
        rewards=np.where(exists, rewards, np.nan),
        value=averaged(value, base, visits) - middle,
        policy=averaged(policy, base, visits),
        visits=np.bincount(base, visits),
    )


def expected_moves(
    mdp: MDP, policy: Float[np.ndarray, "S A"], *, to_an_end: bool = True
) -> Float[np.ndarray, "P A"]:
    """Expected number of each move in each place, on one way from `mdp.initial` to an end; where
    the world has none, or `to_an_end` is false, discounted.

    Raises:
        InputError: Under this policy, ways may never come to an end.
    """
    ends = replace(mdp, discount=1.0) if to_an_end and mdp.terminal.any() else mdp
    moves = occupancy(ends, policy)[:, None] * policy
    moves[mdp.terminal] = 0.0
    base = np.arange(mdp.num_states) if mdp.history is None else mdp.history.base
    made = np.zeros((int(base.max()) + 1, mdp.num_actions))
    np.add.at(made, base, moves)
    return made


def likely_moves(
    mdp: MDP, policy: Float[np.ndarray, "P A"]
) -> tuple[Int[np.ndarray, "M 2"], Float[np.ndarray, " M"]]:
    """Pairs (from, to) of states, and how probable a decision there leads from one to the other."""
    lists = mdp.transitions
    pair = np.repeat(np.arange(lists.shape[0]), np.diff(lists.indptr))
    there = np.flatnonzero((lists.data > 0) & mdp.allowed.ravel()[pair])
    weight = policy.ravel()[pair[there]] * lists.data[there]
    ends = np.stack([pair[there] // mdp.num_actions, lists.indices[there]], axis=1)
    moves, number = np.unique(ends, axis=0, return_inverse=True)
    return moves, np.bincount(number.ravel(), weight)


def averaged(
    values: Float[np.ndarray, "S *A"], base: Int[np.ndarray, " S"], visits: Float[np.ndarray, " S"]
) -> Float[np.ndarray, "P *A"]:
    """Means over the pasts of each state by visits; plain means where there were none."""
    total = np.bincount(base, visits)
    weight = np.where(total[base] > 0, visits, 1.0)
    shaped = weight.reshape(-1, *[1] * (values.ndim - 1))
    sums = np.zeros((total.size, *values.shape[1:]))
    np.add.at(sums, base, values * shaped)
    return sums / np.bincount(base, weight).reshape(-1, *[1] * (values.ndim - 1))
