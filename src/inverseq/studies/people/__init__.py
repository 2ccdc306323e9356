"""People in mazes: one reward for nine, tried on the three left out."""

from dataclasses import dataclass

from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Settings:
    """Of the study of people in mazes."""

    folds: int = 4
    """Maze m is left out in fold m modulo this."""
    subjects: int | None = None
    """Use the first so many people; all of them where left out."""
    discounts: tuple[float, ...] = (0.9, 0.93, 0.95, 0.97, 0.99, 1.0)
    """Each planner chooses among these by the likelihood of its training mazes."""
    strength: float | None = None
    """Of the planners' prior. Where left out, each then chooses one by cross-validation over its
    training mazes, and an ablation takes over what the full planner has chosen."""
    ablations: bool = True
    """Whether to leave out each group of costs in turn."""


STUDY = Study(
    "people",
    "one reward for nine mazes, tried on the three left out",
    (Part("people", f"{__name__}.study"),),
    Settings(),
    Settings(folds=2, subjects=6, discounts=(0.95,), strength=1.0, ablations=False),
)
