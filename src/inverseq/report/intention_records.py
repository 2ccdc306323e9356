"""What `inverseq fit --intentions` and `inverseq compare --intentions` found."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from jaxtyping import Float
from numpy import ndarray

from inverseq.demonstrations import Demonstrations
from inverseq.doctor import Diagnosis
from inverseq.evaluate.dwell import Dwell
from inverseq.evaluate.predictive_checks import PredictiveChecks
from inverseq.evaluate.transitions import SwitchingIntervals
from inverseq.intentions.predict import Posterior
from inverseq.intentions.solution import IntentionSolution
from inverseq.mdp import MDP
from inverseq.report.records import ScoreRow
from inverseq.worlds import World


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the data and what is believed about it.

    Attributes:
        name: "train" or "test".
        demonstrations: N decisions.
        posterior: `[N, K]` beliefs about their intentions.
    """

    name: str
    demonstrations: Demonstrations
    posterior: Posterior


@dataclass(frozen=True, eq=False)
class IntentionResults:
    """Everything that a fit with several intentions found.

    Attributes:
        title: Of the data.
        source: One paragraph of where the table came from.
        citation: What to cite for the data; empty for a user's own.
        given: The world or worlds that were fitted in, without history.
        worlds: Their drawings.
        diagnosis: What the doctor found.
        division: How the data were divided, in words.
        skipped: Steps at the beginning of each held-out trajectory that are not scored.
        solver: Name of what explains each intention.
        law: The law of switching in words.
        history: States that the world looks at.
        scores: Yardsticks, one intention ("one") and several ("intentions"), on the same decisions.
        solution: The fit with several.
        train: What was fitted.
        test: What was held out.
        changes: `[K, K]` share of each next intention after each intention, expected given the
            training decisions; None for a law without changes.
        intervals: How sure that and the occupancy are; None where nothing was resampled.
        dwells: How long each lasts; empty where there is nothing to say.
        checks: Real behaviour against simulated; None where none was simulated.
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
    skipped: int
    solver: str
    law: str
    history: int
    scores: tuple[ScoreRow, ...]
    solution: IntentionSolution
    train: Part
    test: Part
    changes: Float[ndarray, "K K"] | None
    intervals: SwitchingIntervals | None
    dwells: tuple[Dwell, ...]
    checks: PredictiveChecks | None
    remarks: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def row(self, key: str) -> ScoreRow | None:
        """The row of a model; None where it was not scored."""
        return next((row for row in self.scores if row.key == key), None)
