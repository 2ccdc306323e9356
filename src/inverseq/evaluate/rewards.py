"""How good a reward is where the true one is known: in what it leads to, and in shape."""

from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import frozen_array, require_shape
from inverseq._core.errors import InputError
from inverseq.forward import policy_evaluation, policy_iteration
from inverseq.forward.records import reward_of
from inverseq.mdp import MDP
from inverseq.policies import boltzmann
from inverseq.rewards.gauges import least_squares, shaping, within_state

Equivalence = Literal["constant", "within-state", "state", "shaping"]
EQUIVALENCES: tuple[str, ...] = ("constant", "within-state", "state", "shaping")


def expected_value_difference(
    mdp: MDP, policy: Any, *, expert: Any = None, reward: Any = None
) -> float:
    """Mean loss of value: E over first states of V(expert) - V(policy), under the true reward.

    Levine, Popovic and Koltun 2011, Section 6. Zero for a policy as good as the expert's.

    Args:
        mdp: The world, with its `initial` states.
        policy: `[S, A]` the policy that was found.
        expert: `[S, A]` the policy to compare with; the optimal one where left out.
        reward: `[S, A]` or `[S]` true reward; the world's own where left out.

    Raises:
        InputError: There is no reward, or a policy is none in this world.
    """
    earned = reward_of(mdp, reward)
    if expert is None:
        best = policy_iteration(mdp, earned).values
    else:
        best = policy_evaluation(mdp, expert, earned).values
    got = policy_evaluation(mdp, policy, earned).values
    return float(mdp.initial @ (best - got))


def squared_value_difference(
    mdp: MDP, policy: Any, *, expert: Any = None, reward: Any = None
) -> float:
    """Mean over all states of (V(expert) - V(policy))^2 under the true reward.

    The "expected value difference" of the released IAVI experiments (Kalweit and others 2020). It
    grows with the square of the unit of the reward and weighs states nobody visits like others.

    Args:
        mdp: The world.
        policy: `[S, A]` the policy that was found.
        expert: `[S, A]` the policy to compare with; where left out, the Boltzmann policy of the
            optimal action values at temperature 1. (There the reward is that of the next state,
            which makes it ours at temperature gamma where rewards are on states.)
        reward: `[S, A]` or `[S]` true reward; the world's own where left out.

    Raises:
        InputError: There is no reward, or a policy is none in this world.
    """
    earned = reward_of(mdp, reward)
    if expert is None:
        expert = boltzmann(policy_iteration(mdp, earned).q, mdp.allowed)
    best = policy_evaluation(mdp, expert, earned).values
    got = policy_evaluation(mdp, policy, earned).values
    return float(((best - got) ** 2).mean())


def reward_correlation(
    mdp: MDP,
    estimate: Any,
    truth: Any = None,
    *,
    equivalence: Equivalence = "shaping",
    kind: Literal["pearson", "spearman"] = "pearson",
    visits: Float[np.ndarray, " S"] | None = None,
) -> float:
    """Correlation of an estimated with the true reward, up to what is chosen not to count.

    Actions that do not exist and terminal states are left out. A correlation never sees the unit
    of the reward, nor one constant added everywhere; only where the world can end does "shaping"
    see the constant, because there it changes behaviour.

    Args:
        mdp: The world.
        estimate: `[S, A]` or `[S]` reward that was found.
        truth: `[S, A]` or `[S]` true reward; the world's own where left out.
        equivalence: What is taken out of both rewards first. "constant": nothing more.
            "within-state": the mean over each state's actions, which IAVI sets to zero.
            "state": all but that mean, for rewards of states. "shaping": every
            v(s) - gamma E[v(next state)], so that two rewards that explain the same behaviour
            correlate perfectly.
        kind: "pearson", or "spearman" (of ranks, after the above).
        visits: `[S]`; states with 0 are left out of the correlation.

    Returns:
        In [-1, 1]; NaN where one of them does not vary.

    Raises:
        InputError: A setting has no such value or an array does not fit the world.
    """
    if kind not in ("pearson", "spearman"):
        raise InputError(f"kind must be 'pearson' or 'spearman'; got {kind!r}")
    sides = _sides(mdp, estimate, truth, equivalence, visits)
    if kind == "spearman":
        from scipy.stats import rankdata  # takes half a second to load

        sides = (rankdata(side) for side in sides)
    return _pearson(*sides)


def reward_error(
    mdp: MDP,
    estimate: Any,
    truth: Any = None,
    *,
    equivalence: Equivalence = "shaping",
    visits: Float[np.ndarray, " S"] | None = None,
) -> float:
    """How far an estimated reward is from the true one, up to what is chosen not to count.

    |estimate - truth| / |truth|, in root mean squares, after what does not count and the mean are
    taken out of both: 0 is the truth, 1 as good as saying that nothing is rewarded. Unlike a
    correlation it sees the unit, so that both must be in the same one: behaviour at a temperature
    T shows truth / T.

    Args:
        mdp: The world, and the other arguments: as in `reward_correlation`.
        estimate: As above.
        truth: As above.
        equivalence: As above.
        visits: As above.

    Returns:
        0 or more; NaN where the truth does not vary.

    Raises:
        InputError: A setting has no such value or an array does not fit the world.
    """
    found, wanted = _sides(mdp, estimate, truth, equivalence, visits)
    if wanted.size == 0:
        return float("nan")
    found, wanted = found - found.mean(), wanted - wanted.mean()
    size = float(np.linalg.norm(wanted))
    return float(np.linalg.norm(found - wanted)) / size if size > 0 else float("nan")


def nearest_equivalent(
    mdp: MDP, estimate: Float[np.ndarray, "S A"], truth: Float[np.ndarray, "S A"]
) -> Float[np.ndarray, "S A"]:
    """The reward that explains the same behaviour as `estimate` and is nearest to the truth.

    Such rewards differ by shaping, v(s) - gamma E[v(next state)]; v is found by least squares, so
    that a figure can show what was found beside what is true.

    Args:
        mdp: The world.
        estimate: `[S, A]` reward that was found, in the unit of `truth`.
        truth: `[S, A]` true reward.
    """
    freedom = shaping(mdp)
    v, _ = least_squares(freedom, (truth - estimate).reshape(-1, 1))
    return estimate + (freedom @ v).reshape(estimate.shape)


def _sides(
    mdp: MDP,
    estimate: Any,
    truth: Any,
    equivalence: str,
    visits: Float[np.ndarray, " S"] | None,
) -> list[np.ndarray]:
    """Both rewards in a row, without what does not count."""
    if equivalence not in EQUIVALENCES:
        raise InputError(f"equivalence must be one of {EQUIVALENCES}; got {equivalence!r}")
    use = ~mdp.terminal
    if visits is not None:
        seen = frozen_array(visits, np.float64, "visits")
        require_shape(seen, (mdp.num_states,), "visits", "S")
        use = use & (seen > 0)
    sides = []
    for given in (reward_of(mdp, estimate), reward_of(mdp, truth)):
        reduced = _reduced(mdp, given, equivalence)
        kept = reduced[use] if equivalence == "state" else reduced[mdp.allowed & use[:, None]]
        # Rounding errors of what was taken out are no variation, and must not rank equals.
        unit = 1e-10 * float(np.abs(given[mdp.allowed]).max())
        sides.append(unit * np.round(kept / unit) if unit > 0 else kept)
    return sides


def _reduced(mdp: MDP, reward: Float[np.ndarray, "S A"], equivalence: str) -> np.ndarray:
    """The reward without what does not count: `[S, A]`, or `[S]` for "state"."""
    if equivalence == "constant":
        return reward
    if equivalence == "state":
        return np.where(mdp.allowed, reward, 0.0).sum(1) / mdp.allowed.sum(1)
    if equivalence == "within-state":
        return (within_state(mdp) @ reward.ravel()).reshape(reward.shape)
    pairs = np.flatnonzero(mdp.allowed)
    freedom, rest = shaping(mdp)[pairs], np.zeros(reward.size)
    v, _ = least_squares(freedom, reward.ravel()[pairs, None])
    rest[pairs] = reward.ravel()[pairs] - (freedom @ v)[:, 0]
    return rest.reshape(reward.shape)


def _pearson(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """Pearson's correlation; NaN where one does not vary."""
    if x.size == 0 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip(x @ y / (np.linalg.norm(x) * np.linalg.norm(y)), -1, 1))
