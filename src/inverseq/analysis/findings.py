"""What an analysis found: numbers, arrays and enumerations, no sentences and no figures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from inverseq._core.display import Fact, ShownTable
from inverseq._core.errors import InputError
from inverseq._core.perhaps import Perhaps
from inverseq.analysis.costs import Costs
from inverseq.analysis.family import Family, Model
from inverseq.analysis.intention_findings import Choosing, IntentionFindings
from inverseq.analysis.neural_findings import NeuralFindings
from inverseq.analysis.observed import Earned, Observed
from inverseq.analysis.plan import Plan, refuse_without_reward
from inverseq.datasets import Dataset
from inverseq.demonstrations import Demonstrations
from inverseq.doctor import Diagnosis
from inverseq.evaluate.identifiability import Identification, Verdict
from inverseq.evaluate.likelihood import Score
from inverseq.evaluate.split_checks import SplitCheck
from inverseq.intentions.solution import IntentionSolution
from inverseq.inverse.solution import Solution
from inverseq.mdp import MDP
from inverseq.worlds import World

_ROUNDING = 1e-9


class DivisionKind(StrEnum):
    """How the data were divided."""

    DRAWN = "drawn"
    OF_THE_DATASET = "of the dataset"
    GIVEN = "given"


class Reason(StrEnum):
    """Why a model's reward is the one that is shown."""

    ASKED = "asked"
    VALIDATED = "validated"
    TOO_FEW_UNITS = "too few units"
    SHARED = "shared"


class Difference(StrEnum):
    """What a contrast of the reward compares."""

    ELSEWHERE = "elsewhere"
    PLACES = "places"
    WAYS = "ways"
    ACTIONS = "actions"
    FEATURES = "features"


class Intervals(StrEnum):
    """How intervals of differences were made."""

    NONE = "none"
    BOOTSTRAP = "bootstrap"
    SANDWICH = "sandwich"


@dataclass(frozen=True, eq=False)
class ScoreRow:
    """One model on held-out decisions.

    Attributes:
        key: Short name, for options and files.
        model: Which model.
        score: Its score.
        parameters: Free numbers in the fit.
        seconds: Time of the fit.
        validation: Nats per decision in cross-validation within the training part, or NaN.
        over: Other unit -> the same score by it, as in `inverseq.evaluate.Result`.
        novel: Score of the trajectories that repeat no training one; None where that tells nothing.
    """

    key: str
    model: Model
    score: Score
    parameters: float
    seconds: float
    validation: float = float("nan")
    over: Mapping[str, Score] = field(default_factory=dict)
    novel: Score | None = None

    @property
    def name(self) -> str:
        """Its name for people."""
        return self.model.name

    @property
    def yardstick(self) -> bool:
        """Whether it has no reward."""
        return self.model.yardstick


@dataclass(frozen=True)
class Failure:
    """A model that could not be fitted or scored, and why.

    Attributes:
        key: Its short name.
        model: Which model.
        error: The message of the error, quoted; empty where it was not tried.
        states: Of a world so large that it was not tried.
        most: States up to which it is tried unasked.
    """

    key: str
    model: Model
    error: str = ""
    states: int = 0
    most: int = 0


@dataclass(frozen=True)
class Division:
    """How the data were divided.

    Attributes:
        kind: Who divided them.
        column: The column that says so, or empty.
        train: Decisions and trajectories that were fitted.
        test: Decisions and trajectories that were held out.
        units: Units that were fitted.
        held: Units that were held out.
        from_step: First step of a held-out trajectory that is scored.
    """

    kind: DivisionKind
    column: str = ""
    train: tuple[int, int] = (0, 0)
    test: tuple[int, int] = (0, 0)
    units: int = 0
    held: int = 0
    from_step: int = 0


@dataclass(frozen=True)
class Contrast:
    """A difference of rewards with its interval.

    Attributes:
        difference: What is compared.
        names: Names of what is compared, in the order of the kind: the place (and the other
            place); the branching and the target of the ways; state, action and first action.
        estimate: In units of the policy's temperature.
        low: Lower end of the 95 % interval; NaN where too few units were there to resample.
        high: Upper end, likewise.
        verdict: What settles it; None where that was not examined.
    """

    difference: Difference
    names: tuple[str, ...]
    estimate: float
    low: float
    high: float
    verdict: Verdict | None

    @property
    def clear(self) -> bool:
        """Whether an interval that has a width leaves out zero."""
        return self.high - self.low > _ROUNDING and (self.low > 0 or self.high < 0)


@dataclass(frozen=True)
class Otherwise:
    """The differences under another reward that was fitted to the same decisions.

    Attributes:
        model: Which.
        estimates: Of each difference, in the order of the rows; NaN where it is zero by the form of
            the reward.
    """

    model: Model
    estimates: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Contrasts:
    """Differences of rewards, how they were resampled, and what is known of them.

    Attributes:
        rows: The differences.
        how: How the intervals were made; "none" where too few units were there.
        replicates: Rewards behind the intervals of a bootstrap.
        units: Units that were drawn from.
        gauge: Which of the equivalent rewards; empty where a prior decides.
        identification: What behaviour and the gauge say; None where it was not examined.
        model: Whose rewards they are.
        otherwise: The same under the other rewards that were fitted, of the same memory.
        unexamined: The error that prevented it, or None.
    """

    rows: tuple[Contrast, ...]
    how: Intervals
    replicates: int
    units: int
    gauge: str
    identification: Identification | None
    model: Model
    otherwise: tuple[Otherwise, ...] = ()
    unexamined: InputError | None = None


@dataclass(frozen=True, eq=False)
class Findings(ShownTable):
    """Everything that an analysis found; parts that were not asked for are None or empty.

    Attributes:
        plan: What was asked.
        title: Of the data.
        source: Where the table came from.
        dataset: The bundled data set; None for a user's own data.
        fingerprint: SHA-256 of the arrays.
        scores: All models, scored on the same decisions.
        failures: Models that were left out.
        settings: Settings as they were used, by name: numbers and names, and under "solver" those
            of the solver that is shown.
        given: The world or worlds that were fitted in, without history; empty where each fold has
            its own, and where states are features.
        worlds: Their drawings.
        diagnosis: What the doctor found; None where it was not asked.
        division: How the data were divided; None for folds.
        chosen: Key of the model that is shown, or empty.
        reason: Why this one.
        solution: Its fit; None where models are only compared.
        whole: All decisions, with the part that each trajectory is in; None likewise.
        contrasts: Differences of the reward that is shown; None where there are none.
        settled: Where that depends on the past, differences that behaviour settles without it, of
            IAVI; else None.
        costs: Weights of a reward on features that several boards share; else None.
        earned: What each action earns, where rewards are those of observations; else empty.
        observed: Calibration, support and drawing of a fit to observations; else None.
        intentions: What there is to say of several intentions; None without them.
        choosing: Which number of intentions to take; None where that was not asked.
        neural: What was recorded beside the decisions and has to do with them; else None.
        split_checks: Whether the model is right in each part of the table, by each column that was
            asked for.
        idle: Units in which no action is known: they are left out of the scores.
        cut_from: Of how many trajectories the units are pieces, which resemble each other; or 0.
        subjects: Of how many subjects, where one has several units; or 0.
        seconds: Time of everything.

    Raises:
        InputError: What is shown has no reward.
    """

    plan: Plan
    title: str
    source: str
    dataset: Dataset | None
    fingerprint: str
    scores: tuple[ScoreRow, ...]
    failures: tuple[Failure, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)
    given: MDP | Mapping[str, MDP] = field(default_factory=dict)
    worlds: Mapping[str, World] = field(default_factory=dict)
    diagnosis: Diagnosis | None = None
    division: Division | None = None
    chosen: str = ""
    reason: Reason | None = None
    solution: Solution | IntentionSolution | None = None
    whole: Demonstrations | None = None
    contrasts: Perhaps[Contrasts] = None
    settled: Contrasts | None = None
    costs: Costs | None = None
    earned: tuple[Earned, ...] = ()
    observed: Observed | None = None
    intentions: IntentionFindings | None = None
    choosing: Choosing | None = None
    neural: Perhaps[NeuralFindings] = None
    split_checks: tuple[SplitCheck, ...] = ()
    idle: tuple[str, ...] = ()
    cut_from: int = 0
    subjects: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        shown = self.solution if self.intentions is None else None
        if isinstance(shown, Solution) and shown.reward_function is None:
            refuse_without_reward(shown.solver)

    def _facts(self) -> Iterable[Fact]:
        several = self.intentions
        best = max(self.scores, key=lambda row: row.score.mean, default=None)
        return (
            ("data", self.title),
            ("models", len(self.scores)),
            ("failures", len(self.failures) or None),
            ("best", None if best is None else best.key),
            ("score", None if best is None else best.score.told),
            ("shown", self.chosen or None),
            (
                "intentions",
                None if several is None else several.solution.num_intentions,
            ),
        )

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per model for a table, best first; scores and errors in nats per decision."""
        best_first = sorted(self.scores, key=lambda row: -row.score.mean)
        return [
            {
                "name": row.name,
                "key": row.key,
                **row.score.row,
                "validation": row.validation,
                "parameters": row.parameters,
                "seconds": row.seconds,
                "yardstick": row.yardstick,
            }
            for row in best_first
        ]

    def row(self, key: str) -> Perhaps[ScoreRow]:
        """The row of a model; None where it was not scored."""
        return next((row for row in self.scores if row.key == key), None)

    def find(self, **facts: Any) -> ScoreRow | None:
        """The first row whose model has these facts, by the names of `Model`; None without one."""
        rows = (r for r in self.scores if all(getattr(r.model, k) == v for k, v in facts.items()))
        return next(rows, None)

    @property
    def one(self) -> ScoreRow | None:
        """One intention beside the several that are shown; None where it is not beside them."""
        found = self.find(intentions=1)
        return None if found is None or found.key == self.chosen else found

    @property
    def best_reward(self) -> ScoreRow:
        """The model with a reward that scores best; the best of all where none has one."""
        rows = [r for r in self.scores if not r.yardstick] or self.scores
        return max(rows, key=lambda row: row.score.mean)

    @property
    def best_yardstick(self) -> ScoreRow:
        """The model that counts, or looks no further than the next move, and scores best."""
        rows = (r for r in self.scores if r.model.counts or r.model.family is Family.WALK)
        return max(rows, key=lambda row: row.score.mean)
