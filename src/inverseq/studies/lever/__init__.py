"""Rats at a lever, their neurons, and what these tell."""

from dataclasses import dataclass

from inverseq._core.errors import InputError
from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Settings:
    """Of the study of the lever."""

    configurations: int = 20
    """Settings that each method draws in each fold; 500 in the published table."""
    trials: tuple[int, ...] = (50, 100, 250, 500, 1000)
    """Trials of a session."""
    signals: tuple[float, ...] = (0.2, 0.5, 1.0)
    """How far tuned neurons leave their rest: low, middle, high."""
    folds: int = 10
    """Folds of the cross-validation."""
    sessions: int = 200
    """Sessions without a relation, for the nulls."""
    shuffles: int = 1000
    """Of each null."""
    keep: str = ""
    """Folder of finished folds, from which a run that was killed goes on."""
    spikes: tuple[str, ...] = ()
    """Files of spikes with trials (Steinmetz and others 2019, as arrays) that you have."""
    photometry: str = ""
    """File of the photometry of session 717531 that you have."""

    def __post_init__(self) -> None:
        if min(self.configurations, self.sessions, self.shuffles, *self.trials) < 1:
            raise InputError("configurations, trials, sessions and shuffles must be 1 or more")


STUDY = Study(
    "lever",
    "neurons of rats at a lever: releases, silencing, nulls (an hour)",
    (
        Part("match", f"{__name__}.match"),
        Part("silencing", f"{__name__}.silencing"),
        Part("nulls", f"{__name__}.nulls"),
        Part("signals", f"{__name__}.signals"),
    ),
    Settings(),
    Settings(configurations=1, trials=(40,), signals=(1.0,), folds=2, sessions=1, shuffles=19),
)
