"""Games in grid worlds by networks."""

from dataclasses import dataclass
from typing import Literal, get_args

from inverseq._core.errors import InputError
from inverseq.studies.study import Part, Study

GridName = Literal["static walls", "random walls", "random win"]
"""The three grid types of the 2023 study."""


@dataclass(frozen=True)
class Settings:
    """Of the GridWorld study."""

    games: str | None = None
    """File of games that `inverseq play` recorded, to learn from; those of an expert, who draws one
    of the best moves, where left out, and in grid types of which it has none."""
    grids: tuple[GridName, ...] = ("static walls", "random walls", "random win")
    """Grid types; the curve is drawn for the last one."""
    seeds: int = 5
    """Trainings of each method."""
    boards: int = 2000
    """Unseen boards of the test."""
    most_steps: int = 150_000
    """Game steps of the faithful trainings at most; the study had fewer in some grid types."""
    best_steps: int = 20_000
    """Game steps of our DQN, at most the faithful ones."""
    lessons: int = 1000
    """Training steps of our IQ-Learn and cloning."""
    sizes: tuple[int, ...] = (10, 30, 100, 300, 1000)
    """Demonstrated games of the curve."""
    curve_seeds: int = 3
    """Sets of demonstrations of each of these sizes."""

    def __post_init__(self) -> None:
        counts = (self.seeds, self.boards, self.most_steps, self.best_steps, self.lessons)
        if not self.grids or not set(self.grids) <= set(get_args(GridName)):
            raise InputError(f"grids are some of {get_args(GridName)}; got {self.grids}")
        if min(*counts, self.curve_seeds, *self.sizes) < 1:
            raise InputError("seeds, boards, steps, lessons and sizes must be 1 or more")


STUDY = Study(
    "gridworld",
    "DQN and IQ-Learn as in 2023, and what cures what failed there (many minutes)",
    (Part("gridworld", f"{__name__}.study"),),
    Settings(),
    Settings(
        grids=("static walls",),
        seeds=1,
        boards=10,
        most_steps=200,
        best_steps=200,
        lessons=20,
        sizes=(4,),
        curve_seeds=1,
    ),
)
