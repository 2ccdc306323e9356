"""People in mazes, by the networks of the GridWorld study."""

from dataclasses import dataclass

from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Settings:
    """Of the networks on people in mazes."""

    folds: int = 4
    """Maze m is left out in fold m modulo this."""
    subjects: int | None = None
    """Use the first so many people; all of them where left out."""
    steps: int = 500
    """Training steps of each network."""
    sweeps: int = 30
    """Sweeps in which the networks plan."""


STUDY = Study(
    "gridworld-people",
    "its networks on people in mazes, beside models of costs (minutes)",
    (Part("gridworld-people", f"{__name__}.study"),),
    Settings(),
    Settings(folds=2, subjects=3, steps=20, sweeps=4),
)
