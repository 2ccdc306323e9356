"""Cohorts of animals: what pooling gains, and which tests keep their word."""

from dataclasses import dataclass

from inverseq._core.errors import InputError
from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Settings:
    """Of the study of cohorts."""

    animals: tuple[int, ...] = (8, 16, 40)
    """Animals of simulated cohorts, half in each group."""
    decisions: tuple[int, ...] = (50, 400, 2000)
    """Decisions of each."""
    differences: tuple[float, ...] = (0.0, 0.5, 1.0)
    """Between groups, in one weight, in units of the temperature."""
    spread: float = 0.5
    """Standard deviation of each weight between animals of a group."""
    repeats: int = 3
    """Cohorts of each kind."""
    tests: int = 200
    """Cohorts without a difference that are tested."""
    people: int | None = None
    """Use the first so many of the 161 people; all of them where left out."""
    folds: int = 4
    """Maze m is left out in fold m modulo this."""
    learners: int = 12
    """Cohorts of learners at two spouts that are drawn and fitted."""

    def __post_init__(self) -> None:
        if min(self.repeats, self.tests, self.learners) < 1 or min(self.animals) < 4:
            raise InputError(
                "repeats, tests and learners must be 1 or more, animals of a cohort 4 or more"
            )


STUDY = Study(
    "cohorts",
    "animals in groups: what pooling gains, which tests keep their word",
    (
        Part("simulated", f"{__name__}.simulated"),
        Part("people", f"{__name__}.people"),
        Part("mice", f"{__name__}.mice"),
        Part("learners", f"{__name__}.learners"),
        Part("learners-drawn", f"{__name__}.learners_drawn"),
    ),
    Settings(),
    Settings((8,), (50,), (1.0,), repeats=1, tests=4, people=3, folds=2, learners=1),
)
