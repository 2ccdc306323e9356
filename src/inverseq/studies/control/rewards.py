"""How well a found reward says what games brought."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.intervals import interquartile_mean
from inverseq.inverse.solution import Solution
from inverseq.studies.control.shown import Expert
from inverseq.studies.experts.tasks import DISCOUNT, Task, careless, played

_SHARES = (0.0, 0.1, 0.3, 0.6, 1.0)
"""Of random actions in the games on which rewards are compared."""
_LEAST = -50.0
"""Logarithm of the least probability: below it a network's number may be 0."""


def compared_games(task: Task, expert: Expert, games: int, seed: int) -> tuple[Demonstrations, ...]:
    """Games in which the expert takes any action now and then, from never to always."""
    return tuple(
        played(task, careless(task, expert.policy, share), games, 3000 + seed + n).demonstrations
        for n, share in enumerate(_SHARES)
    )


def correlation(games: Sequence[Demonstrations], reward: Any) -> float:
    """Pearson correlation of the sums of a found reward over games with their returns; NaN where
    one of them never differs.
    """

    def found(some: Demonstrations) -> Float[np.ndarray, " N"]:
        # What nobody saw, of the last move of a game cut off, counts nothing; whatever else is no
        # number shows.
        cut = ~some.next_known & ~some.terminated
        return np.where(cut, 0.0, reward.values(some, None))

    return _correlated(games, found, 1.0)


def identified(games: Sequence[Demonstrations], learned: Solution) -> float:
    """The same of what behaviour tells of a reward.

    In units of its temperature a soft reward is log pi(a | s) + V(s) - gamma V(s') (Cao and others
    2021, theorem 1), and V is open. The discounted sum over a game is that of log pi(a | s), but
    for the values of its first and last state: how much is lost against the best game from there.
    It is compared with the discounted return; both are the larger the better the game, also where
    V is unknown, and a clone has one too.
    """

    def found(some: Demonstrations) -> Float[np.ndarray, " N"]:
        return np.maximum(learned.log_likelihoods(some), _LEAST)

    return _correlated(games, found, DISCOUNT)


def middle(values: Sequence[float]) -> float | None:
    """Interquartile mean of those that are numbers; None where none is."""
    known = np.array(values)[np.isfinite(values)]
    return float(interquartile_mean(known).estimate) if known.size else None


def _correlated(
    games: Sequence[Demonstrations],
    values: Callable[[Demonstrations], Float[np.ndarray, " N"]],
    discount: float,
) -> float:
    """Pearson correlation of discounted sums over games, of values and of true rewards."""
    both = [
        np.concatenate(
            [np.add.reduceat(discount**some.step * of(some), some.starts[:-1]) for some in games]
        )
        for of in (values, lambda some: some.decisions["reward"])
    ]
    if min(np.ptp(sums) for sums in both) == 0 or not np.isfinite(both).all():
        return float("nan")
    return float(np.corrcoef(np.array(both))[0, 1])
