"""One reward behind behaviour in several worlds, at several discounts, or of several agents.

Each behaviour leaves values v_i open: r = log pi_i + K_i v_i, K_i v = v(s) - gamma_i E_i[v(next)]
(Cao, Cohen and Szpruch 2021, Theorem 1). That all have one reward says K_1 v_1 - K_i v_i =
log pi_i - log pi_1, which leaves a constant where the matrix has all but full rank (Theorem 2
there; Rolland and others 2022, for two experts).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy import sparse

from inverseq._core.errors import InputError
from inverseq._core.nullspace import NullSpace, null_space
from inverseq._core.words import render_text
from inverseq.inverse.planning import HardOptimum, SoftOptimum
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.policies import uniform
from inverseq.rewards.gauges import shaping

_PARTLY = 1e-3
"""Length of what the constant leaves of a direction below which it is none of its own."""
_APART = 1e-9
"""Length of a direction below which nothing but the constant is in it."""


@dataclass(frozen=True, eq=False)
class SharedReward:
    """What several behaviours say of the reward that they share.

    Attributes:
        rank: Of the equations that say that the reward is one.
        columns: Their unknowns, values of each state in each world; full rank is one less.
        condition: Largest over smallest singular value: errors of log-policies grow so much.
        num_open: How many numbers of the reward stay open, the constant left out.
        directions: `[k, S, A]` changes of the reward that no behaviour tells, of length 1 and at
            right angles, the constant taken out; of a large world only some.
        openness: `[S, A]` share of each reward that is open, 0 to 1, to be drawn on the map; None
            where there are more directions than are listed.
        misfit: Root of the mean square, in nats, that log-policies are away from those of one
            reward; about 0 where the reward is shared. NaN where only worlds were given.
        found: `[S, A]` the reward, or None where it is open or only worlds were given.
    """

    rank: int
    columns: int
    condition: float
    num_open: int
    directions: Float[np.ndarray, "k S A"]
    openness: Float[np.ndarray, "S A"] | None = field(repr=False)
    misfit: float
    found: Float[np.ndarray, "S A"] | None = field(repr=False)

    @property
    def reward(self) -> Float[np.ndarray, "S A"]:
        """`[S, A]` the reward, with a mean of 0 over pairs: the constant is open. Pairs that do not
        exist are 0.

        Raises:
            InputError: It is open, or only worlds were given.
        """
        if self.found is None:
            raise InputError(
                "\n".join(render_text("inverseq.evaluate", "shared.j2", "refusal", found=self))
            )
        return self.found

    @property
    def text(self) -> str:
        """The same in plain words."""
        return "\n".join(render_text("inverseq.evaluate", "shared.j2", "told", found=self))


class Behaviour(NamedTuple):
    """What was seen in one world.

    Attributes:
        mdp: The world.
        logs: `[S, A]` log-policy less what the backup takes off, or None where only the world was
            given.
        weights: `[S, A]` decisions behind each number of it.
    """

    mdp: MDP
    logs: Float[np.ndarray, "S A"] | None
    weights: Float[np.ndarray, "S A"]


def behaviour_of(given: MDP | Solution, name: str) -> Behaviour:
    """A world alone, or a solution and how sure it is of each action: the variance of a log-share
    is one over its decisions. What is done by lapse is taken out.

    Raises:
        InputError: The state and a reward alone do not decide, or some action has no probability.
    """
    if isinstance(given, MDP):
        return Behaviour(given, None, np.ones(given.allowed.shape))
    mdp = given.mdp
    assert mdp is not None  # `identify` asks for it
    planning = given.planning
    if not isinstance(planning, SoftOptimum | HardOptimum | None):
        raise InputError(
            f"{name} explains behaviour by more than a reward ({type(planning).__name__}), so that "
            "its policy alone does not tell it: fit MaxEnt or IAVI there"
        )
    lapse = 0.0 if planning is None else planning.lapse
    policy = (given.policy.per_state(mdp) - lapse * uniform(mdp.allowed)) / (1 - lapse)
    live = mdp.allowed & ~mdp.terminal[:, None]
    if (policy[live] <= 0).any():
        s, a = (int(i) for i in np.argwhere(live & (policy <= 0))[0])
        raise InputError(
            f"{name} gives action {a} of state {s} no probability at all, which no finite reward "
            "does: fit with a smoothing, such as IAVI(smoothing=1.0)"
        )
    logs = np.log(np.where(live, policy, 1.0))
    if isinstance(planning, HardOptimum):
        logs -= np.where(live, logs, -np.inf).max(1, where=live, initial=-np.inf, keepdims=True)
        logs[~live] = 0.0
    weights = np.ones(live.shape)
    if given.visits is not None:
        weights += given.visits[:, None] * policy
    return Behaviour(mdp, logs, weights)


def agreement(
    worlds: Sequence[MDP], weights: Float[np.ndarray, "W n"] | None = None
) -> sparse.csr_array:
    """`[W * n, W * S]` equations of all worlds' values over the n pairs that exist: each K_i v_i
    less their mean, weighed by the root of how sure each is. No rows for one world.
    """
    pairs = np.flatnonzero(worlds[0].allowed)
    maps = [shaping(world)[pairs] for world in worlds]
    if len(maps) == 1:
        return sparse.csr_array((0, maps[0].shape[1]))
    sure = np.ones((len(maps), pairs.size)) if weights is None else weights
    share = sure / sure.sum(axis=0)
    rows = [
        [
            sparse.diags_array(np.sqrt(sure[i]) * ((i == j) - share[j])) @ one
            for j, one in enumerate(maps)
        ]
        for i in range(len(maps))
    ]
    return sparse.csr_array(sparse.block_array(rows, format="csr"))


def shared_reward(behaviours: Sequence[Behaviour], opened: NullSpace) -> SharedReward:
    """The reward that all behaviours share, by one least-squares solve.

    Args:
        behaviours: What was seen in each of W worlds, two at least.
        opened: What `agreement` of the worlds leaves open.
    """
    mdp = behaviours[0].mdp
    pairs = np.flatnonzero(mdp.allowed)
    states = mdp.num_states
    listed = opened.basis.shape[1] == opened.nullity
    values = _without_constant([one.mdp for one in behaviours], opened.basis, listed)
    directions = _rewards(mdp, pairs, values[:states])
    constant = listed and opened.nullity > directions.shape[1]
    num_open = directions.shape[1]
    if not listed:
        num_open = opened.nullity - _constant_is_open([one.mdp for one in behaviours], pairs)
    openness = _over_pairs(mdp, (directions**2).sum(axis=1)) if listed else None
    found, misfit = None, np.nan
    logs = [one.logs.ravel()[pairs] for one in behaviours if one.logs is not None]
    if num_open == 0 and len(logs) == len(behaviours):
        values, misfit = _common(behaviours, logs, pairs)
        found = _over_pairs(mdp, values - values.mean() if constant else values)
    columns = len(behaviours) * states
    return SharedReward(
        rank=columns - opened.nullity,
        columns=columns,
        condition=opened.condition,
        num_open=num_open,
        directions=np.stack([_over_pairs(mdp, one) for one in directions.T])
        if directions.shape[1]
        else np.zeros((0, *mdp.allowed.shape)),
        openness=openness,
        misfit=misfit,
        found=found,
    )


def _common(
    behaviours: Sequence[Behaviour], logs: Sequence[Float[np.ndarray, " n"]], pairs: np.ndarray
) -> tuple[Float[np.ndarray, " n"], float]:
    """The reward of the pairs, and how far log-policies are from those of one reward."""
    states = behaviours[0].mdp.num_states
    sure = np.stack([one.weights.ravel()[pairs] for one in behaviours])
    share = sure / sure.sum(axis=0)
    known = np.stack([*logs])
    apart = np.sqrt(sure) * (known - (share * known).sum(axis=0))
    matrix = agreement([one.mdp for one in behaviours], sure)
    values = null_space(matrix).least_squares(-apart.reshape(-1, 1))[:, 0]
    each = known + np.stack(
        [
            shaping(one.mdp)[pairs] @ values[i * states : (i + 1) * states]
            for i, one in enumerate(behaviours)
        ]
    )
    reward = (share * each).sum(axis=0)
    misfit = np.sqrt((sure * (each - reward) ** 2).sum() / sure.sum())
    return reward, float(misfit)


def _without_constant(
    worlds: Sequence[MDP], basis: Float[np.ndarray, "n k"], listed: bool
) -> Float[np.ndarray, "n d"]:
    """Open directions of values without that of a constant reward, which is open in every world
    without ends: v = c / (1 - gamma). With ends it may be settled, and all are left.
    """
    if not basis.shape[1] or worlds[0].terminal.any() or max(w.discount for w in worlds) >= 1:
        return basis
    constant = np.concatenate([np.full(w.num_states, 1 / (1 - w.discount)) for w in worlds])
    constant /= np.linalg.norm(constant)
    left, sizes, _ = np.linalg.svd(basis - np.outer(constant, constant @ basis), False)
    return left[:, : len(sizes) - 1] if listed else left[:, sizes > _PARTLY]


def _constant_is_open(worlds: Sequence[MDP], pairs: np.ndarray) -> bool:
    """Whether values explain a constant reward in every world: without ends those of all states are
    alike, or any are where nothing is discounted; with ends it hangs on whether actions change when
    it ends.
    """
    for world in worlds:
        if not world.terminal.any():
            continue
        matrix = shaping(world)[pairs]
        ones = np.ones((pairs.size, 1))
        missed = matrix @ null_space(matrix).least_squares(ones) - ones
        if np.abs(missed).max() > _APART:
            return False
    return True


def _rewards(
    mdp: MDP, pairs: np.ndarray, values: Float[np.ndarray, "S k"]
) -> Float[np.ndarray, "n d"]:
    """Directions of the reward that belong to those of values, the constant taken out."""
    made = shaping(mdp)[pairs] @ values
    made = made - made.mean(axis=0)
    basis, sizes, _ = np.linalg.svd(made, full_matrices=False)
    return basis[:, sizes > _APART]


def _over_pairs(mdp: MDP, values: Float[np.ndarray, " n"]) -> Float[np.ndarray, "S A"]:
    """Numbers of the pairs that exist, 0 elsewhere."""
    made = np.zeros(mdp.allowed.shape)
    made[mdp.allowed] = values
    return made
