"""How well an act was foretold: matches of steps, hazards, and differences over folds."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import expit, stdtrit

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.neural.trials import Waiting

NEAR = (0, 1, 2)
"""Steps by which a foretold act may be off: exact, near-1, near-2."""
_NEWTON = 50


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
        return _first(expit(self.slope * logits + self.offset + self.lift) > self.epsilon)


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
    """Slope and offset of the largest likelihood, and the lift with most matches: of the mean share
    over exact, within one and within two steps.

    A probability per step of 0.1 s hardly ever exceeds 0.6, however sure it is that one acts soon;
    what it has to exceed is therefore chosen, for every method alike.

    Args:
        logits: `[T, B]` of trials that, best, did not make the method.
        data: The trials.
        epsilon: In (0, 1).

    Raises:
        InputError: Epsilon is no such number.
    """
    if not 0 < epsilon < 1:
        raise InputError(f"epsilon must lie between 0 and 1; got {epsilon:g}")
    slope, offset = calibrated(logits, data)
    scaled = slope * logits + offset
    best, lift = -1.0, 0.0
    for cut in np.unique(np.quantile(scaled[data.seen], np.linspace(0.5, 0.999, 60))):
        first = _first(scaled > cut)
        share = np.mean([_within(first, data, n) for n in NEAR])
        if share > best:
            best, lift = float(share), float(np.log(epsilon / (1 - epsilon)) - cut)
    return Reading(slope, offset, lift, epsilon)


def calibrated(logits: Float[np.ndarray, "T B"], data: Waiting) -> tuple[float, float]:
    """Slope, 1 where nothing speaks and never below 0.01, and offset of the largest likelihood, by
    Newton's method.
    """
    x, y = logits[data.seen].astype(np.float64), data.acted[data.seen]
    columns = np.stack([x, np.ones_like(x)])
    prior = np.array([1.0, 0.0])

    def loss(point: np.ndarray) -> float:
        made = point @ columns
        return float(np.logaddexp(0, made).sum() - made[y].sum() + 0.5 * (point[0] - 1) ** 2)

    point, value = prior, loss(prior)
    for _ in range(_NEWTON):
        chance = expit(point @ columns)
        slope = columns @ (chance - y) + prior * (point - 1)
        curve = (columns * (chance * (1 - chance))) @ columns.T
        curve += np.diag(prior + 1e-9)  # an offset is free, but not where nobody ever acts
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while size > 1e-4:
            then = np.maximum(point - size * step, (0.01, -30.0))
            if (reached := loss(then)) < value:
                break
            size /= 2
        else:
            break
        point, gained, value = then, value - reached, reached
        if gained < 1e-6:
            break
    return float(point[0]), float(point[1])


def gain(logits: Float[np.ndarray, "T B"], slope: float, offset: float, data: Waiting) -> float:
    """Nats per decision above a hazard that is the same at all times."""
    y = data.acted[data.seen]
    flat = y.mean().clip(1e-6, 1 - 1e-6)
    chance = expit(slope * logits[data.seen] + offset).clip(1e-6, 1 - 1e-6)
    got = np.where(y, chance / flat, (1 - chance) / (1 - flat))
    return float(np.log(got).mean())


def match(logits: Float[np.ndarray, "T B"], reading: Reading, data: Waiting) -> Match:
    """How well the acts of trials were foretold.

    Args:
        logits: `[T, B]`.
        reading: How they are read.
        data: The trials.
    """
    first = reading.first(logits)
    exact, near_1, near_2 = (_within(first, data, n) for n in NEAR)
    return Match(exact, near_1, near_2, gain(logits, reading.slope, reading.offset, data))


def drawn_match(chances: Float[np.ndarray, "T B"], data: Waiting, draws: int, seed: int) -> Match:
    """`match` of acts that are drawn from chances: a random controller. Its gain is 0."""
    rng, found = np.random.default_rng(seed), []
    for _ in range(draws):
        first = _first(rng.random(chances.shape) < chances)
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


def _first(hit: Bool[np.ndarray, "T B"]) -> Int[np.ndarray, " T"]:
    """The first step that is hit; B where none is."""
    return np.where(hit.any(axis=1), hit.argmax(axis=1), hit.shape[1])


def _within(first: Int[np.ndarray, " T"], data: Waiting, steps: int) -> float:
    """Share of trials with an act that was foretold within so many steps."""
    happened, bins = data.happened, data.states.shape[1]
    return float(((np.abs(first - happened) <= steps) & (happened < bins) & (first < bins)).mean())
