"""Experts of tasks that people know, to learn from."""

from dataclasses import dataclass

from inverseq._core.errors import InputError
from inverseq.studies.study import Part, Study


@dataclass(frozen=True)
class Settings:
    """Of the study that trains experts."""

    tasks: tuple[str, ...] = ("CartPole-v1", "Acrobot-v1", "LunarLander-v3", "Pendulum-v1")
    """Environments of Gymnasium."""
    games: int = 30
    """Games of each expert that are written down."""
    steps: int = 0
    """Moves in which each learns; 0 for what its task needs."""

    def __post_init__(self) -> None:
        if not self.tasks or self.games < 1 or self.steps < 0:
            raise InputError("give one task or more, games of 1 or more and steps of 0 or more")


STUDY = Study(
    "experts",
    "experts of CartPole, Acrobot, Pendulum and others, as Minari data (minutes)",
    (Part("experts", f"{__name__}.study"),),
    Settings(),
    Settings(tasks=("CartPole-v1",), games=2, steps=40),
)
