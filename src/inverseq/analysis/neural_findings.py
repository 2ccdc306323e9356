"""What was found of neurons beside decisions: numbers, arrays and names."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from inverseq._core.arrays import freeze
from inverseq._core.errors import InputError
from inverseq.neural.embedding import Embedding
from inverseq.neural.matching import Paired
from inverseq.neural.relating import Relations
from inverseq.neural.searching import Found
from inverseq.neural.series import Regressors

LEVEL = 0.05
"""How rarely a relation that is called clear would come about by chance, all that were asked
counted."""


@dataclass(frozen=True, eq=False)
class Related:
    """Relations of series, or of windows, to regressors, corrected for all that was asked.

    Attributes:
        relations: Of F series or windows to G regressors.
        adjusted: `[F, G]` p-values corrected as the plan says.
        lag: Seconds by which the window was moved.
    """

    relations: Relations
    adjusted: Float[np.ndarray, "F G"]
    lag: float = 0.0

    def __post_init__(self) -> None:
        freeze(self, np.float64, "adjusted")

    @property
    def clear(self) -> Bool[np.ndarray, "F G"]:
        """What is more than chance."""
        return self.adjusted <= LEVEL


@dataclass(frozen=True, eq=False)
class Stretch:
    """Some decisions with what was recorded around them, to be drawn.

    Attributes:
        spikes: Times of each unit, in seconds from `start`.
        times: Of the decisions, likewise.
        values: What the fit says of them.
        name: Which series that is.
        events: Name -> time of what happened once, likewise.
        start: In seconds of the session.
    """

    spikes: tuple[Float[np.ndarray, " _"], ...]
    times: Float[np.ndarray, " n"]
    values: Float[np.ndarray, " n"]
    name: str
    events: Mapping[str, float]
    start: float


@dataclass(frozen=True, eq=False)
class Silenced:
    """When the act is foretold where an area is held down, on paper.

    Attributes:
        area: Which units.
        units: How many.
        dose: Share of their spikes that is taken away.
        chances: `[B + 1]` of each step, and never.
        shift: Change of the mean time of the act, in seconds; who never acts counts as acting at
            the end.
    """

    area: str
    units: int
    dose: float
    chances: Float[np.ndarray, " B1"]
    shift: float


@dataclass(frozen=True, eq=False)
class Foretold:
    """Who foretells the act that ends a trial.

    Attributes:
        event: The act.
        step: Seconds of a step.
        trials: How many.
        found: What each method reached on trials held out.
        ahead: Method -> score -> NeuRL less that method, over folds.
        chances: `[B + 1]` when NeuRL foretells the act from activity as recorded, and never.
        seen: `[B + 1]` when it came in these trials.
        silenced: The same with areas held down.
        embeddings: Trials as points, by principal components and by the latent layer of NeuRL;
            none of one series.
        times: `[T]` of the act in these trials, in seconds from the first decision.
        until: Activity up to this time was looked at for the points.
        left_out: Trials in which something was not recorded.
    """

    event: str
    step: float
    trials: int
    found: Found
    ahead: Mapping[str, Mapping[str, Paired]]
    chances: Float[np.ndarray, " B1"]
    seen: Float[np.ndarray, " B1"]
    silenced: tuple[Silenced, ...]
    embeddings: tuple[Embedding, ...]
    times: Float[np.ndarray, " T"]
    until: float
    left_out: int = 0


@dataclass(frozen=True, eq=False)
class NeuralFindings:
    """What was recorded beside decisions, and what it has to do with them.

    Attributes:
        source: Of the recording.
        units: How many units.
        signals: Names of the signals.
        areas: `[F]` of each series; "signals" for those.
        series: Of the fit, at all decisions in the order of time.
        asked: Names of those that were related.
        constant: Names of those that do not vary and were left out.
        alike: Pairs of asked series with their correlation, where that is nearly perfect.
        covariates: What was taken out of both sides.
        outside: Decisions that were left out, as not all was recorded around them.
        encoding: A relation of each series to each regressor, per lag.
        decoding: Of each window to each regressor.
        windows: `[W, 2]` seconds from the decision.
        stretch: Some of it, to be drawn.
        foretold: Who foretells the act; None where no act ends the trials.
        unforetold: Why that could not be asked; None where it could, or nobody asked.
    """

    source: str
    units: int
    signals: tuple[str, ...]
    areas: tuple[str, ...]
    series: Regressors
    asked: tuple[str, ...]
    constant: tuple[str, ...]
    alike: tuple[tuple[str, str, float], ...]
    covariates: tuple[str, ...]
    outside: int
    encoding: tuple[Related, ...]
    decoding: Related
    windows: Float[np.ndarray, "W 2"]
    stretch: Stretch
    foretold: Foretold | None = None
    unforetold: InputError | None = None
