"""What an analysis found of several intentions."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from inverseq.analysis.crossed import Crossed
from inverseq.analysis.family import Model
from inverseq.demonstrations import Demonstrations
from inverseq.evaluate.choice import Choice
from inverseq.evaluate.dwell import Dwell
from inverseq.evaluate.predictive_checks import PredictiveChecks
from inverseq.evaluate.transitions import SwitchingIntervals
from inverseq.intentions.law import Law
from inverseq.intentions.predict import Posterior
from inverseq.intentions.solution import IntentionSolution


@dataclass(frozen=True, eq=False)
class Part:
    """One part of the data and what is believed about its intentions.

    Attributes:
        demonstrations: N decisions.
        posterior: `[N, K]` beliefs about their intentions.
    """

    demonstrations: Demonstrations
    posterior: Posterior

    @property
    def shares(self) -> Float[np.ndarray, " K"]:
        """`[K]` share of the decisions that each explains; a row without an action is none."""
        return self.posterior.smoothed[self.demonstrations.acted].mean(axis=0)


@dataclass(frozen=True, eq=False)
class IntentionFindings:
    """What there is to say of several intentions.

    Attributes:
        solution: The fit.
        explainer: What explains each of them.
        law: The law of switching.
        train: What was fitted.
        test: What was held out.
        changes: `[K, K]` share of each next intention after each intention, expected given the
            training decisions; None for a law without changes.
        intervals: How sure that and the occupancy are; None where nothing was resampled.
        dwells: How long each lasts; empty where there is nothing to say.
        checks: Real behaviour against simulated; None where none was simulated.
        crossed: The intentions by the columns of the table, the strongest first.
    """

    solution: IntentionSolution
    explainer: Model
    law: Law
    train: Part
    test: Part
    changes: Float[np.ndarray, "K K"] | None
    intervals: SwitchingIntervals | None
    dwells: tuple[Dwell, ...]
    checks: PredictiveChecks | None
    crossed: tuple[Crossed, ...]


@dataclass(frozen=True, eq=False)
class Choosing:
    """Which number of intentions to take.

    Attributes:
        choice: The numbers that were tried.
        explainer: What explains each of them.
        law: The law of switching.
    """

    choice: Choice
    explainer: Model
    law: Law
