"""The 4x3 world of Russell and Norvig, as a lecture teaches it."""

from dataclasses import dataclass

from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Settings:
    """Of the lecture's study."""

    runs: int = 10
    """Runs of Q-learning."""
    steps: int = 200_000
    """Decisions of each run."""


STUDY = Study(
    "lecture",
    "the 4x3 world: values, policies and Q-learning towards them",
    (Part("lecture", f"{__name__}.study"),),
    Settings(),
    Settings(runs=2, steps=20_000),
)
