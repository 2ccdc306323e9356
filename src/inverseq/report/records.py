"""The results that a report is built from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from inverseq.doctor import Diagnosis
from inverseq.evaluate.likelihood import Score
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
        score: Its score.
        parameters: Free numbers in the fit.
        seconds: Time of the fit.
        validation: Nats per decision in cross-validation within the training part, or NaN.
    """

    key: str
    name: str
    yardstick: bool
    score: Score
    parameters: float
    seconds: float
    validation: float = float("nan")

    def summary(self) -> dict[str, str | float | bool]:
        """The row for machines."""
        return {
            "key": self.key,
            "model": self.name,
            "yardstick": self.yardstick,
            "nats": self.score.mean,
            "error": self.score.standard_error,
            "free_nats": self.score.free_mean,
            "free_error": self.score.free_standard_error,
            "accuracy": self.score.accuracy,
            "parameters": self.parameters,
            "seconds": self.seconds,
            "validation": self.validation,
        }


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
        test: Decisions and trajectories that were held out.
        skipped: Steps at the beginning of each held-out trajectory that are not scored.
        scores: All models, scored on the same decisions.
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
        return max((r for r in self.scores if not r.yardstick), key=lambda row: row.score.mean)

    @property
    def best_table(self) -> ScoreRow:
        """The yardstick that scores best."""
        return max((r for r in self.scores if r.yardstick), key=lambda row: row.score.mean)
