"""Several intentions, where the truth is known and in animals."""

from dataclasses import dataclass

from inverseq._core.errors import InputError
from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Settings:
    """Of the study of intentions."""

    restarts: int = 10
    """Searches of each fit."""

    def __post_init__(self) -> None:
        if self.restarts < 1:
            raise InputError(f"restarts must be 1 or more; got {self.restarts}")


STUDY = Study(
    "intentions",
    "several intentions, where the truth is known and in animals (many minutes)",
    (
        Part("switching-grid", f"{__name__}.grid"),
        Part("abandon", f"{__name__}.abandon"),
        Part("bandit", f"{__name__}.bandit"),
        Part("mice", f"{__name__}.mice"),
        Part("memories", f"{__name__}.memories"),
        Part("dopamine", f"{__name__}.dopamine"),
    ),
    Settings(),
    Settings(restarts=2),
)
