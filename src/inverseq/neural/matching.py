"""How well an act was foretold: matches of steps, hazards, and differences over folds."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize
from scipy.special import expit, stdtrit

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.neural.trials import Waiting

NEAR = (0, 1, 2)
"""Steps by which a foretold act may be off: exact, near-1, near-2."""


@dataclass(frozen=True)
class Reading:
    """How logits are read, chosen on trials that did not make them.

    Attributes:
        slope: What logits are multiplied with: the inverse temperature.
        offset: What is then added, for chances.
        lift: What is added to these where they are compared with `epsilon`.
        epsilon: The act is foretold in the first step whose probability is above it.
    """

    slope: float
    offset: float
    lift: float
    epsilon: float = 0.6

    def chances(self, logits: Float[np.ndarray, "T B"]) -> Float[np.ndarray, "T B"]:
        """Probability to act at each step, if one has not acted before."""
        return expit(self.slope * logits + self.offset)

    def first(self, logits: Float[np.ndarray, "T B"]) -> Int[np.ndarray, " T"]:
        """The step at which the act is foretold; B where it is not."""
        above = expit(self.slope * logits + self.offset + self.lift) > self.epsilon
        return np.where(above.any(axis=1), above.argmax(axis=1), above.shape[1])


class Match(NamedTuple):
    """How well acts of some trials were foretold.

    Attributes:
        exact: Share foretold in their step.
        near_1: Within one step.
        near_2: Within two.
        gain: Nats per decision above a hazard that is the same at all times.
    """

    exact: float
    near_1: float
    near_2: float
    gain: float


def choose_reading(
    logits: Float[np.ndarray, "T B"], data: Waiting, epsilon: float = 0.6
) -> Reading:
    """Slope and offset of the largest likelihood, and the lift with most matches within one step.

    A probability per step of 0.1 s hardly ever exceeds 0.6, however sure it is that one acts soon;
    what it has to exceed is therefore chosen, for every method alike.

    Args:
        logits: `[T, B]` of trials that, best, did not make the method.
        data: The trials.
        epsilon: In (0, 1).
    """
    if not 0 < epsilon < 1:
        raise InputError(f"epsilon must lie between 0 and 1; got {epsilon:g}")
    seen, acted = data.seen, data.acted
    x, y = logits[seen], acted[seen].astype(float)

    def loss(point: np.ndarray) -> tuple[float, np.ndarray]:
        made = np.exp(point[0]) * x + point[1]
        error = expit(made) - y
        weak = 0.5 * point[0] ** 2  # a slope of 1 where nothing speaks
        slopes = np.array([np.exp(point[0]) * (error @ x) + point[0], error.sum()])
        return float((np.logaddexp(0, made) - y * made).sum() + weak), slopes

    found = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B", bounds=[(-5, 5), (-30, 30)])
    slope, offset = float(np.exp(found.x[0])), float(found.x[1])
    scaled = slope * logits + offset
    best, lift = -1.0, 0.0
    for cut in np.unique(np.quantile(scaled[seen], np.linspace(0.5, 0.999, 60))):
        above = scaled > cut
        first = np.where(above.any(axis=1), above.argmax(axis=1), above.shape[1])
        share = np.mean([_within(first, data, n) for n in NEAR])
        if share > best:
            best, lift = float(share), float(np.log(epsilon / (1 - epsilon)) - cut)
    return Reading(slope, offset, lift, epsilon)


def match(logits: Float[np.ndarray, "T B"], reading: Reading, data: Waiting) -> Match:
    """How well the acts of trials were foretold.

    Args:
        logits: `[T, B]`.
        reading: How they are read.
        data: The trials.
    """
    first = reading.first(logits)
    seen, acted = data.seen, data.acted
    chance = reading.chances(logits)[seen].clip(1e-6, 1 - 1e-6)
    y = acted[seen]
    flat = y.mean().clip(1e-6, 1 - 1e-6)
    got = np.where(y, np.log(chance), np.log1p(-chance))
    gain = got - np.where(y, np.log(flat), np.log1p(-flat))
    exact, near_1, near_2 = (_within(first, data, n) for n in NEAR)
    return Match(exact, near_1, near_2, float(gain.mean()))


def drawn_match(chances: Float[np.ndarray, "T B"], data: Waiting, draws: int, seed: int) -> Match:
    """`match` of acts that are drawn from chances: a random controller. Its gain is 0."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(draws):
        hit = rng.random(chances.shape) < chances
        first = np.where(hit.any(axis=1), hit.argmax(axis=1), hit.shape[1])
        found.append([_within(first, data, n) for n in NEAR])
    exact, near_1, near_2 = np.mean(found, axis=0).tolist()
    return Match(exact, near_1, near_2, 0.0)


@dataclass(frozen=True, eq=False)
class Paired:
    """Difference of two methods over the same folds.

    Attributes:
        differences: `[folds]`.
        mean: Of them.
        low: Lower end of the 95 % interval.
        high: Upper end.
    """

    differences: Float[np.ndarray, " folds"]
    mean: float
    low: float
    high: float

    def __post_init__(self) -> None:
        freeze(self, np.float64, "differences")


def paired(first: Float[np.ndarray, " folds"], second: Float[np.ndarray, " folds"]) -> Paired:
    """The mean difference over folds with a 95 % t interval.

    Folds share training trials, so that plain errors are too small; the variance is corrected as
    Nadeau and Bengio (2003) do, by 1 / K + 1 / (K - 1) in place of 1 / K.
    """
    gaps = np.asarray(first) - np.asarray(second)
    folds = len(gaps)
    if folds < 2:
        raise InputError(f"need 2 or more folds; got {folds}")
    spread = np.sqrt(gaps.var(ddof=1) * (1 / folds + 1 / (folds - 1)))
    reach = float(stdtrit(folds - 1, 0.975) * spread)
    mean = float(gaps.mean())
    return Paired(gaps, mean, mean - reach, mean + reach)


def folds_of(trials: int, folds: int) -> list[Int[np.ndarray, " n"]]:
    """Trials of each of K folds: every K-th trial, so that all times of a session are in each.

    Raises:
        InputError: There are fewer trials than folds, or fewer than two folds.
    """
    if not 2 <= folds <= trials:
        raise InputError(f"{trials} trials cannot be cut into {folds} folds; ask for 2 to {trials}")
    return [np.arange(trials)[number::folds] for number in range(folds)]


def _within(first: Int[np.ndarray, " T"], data: Waiting, steps: int) -> float:
    """Share of trials with an act that was foretold within so many steps."""
    happened, bins = data.happened, data.states.shape[1]
    return float(((np.abs(first - happened) <= steps) & (happened < bins) & (first < bins)).mean())
