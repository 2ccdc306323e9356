"""The results that a report is built from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from inverseq.doctor import Diagnosis
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.worlds import World


@dataclass(frozen=True, eq=False)
class ScoreRow:
    """One model on held-out decisions.

    Attributes:
        key: Short name, for options and files.
        name: Name for people.
        yardstick: Whether it only counts and has no reward.
        nats: Mean log-likelihood per decision.
        error: Its standard error over trajectories; NaN where there is only one.
        free_nats: The same over decisions at which more than one action exists.
        free_error: Its standard error.
        parameters: Free numbers in the fit.
        seconds: Time of the fit.
        validation: Mean log-likelihood in cross-validation on the training data, or NaN.
        totals: `[T]` log-likelihood of each held-out trajectory.
        sizes: `[T]` decisions scored in each.
    """

    key: str
    name: str
    yardstick: bool
    nats: float
    error: float
    free_nats: float
    free_error: float
    parameters: int
    seconds: float
    validation: float
    totals: Float[np.ndarray, " T"]
    sizes: Float[np.ndarray, " T"]


@dataclass(frozen=True)
class ContrastRow:
    """A difference of rewards with its interval.

    Attributes:
        name: What is compared with what.
        estimate: In units of the policy's temperature.
        low: Lower end of the 95 % interval.
        high: Upper end.
        verdict: What settles it: behaviour, or only a convention.
    """

    name: str
    estimate: float
    low: float
    high: float
    verdict: str


@dataclass(frozen=True, eq=False)
class Contrasts:
    """Differences of rewards, how they were resampled, and what is known of them.

    Attributes:
        rows: The differences.
        identified: What behaviour settles and what a convention does, in plain words, by line.
        method: How they were made, for the methods paragraph.
        caption: What the figure shows.
    """

    rows: tuple[ContrastRow, ...]
    identified: tuple[str, ...]
    method: str
    caption: str


@dataclass(frozen=True, eq=False)
class Results:
    """Everything that `inverseq fit` found.

    Attributes:
        title: Of the data.
        source: One sentence of where the table came from, and the data set's description.
        citation: What to cite for the data; empty for a user's own.
        given: The world or worlds that were fitted in, without history.
        worlds: Their drawings.
        diagnosis: What the doctor found.
        division: How the data were divided, in words.
        train: Decisions and trajectories that were fitted.
        test: Decisions and trajectories that were scored.
        forced: Share of the scored decisions at which only one action exists.
        skipped: Steps at the beginning of each held-out trajectory that are not scored.
        scores: All models.
        chosen: Key of the model that is drawn.
        reason: Why this one, in words.
        solution: Its fit.
        contrasts: Differences of rewards; None where there are none.
        remarks: What went wrong on the way.
        settings: Settings by name, as text.
        seconds: Time of everything.
    """

    title: str
    source: str
    citation: str
    given: MDP | Mapping[str, MDP]
    worlds: Mapping[str, World]
    diagnosis: Diagnosis
    division: str
    train: tuple[int, int]
    test: tuple[int, int]
    forced: float
    skipped: int
    scores: tuple[ScoreRow, ...]
    chosen: str
    reason: str
    solution: Solution
    contrasts: Contrasts | None
    remarks: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def row(self, key: str) -> ScoreRow | None:
        """The row of a model; None where it was not scored."""
        return next((row for row in self.scores if row.key == key), None)

    @property
    def best_reward(self) -> ScoreRow:
        """The model with a reward that scores best."""
        return max((r for r in self.scores if not r.yardstick), key=lambda row: row.nats)

    @property
    def best_table(self) -> ScoreRow:
        """The yardstick that scores best."""
        return max((r for r in self.scores if r.yardstick), key=lambda row: row.nats)


def difference(first: ScoreRow, second: ScoreRow) -> tuple[float, float]:
    """Mean difference of two models per decision on the same trajectories, and its standard error.

    The error is that of a ratio of sums over trajectories; NaN where there is only one.
    """
    gain, size = first.totals - second.totals, first.sizes
    mean = float(gain.sum() / size.sum())
    return mean, ratio_error(gain, size)


def ratio_error(totals: Float[np.ndarray, " T"], sizes: Float[np.ndarray, " T"]) -> float:
    """Standard error of sum(totals) / sum(sizes) over T independent units (linearised)."""
    count = totals.size
    if count < 2 or sizes.sum() == 0:
        return float("nan")
    rest = totals - totals.sum() / sizes.sum() * sizes
    return float(np.sqrt(count / (count - 1) * (rest**2).sum()) / sizes.sum())
