"""Mice in the labyrinth: tables and rewards side by side."""

from dataclasses import dataclass

from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Settings:
    """Of the study of mice in the labyrinth."""

    history: int = 4
    """Nodes that the tied rewards remember, the present one included: 3 or more."""
    trajectories: int | None = None
    """Use the first so many trajectories; all of them where left out."""
    discounts: tuple[float, ...] = (0.0, 0.5, 0.8, 0.9)
    """Cross-validation on the training trajectories chooses among these."""
    strengths: tuple[float, ...] = (1.0, 3.0, 10.0, 30.0)
    """Strengths of the prior among which every reward chooses in the same way."""
    folds: int = 3
    """Folds of the cross-validations."""
    leave_out: bool = True
    """Whether to leave out groups of features in turn."""
    replicates: int = 100
    """Of the bootstrap of the readable weights, by trajectory."""


STUDY = Study(
    "mice",
    "tables and rewards in the labyrinth, each half predicted from the other",
    (Part("mice", f"{__name__}.study"),),
    Settings(),
    Settings(
        history=3,
        trajectories=20,
        discounts=(0.5,),
        strengths=(30.0,),
        folds=2,
        leave_out=False,
        replicates=4,
    ),
)
